"""One curve on a card: title at the left, the newest value at the right, the plot below.

Data is decimated before it gets here (`core.training.metrics`): pyqtgraph's own downsampling does not keep up with a
stream, so it is never asked. The raw line is one pixel, opaque and without antialiasing; only the smooth line is pretty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.tokens import Tokens
from app.training.axes import StepAxis, ValueAxis
from core.training.series import Series

Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart: which token colours it, whether it is the noisy or the smooth one, or a few points."""

    series: Series
    colour: Callable[[Tokens], str]
    smooth: bool = False
    points: bool = False


class ChartCard(QFrame):
    """A card that draws up to three curves over the steps of a run.

    Signals: resized, when the plot has another number of pixels and wants other points.
    """

    resized = Signal()

    def __init__(self, title: str, value_format: Format, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._title_text = title
        self._theme = theme
        self._format = value_format
        self._curves: tuple[Curve, ...] = ()
        self._items: list[pg.PlotDataItem] = []
        self._title = QLabel(title)
        self._title.setFont(fonts.section_font())
        self._value = QLabel()
        self._value.setProperty("tone", "dim")
        head = QHBoxLayout()
        head.setContentsMargins(14, 10, 14, 0)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._value)
        self.plot = _plot_widget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)
        self.setMinimumSize(230, 132)
        self.setAccessibleName(title)
        self._retint()
        theme.changed.connect(self._retint)

    def _retint(self) -> None:
        tokens = self._theme.tokens
        self.plot.setBackground(tokens.surface)
        for name in ("bottom", "left"):
            axis = self.plot.getAxis(name)
            axis.setPen(pg.mkPen(tokens.border))
            axis.setTextPen(pg.mkPen(tokens.faint))
        for curve, item in zip(self._curves, self._items, strict=True):
            item.setPen(_pen(curve, tokens))
            item.setSymbolBrush(QColor(curve.colour(tokens)) if curve.points else None)

    def set_curves(self, curves: tuple[Curve, ...]) -> None:
        """Show these curves instead of what is shown; call `redraw` to fill them."""
        self.plot.clear()
        self._curves = curves
        self._items = []
        for curve in curves:
            item = pg.PlotDataItem(antialias=curve.smooth, skipFiniteCheck=True)
            if curve.points:
                item.setSymbol("o")
                item.setSymbolSize(5)
                item.setSymbolPen(None)
            self.plot.addItem(item)
            self._items.append(item)
        self._retint()

    def redraw(self, last_step: float) -> None:
        """Fetch as many points as there are pixels and show them. `last_step` keeps all charts of a run aligned."""
        pixels = max(int(self.plot.getViewBox().width()), 50)
        low, high = np.inf, -np.inf
        for curve, item in zip(self._curves, self._items, strict=True):
            x, y = curve.series.window(0.0, max(last_step, 1.0), pixels)
            finite = np.isfinite(y)
            if not finite.all():
                x, y = x[finite], y[finite]
            item.setData(x, y)
            if len(y):
                low, high = min(low, float(y.min())), max(high, float(y.max()))
        self._fit(low, high, last_step)
        self._show_newest()

    def _fit(self, low: float, high: float, last_step: float) -> None:
        if not low <= high:
            return
        margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        view = self.plot.getViewBox()
        view.setRange(xRange=(0, max(last_step, 1.0)), yRange=(low - margin, high + margin), padding=0)

    def _show_newest(self) -> None:
        newest = next((c.series.last() for c in reversed(self._curves) if len(c.series)), None)
        text = "" if newest is None else self._format(newest)
        self._value.setText(text)
        self.setAccessibleDescription(f"{self._title_text}: {text}" if text else f"{self._title_text}: no data yet")

    def points(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """What is on the screen, for tests and for copying."""
        return [item.getData() for item in self._items]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()


def _plot_widget() -> pg.PlotWidget:
    plot = pg.PlotWidget(axisItems={"bottom": StepAxis(orientation="bottom"), "left": ValueAxis(orientation="left")})
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.getViewBox().disableAutoRange()
    plot.getViewBox().setDefaultPadding(0)
    for name in ("bottom", "left"):
        axis = plot.getAxis(name)
        axis.setStyle(tickLength=0, tickTextOffset=5)
        axis.enableAutoSIPrefix(False)
    plot.getAxis("left").setWidth(52)
    plot.getPlotItem().setContentsMargins(0, 8, 14, 0)
    plot.setFrameShape(QFrame.Shape.NoFrame)
    return plot


def _pen(curve: Curve, tokens: Tokens) -> object:
    return pg.mkPen(curve.colour(tokens), width=1.6 if curve.smooth else 1)
