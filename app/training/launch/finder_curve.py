"""The curve of a range test: loss over the logarithm of the learning rate, with a line where the suggestion is.

What lies far above the start of the curve is cut off: a loss that diverges would flatten all that matters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.charts.axes import value_text
from app.widgets.labels import label
from core.training.finders import Finding, short

Points = Sequence[tuple[float, float]]
LOWEST, HIGHEST = -7.25, 0.25
"""Powers of ten between which the rate rises, and a little more for their numbers on the axis."""


class RateAxis(pg.AxisItem):
    """Powers of ten: 1e-7, 1e-6, ... 1."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"1e{value:.0f}" if value else "1" for value in values]


class ValueAxis(pg.AxisItem):
    """Losses: 2.94, 0.15."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [value_text(value, spacing) for value in values]


class FinderCurve(QFrame):
    """A card that draws a range test while it runs, and its smoothed curve when it is done."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setObjectName("finderCurve")
        self.setAccessibleName("Loss over the learning rate")
        self._theme = theme
        self._points: list[tuple[float, float]] = []
        self._plot = _plot()
        self._raw = pg.PlotDataItem(skipFiniteCheck=True)
        self._smooth = pg.PlotDataItem(antialias=True, skipFiniteCheck=True)
        self._mark = pg.InfiniteLine(angle=90, movable=False)
        self._mark.hide()
        for item in (self._raw, self._smooth, self._mark):
            self._plot.addItem(item)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 6)
        column.setSpacing(2)
        caption = label("Loss over the learning rate", tone="dim", size=12)
        caption.setContentsMargins(14, 0, 14, 0)
        column.addWidget(caption)
        column.addWidget(self._plot, 1)
        self.setMinimumHeight(200)
        self._retint()
        theme.changed.connect(self._retint)

    def add(self, points: Points) -> None:
        """More of the test: rate and loss, as measured."""
        self._points.extend(points)
        self._raw.setData(*_logarithmic(self._points))
        self._fit(self._points)

    def show_finding(self, found: Finding) -> None:
        """The smoothed curve and the suggestion."""
        self._smooth.setData(*_logarithmic(found.curve))
        self._mark.setValue(np.log10(found.value))
        self._mark.show()
        self._fit(found.curve)
        lowest = min(found.curve, key=lambda point: point[1])
        self.setAccessibleDescription(
            f"The loss is lowest, {lowest[1]:.2f}, at {short(lowest[0])}; {short(found.value)} is suggested."
        )

    def points(self) -> Points:
        """What was measured so far."""
        return tuple(self._points)

    def _fit(self, points: Points) -> None:
        values = np.asarray([y for _, y in points])
        low, first = float(values.min()), float(np.median(values[:10]))
        high = min(float(values.max()), max(1.5 * first, first + 0.5 * (first - low)))
        margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        self._plot.getViewBox().setRange(
            xRange=(LOWEST, HIGHEST), yRange=(low - margin, high + margin), padding=0, disableAutoRange=True
        )

    def _retint(self) -> None:
        tokens = self._theme.tokens
        self._plot.setBackground(tokens.surface)
        for name in ("bottom", "left"):
            axis = self._plot.getAxis(name)
            axis.setPen(pg.mkPen(tokens.border))
            axis.setTextPen(pg.mkPen(tokens.faint))
        self._raw.setPen(pg.mkPen(tokens.chart_raw, width=1))
        self._smooth.setPen(pg.mkPen(tokens.chart_smooth, width=1.6))
        self._mark.setPen(pg.mkPen(tokens.accent, width=1, style=Qt.PenStyle.DashLine))


def _logarithmic(points: Points) -> tuple[list[float], list[float]]:
    return [float(np.log10(x)) for x, _ in points], [y for _, y in points]


def _plot() -> pg.PlotWidget:
    plot = pg.PlotWidget(axisItems={"bottom": RateAxis(orientation="bottom"), "left": ValueAxis(orientation="left")})
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    for name in ("bottom", "left"):
        axis = plot.getAxis(name)
        axis.setStyle(tickLength=0, tickTextOffset=5)
        axis.enableAutoSIPrefix(False)
    plot.getAxis("left").setWidth(52)
    plot.getAxis("bottom").setTickSpacing(1, 1)
    plot.getPlotItem().setContentsMargins(0, 4, 14, 0)
    plot.setFrameShape(QFrame.Shape.NoFrame)
    plot.getViewBox().setRange(xRange=(LOWEST, HIGHEST), yRange=(0, 1), padding=0, disableAutoRange=True)
    return plot
