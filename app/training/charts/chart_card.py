"""One chart on a card: title at the left, the newest value or the value at the crosshair at the right, the plot below.

It fetches as many points as it has pixels, when it is painted and not before: a chart that is scrolled out of sight costs
nothing.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from app import fonts
from app.theme import Theme
from app.training.charts import run_colours
from app.training.charts.chart_specs import ChartSpec, Curve, Shown, Usual, View
from app.widgets.charts import card
from app.widgets.charts.axes import (
    Axis,
    along_text,
    count_text,
    step_text,
    ticks,
    time_text,
    time_ticks,
    y_axis,
    y_ticks,
)
from app.widgets.charts.canvas import GESTURES, Canvas, Picture, Reading, Stroke, extent
from app.widgets.labels import ElidedLabel
from core.training.series import Series
from core.training.track import Track

MANY = 6
"""Runs from which the smooth lines are drawn hard, and raw ones only where nothing is smoothed."""


class ChartCard(QFrame):
    """Draws one chart of the runs it was given last.

    Signals: pointed(x | None), span_wanted(x0, x1), all_wanted(), as of its canvas.
    """

    pointed = Signal(object)
    span_wanted = Signal(float, float)
    all_wanted = Signal()

    def __init__(self, spec: ChartSpec, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self._theme = theme
        self._shown: tuple[Shown, ...] = ()
        self._view = View()
        self._span = (0.0, 1.0)
        self._usual: Usual | None = None
        self._moving = False
        self._pointed: tuple[float | None, bool] = (None, False)
        self._why = ElidedLabel(tone="faint")
        self._why.setFont(fonts.ui_font(11))
        self._why.setContentsMargins(14, 0, 14, 0)
        self._why.hide()
        self.canvas = Canvas(theme, self._build)
        self.canvas.pointed.connect(self.pointed)
        self.canvas.span_wanted.connect(self.span_wanted)
        self.canvas.all_wanted.connect(self.all_wanted)
        self._value = card.lay_out(self, spec.title, spec.name, self.canvas, GESTURES, under_title=self._why)
        self.setMinimumSize(230, 168)

    def has_data(self, shown: tuple[Shown, ...]) -> bool:
        """Would there be a curve to see?"""
        return any(
            curve.series in run.metrics.tracks[curve.track].series for run in shown for curve in self.spec.curves
        )

    def set_usual(self, usual: Usual | None) -> None:
        """Shade these values as the usual ones, and say why."""
        self._usual = usual
        self._say(usual.why if usual else "")
        self.canvas.refresh()

    def _say(self, sentence: str) -> None:
        if sentence != self._why.text():
            self._why.setText(sentence)
            self._why.setVisible(bool(sentence))

    def show_runs(
        self, shown: tuple[Shown, ...], view: View, span: tuple[float, float], *, moving: bool = False
    ) -> None:
        """Draw these runs over this part of x. moving: a hand is at it, the next picture comes soon."""
        self._shown, self._view, self._span, self._moving = shown, view, span, moving
        if self.spec.note is not None and shown:
            self._say(self.spec.note(shown[0].metrics))
        self.setAccessibleDescription(f"{self.spec.title}: {self._newest() or 'no data yet'}")
        self.point(*self._pointed)
        self.canvas.refresh()

    def _newest(self) -> str:
        texts = []
        for curve in self.spec.curves:
            series = self._shown[0].metrics.tracks[curve.track].series.get(curve.series) if self._shown else None
            if series is not None and len(series):
                value = self._value_at(series, len(series) - 1)
                if math.isfinite(value):
                    texts.append(self._text(value, curve))
        return " · ".join(texts)

    def _text(self, value: float, curve: Curve) -> str:
        written = self.spec.text(value * self.spec.factor)
        return f"{written} {curve.caption}" if curve.caption else written

    def _value_at(self, series: Series, place: int) -> float:
        if self._width() == 1:
            return float(series.y[place])
        return float(series.mean_at(np.array([place]), self._width())[0])

    def _width(self) -> int:
        return self._view.width if self.spec.noisy else 1

    def point(self, at: float | None, here: bool) -> None:
        """Show the crosshair at x and the value there. here: on this chart it was moved, so all runs tell their values."""
        self._pointed = (at, here)
        if at is None or not self._shown:
            self.canvas.point(None)
            self._value.setText(self._newest())
            self.canvas.setAccessibleDescription(self.accessibleDescription())
            return
        readings = self._readings(at)
        self.canvas.point(at, readings if here else ())
        if not here:
            self._value.setText(readings[0].text.partition("  ")[2] if readings else "")
            return
        where = along_text(self._view.along, at)
        self._value.setText(where)
        self.canvas.setAccessibleDescription(f"{where}: " + "; ".join(one.text for one in readings))

    def _readings(self, at: float) -> tuple[Reading, ...]:
        """What each run had where the crosshair is; runs that were not there yet, or are over, say nothing."""
        found = []
        for run in self._shown:
            for curve in self.spec.curves:
                track = run.metrics.tracks[curve.track]
                place = track.place(self._view.along, at)
                if place is None or curve.series not in track.series or self._is_beyond(run, at):
                    continue
                series = track.series[curve.series]
                raw = float(series.y[place])
                value = self._value_at(series, place)
                if not math.isfinite(value):
                    continue
                text = self._text(value, curve)
                if self._width() > 1 and math.isfinite(raw):
                    text += f", raw {self.spec.text(raw * self.spec.factor)}"
                text += self._interval_at(track, curve, place)
                name = f"{run.title}  " if len(self._shown) > 1 else "  "
                found.append(Reading(name + text, self._colour(run, curve), value * self.spec.factor))
        return tuple(found)

    def _interval_at(self, track: Track, curve: Curve, place: int) -> str:
        ends = [float(track.series[end].y[place]) for end in curve.whiskers or () if end in track.series]
        if len(ends) < 2 or not all(map(math.isfinite, ends)):
            return ""
        low, high = (end * self.spec.factor for end in ends)
        return f" ({low:.3g}–{high:.3g})"

    def _is_beyond(self, run: Shown, at: float) -> bool:
        steps = run.metrics.steps
        if not len(steps):
            return False
        reach = (self._span[1] - self._span[0]) / 50
        return not steps.x(self._view.along)[0] - reach <= at <= steps.last(self._view.along) + reach

    def _colour(self, run: Shown, curve: Curve) -> str:
        tokens = self._theme.tokens
        if len(self._shown) > 1:
            return run_colours.colour(run.slot, tokens)
        return tokens.dim if curve.second else self.spec.colour(tokens)

    def _build(self) -> Picture | None:
        """What the canvas paints: points for its pixels, and a y axis over what they reach."""
        plot = self.canvas.plot()
        x_axis = Axis(*self._span, plot.left(), plot.right(), self._view.log_x)
        strokes = self._strokes(x_axis, max(50, int(plot.width())))
        low, high = extent(strokes)
        log = self._view.log_y and self.spec.decades
        if not low <= high:
            if self._shown and any(len(run.metrics.steps) for run in self._shown):
                low, high = 0.0, 1.0
            else:
                return None
        if log:
            low = _smallest_above_zero(strokes)
            if not 0 < low <= high:
                log, low = False, min(low, high)
        axis = y_axis(low, high, plot.bottom(), plot.top(), log)
        usual = self._usual
        return Picture(
            x_axis,
            axis,
            self._x_ticks(x_axis),
            y_ticks(axis),
            tuple(strokes),
            (usual.low, usual.high) if usual is not None else None,
            quick=self._moving or len(self._shown) > MANY,
        )

    def _strokes(self, axis: Axis, pixels: int) -> list[Stroke]:
        """The lines, the run that is looked at on top."""
        raw, smooth = [], []
        view, spec = self._view, self.spec
        for run in reversed(self._shown):
            for curve in reversed(spec.curves):
                track = run.metrics.tracks[curve.track]
                if curve.series not in track.series:
                    continue
                colour = self._colour(run, curve)
                style = run_colours.style(run.slot)
                if curve.second:
                    style = style.DotLine
                where = (curve.series, view.along, axis.low, axis.high, pixels)
                if self._width() > 1:
                    x, y = track.means(*where, self._width(), log=axis.log)
                    smooth.append(Stroke(x, y * spec.factor, colour, style=style))
                if (self._width() == 1 or (run.slot == 0 and not curve.second)) and not (self._moving and self._width() > 1 and len(self._shown) > 1):  # fmt: skip
                    x, y = track.window(*where, log=axis.log)
                    faint = self._faint(colour) if self._width() > 1 else colour
                    fine = spec.noisy
                    ends = [track.window(end, *where[1:], log=axis.log)[1] * spec.factor for end in curve.whiskers or () if end in track.series]  # fmt: skip
                    low, high = ends if len(ends) == 2 else (None, None)
                    raw.append(Stroke(x, y * spec.factor, faint, fine, spec.points, style if not fine else style.SolidLine, low, high))  # fmt: skip
        return raw + smooth

    def _faint(self, colour: str) -> str:
        """The colour of the noise behind a smooth line: mixed with the ground, since transparency is slow on noisy lines."""
        tokens = self._theme.tokens
        return _mixed(colour, tokens.surface, 0.55)

    def _x_ticks(self, axis: Axis) -> tuple[tuple[float, str], ...]:
        along = self._view.along
        most = max(2, int((axis.end - axis.start) / 80))
        if along == "time":
            return tuple((value, time_text(value)) for value in time_ticks(axis, most)[0])
        found, _ = ticks(axis, most)
        if along == "tokens":
            return tuple((value, count_text(value)) for value in found)
        return tuple((value, step_text(value)) for value in found if value == int(value))


def _smallest_above_zero(strokes: list[Stroke]) -> float:
    smallest = [stroke.y[stroke.y > 0] for stroke in strokes]
    return min((float(y.min()) for y in smallest if len(y)), default=0.0)


def _mixed(colour: str, ground: str, share: float) -> str:
    """`share` of the ground in the colour, both #rrggbb."""
    parts = [
        round(int(colour[i : i + 2], 16) * (1 - share) + int(ground[i : i + 2], 16) * share) for i in (1, 3, 5)
    ]  # fmt: skip
    return "#{:02x}{:02x}{:02x}".format(*parts)
