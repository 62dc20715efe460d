"""The two charts of a job: how fast samples come, and what they cost. Both over the same part of time, with one crosshair."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from app.teacher import words
from app.teacher.time_chart import Line, TimeChart
from app.theme import Theme
from core.teacher.pace import Course

_FEWEST = 2.0
_TALLEST = 400


class JobCharts(QWidget):
    """Attributes: speed, money (its charts)."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._course: Course | None = None
        self._span: tuple[float, float] | None = None
        self.speed = TimeChart("Samples / min", "speedChart", _pace, theme, self)
        self.money = TimeChart("Dollars", "moneyChart", words.dollars, theme, self)
        self._spent = TimeChart("Tokens", "tokensChart", words.tokens, theme, self)
        self._spent.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(12)
        for column, chart in enumerate((self.speed, self.money, self._spent)):
            grid.addWidget(chart, 0, min(column, 1))
            chart.pointed.connect(lambda at, chart=chart: self._on_pointed(chart, at))
            chart.span_wanted.connect(self._on_span_wanted)
            chart.all_wanted.connect(self.show_all)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.setMaximumHeight(_TALLEST)

    def show_course(self, course: Course, *, other: bool) -> None:
        """Draw this. other: it is another job than before, so all of it is shown."""
        self._course = course
        if other:
            self._span = None
        self._draw()

    def show_all(self) -> None:
        """The whole job again, growing with it."""
        self._span = None
        self._draw()

    def _draw(self) -> None:
        course = self._course
        if course is None:
            return
        x = course.seconds
        self.speed.show_lines(
            x,
            (
                Line("verified", course.per_minute(course.verified), lambda tokens: tokens.chart_smooth),
                Line("in all", course.per_minute(course.done), lambda tokens: tokens.dim, second=True),
            ),
            self._span,
        )
        priced = course.standing.cost_usd is not None
        self.money.setVisible(priced or not course.standing.asked)
        self._spent.setVisible(not self.money.isVisibleTo(self))
        self.money.show_lines(x, (Line("", course.cost, lambda tokens: tokens.chart_second),), self._span)
        self._spent.show_lines(x, (Line("", course.tokens, lambda tokens: tokens.chart_second),), self._span)

    def _on_pointed(self, chart: TimeChart, at: float | None) -> None:
        for other in (self.speed, self.money, self._spent):
            other.point(at, here=other is chart)

    def _on_span_wanted(self, low: float, high: float) -> None:
        course = self._course
        if course is None or not len(course.seconds):
            return
        last = float(course.seconds[-1])
        size = min(max(high - low, _FEWEST), last)
        low = min(max(low, 0.0), last - size)
        self._span = None if size >= last else (low, low + size)
        self._draw()


def _pace(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
