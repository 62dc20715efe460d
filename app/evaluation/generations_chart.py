"""pass@1 over the generations of the student: a dot an evaluated model, its 95 % interval as a whisker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget

from app.theme import Theme
from app.widgets.charts import card
from app.widgets.charts.axes import Axis, y_axis, y_ticks
from app.widgets.charts.canvas import Canvas, Picture, Reading, Stroke
from core.teacher.generations import Row

_TITLE = "pass@1 by generation"
_WIDE = 0.5
"""How much of a generation's place its models share, so that whiskers stand beside one another."""
_CAP = 0.018


class GenerationsChart(QFrame):
    """Shows rows; the one that is chosen stands out, and the crosshair tells the one next to it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: tuple[Row, ...] = ()
        self._chosen = -1
        self.canvas = Canvas(theme, self._build)
        self.canvas.pointed.connect(self._on_pointed)
        self._value = card.lay_out(self, _TITLE, "generationsChart", self.canvas, "Arrow keys move the crosshair")
        self.setMinimumSize(260, 170)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """By generation, as `core.teacher.generations` gives them."""
        self._rows = tuple(rows)
        self._chosen = -1
        self._value.setText("percent, with 95 % intervals; the line joins the newest" if rows else "")
        parts = [
            f"generation {one.generation}, {one.model}: {100 * one.passes.value:.1f} percent, "
            f"{100 * one.passes.interval[0]:.1f} to {100 * one.passes.interval[1]:.1f}"
            for one in rows
        ]
        self.setAccessibleDescription("; ".join(parts) or "Nothing was evaluated yet")
        self.canvas.refresh()

    def choose(self, place: int) -> None:
        """Have this row stand out; -1 for none."""
        self._chosen = place
        self.canvas.refresh()

    def _places(self) -> list[float]:
        """Where on the axis each row stands: those of a generation side by side."""
        of = [one.generation for one in self._rows]
        found = []
        for place, generation in enumerate(of):
            count, rank = of.count(generation), of[:place].count(generation)
            found.append(generation + (rank - (count - 1) / 2) * _WIDE / max(count, 1))
        return found

    def _on_pointed(self, at: float | None) -> None:
        if at is None or not self._rows:
            self.canvas.point(None)
            return
        places = self._places()
        near = min(range(len(places)), key=lambda place: abs(places[place] - at))
        row = self._rows[near]
        low, high = (100 * end for end in row.passes.interval)
        text = f"{row.model}: {100 * row.passes.value:.1f} % ({low:.1f} to {high:.1f})"
        self.canvas.point(at, (Reading(text, self._colour(near)),))

    def _colour(self, place: int) -> str:
        tokens = self._theme.tokens
        return tokens.accent if place == self._chosen else tokens.dim if self._rows[place].there else tokens.faint

    def _build(self) -> Picture | None:
        if not self._rows:
            return None
        plot, tokens = self.canvas.plot(), self._theme.tokens
        highest = max(one.generation for one in self._rows)
        x = Axis(-0.5, highest + 0.5, plot.left(), plot.right())
        ends = [100 * max(0.0, min(1.0, end)) for one in self._rows for end in one.passes.interval]
        y = y_axis(min(ends), max(*ends, min(ends) + 5), plot.bottom(), plot.top(), False)
        places = self._places()
        newest = {one.generation: place for place, one in enumerate(self._rows)}
        line = [newest[generation] for generation in sorted(newest)]
        strokes = [
            Stroke(
                np.array([places[one] for one in line]), np.array([100 * self._rows[one].passes.value for one in line]),
                tokens.border, style=Qt.PenStyle.DashLine,
            )
        ]  # fmt: skip
        cap = _CAP * (highest + 1)
        for place, (at, row) in enumerate(zip(places, self._rows, strict=True)):
            low, high = (100 * max(0.0, min(1.0, end)) for end in row.passes.interval)
            colour, mean = self._colour(place), 100 * row.passes.value
            strokes.append(Stroke(np.array([at, at]), np.array([low, high]), colour))
            strokes += [Stroke(np.array([at - cap, at + cap]), np.array([end, end]), colour) for end in (low, high)]
            strokes.append(Stroke(np.array([at]), np.array([mean]), colour, points=True))
        every = max(1, (highest + 1) // 12 + 1) if highest >= 12 else 1
        ticks = tuple(
            (float(value), f"Generation {value}" if highest < 5 else str(value))
            for value in range(0, highest + 1, every)
        )
        return Picture(x, y, ticks, y_ticks(y), strokes=tuple(strokes))
