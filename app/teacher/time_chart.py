"""A chart of a job over its time at work: throughput, or dollars. It paints what it is given and remembers which part is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.theme import Theme
from app.tokens import Tokens
from app.widgets.charts import card
from app.widgets.charts.axes import Axis, time_text, time_ticks, y_axis, y_ticks
from app.widgets.charts.canvas import GESTURES, Canvas, Picture, Reading, Stroke, extent
from core.teacher.pace import Floats

_LEAST = 5.0
"""Seconds that a chart shows at least."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve. caption: what tells it from the others. second: drawn dotted."""

    caption: str
    y: Floats
    colour: Callable[[Tokens], str]
    second: bool = False


class TimeChart(QFrame):
    """Signals: pointed(seconds | None), span_wanted(from, to), all_wanted(), as of its canvas."""

    pointed = Signal(object)
    span_wanted = Signal(float, float)
    all_wanted = Signal()

    def __init__(
        self, title: str, name: str, text: Callable[[float], str], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = text
        self._title = title
        self._x: Floats = np.zeros(0)
        self._lines: tuple[Line, ...] = ()
        self._span: tuple[float, float] | None = None
        self._at: float | None = None
        self.canvas = Canvas(theme, self._build)
        self.canvas.pointed.connect(self.pointed)
        self.canvas.span_wanted.connect(self.span_wanted)
        self.canvas.all_wanted.connect(self.all_wanted)
        self._value = card.lay_out(self, title, name, self.canvas, GESTURES)
        self.setMinimumSize(230, 168)

    def show_lines(self, x: Floats, lines: Sequence[Line], span: tuple[float, float] | None) -> None:
        """Draw these over this part of x; None for all of it."""
        self._x, self._lines, self._span = x, tuple(lines), span
        self.setAccessibleDescription(f"{self._title}: {self._newest() or 'no data yet'}")
        self.point(self._at, here=False)
        self.canvas.refresh()

    def point(self, at: float | None, *, here: bool) -> None:
        """Show the crosshair at this time. here: on this chart it was moved, so it tells all values."""
        self._at = at
        readings = self._readings(at) if at is not None and len(self._x) else ()
        self.canvas.point(at if readings else None, readings if here else ())
        self._value.setText(" · ".join(one.text for one in readings) if readings and not here else time_text(at) if readings and at is not None else self._newest())  # fmt: skip

    def _newest(self) -> str:
        return " · ".join(self._words(line, float(line.y[-1])) for line in self._lines if len(line.y))

    def _words(self, line: Line, value: float) -> str:
        return f"{self._text(value)} {line.caption}".strip()

    def _readings(self, at: float) -> tuple[Reading, ...]:
        values = [float(np.interp(at, self._x, line.y)) for line in self._lines]
        tokens = self._theme.tokens
        return tuple(
            Reading(self._words(line, value), line.colour(tokens), value)
            for line, value in zip(self._lines, values, strict=True)
        )

    def _build(self) -> Picture | None:
        if not len(self._x):
            return None
        plot, tokens = self.canvas.plot(), self._theme.tokens
        low, high = self._span or (0.0, max(float(self._x[-1]), _LEAST))
        x = Axis(low, high, plot.left(), plot.right())
        first, last = np.searchsorted(self._x, [low, high])
        seen = slice(max(0, int(first) - 1), int(last) + 1)
        dotted, solid = Qt.PenStyle.DotLine, Qt.PenStyle.SolidLine
        strokes = tuple(
            Stroke(self._x[seen], line.y[seen], line.colour(tokens), style=dotted if line.second else solid)
            for line in reversed(self._lines)
        )
        bottom, top = extent(strokes)
        y = y_axis(min(0.0, bottom), max(top, 1e-4), plot.bottom(), plot.top(), False)
        most = max(2, int(plot.width() / 80))
        ticks = tuple((value, time_text(value)) for value in time_ticks(x, most)[0])
        return Picture(x, y, ticks, y_ticks(y), strokes)
