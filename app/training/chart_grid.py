"""The curves of one run: loss raw and smoothed, validation loss, learning rate, gradient norm, tokens a second.

Redraws at most ten times a second, and only while it can be seen; what arrived meanwhile is drawn at once when it is
shown again.
"""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.theme import Theme
from app.training.axes import tiny_text
from app.training.chart_card import ChartCard, Curve
from core.training.metrics import RunMetrics

REDRAW_MS = 100


class ChartGrid(QWidget):
    """Five cards in two columns."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._metrics: RunMetrics | None = None
        self.loss = ChartCard("Training loss", "{:.3f}".format, theme)
        self.loss.setObjectName("lossChart")
        self.validation = ChartCard("Validation loss", "{:.3f}".format, theme)
        self.rate = ChartCard("Learning rate", tiny_text, theme)
        self.norm = ChartCard("Gradient norm", "{:.2f}".format, theme)
        self.speed = ChartCard("Tokens / s", "{:,.0f}".format, theme)
        self.cards = (self.loss, self.validation, self.rate, self.norm, self.speed)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.loss, 0, 0, 1, 2)
        for place, card in enumerate(self.cards[1:]):
            layout.addWidget(card, 1 + place // 2, place % 2)
        for row, stretch in enumerate((4, 3, 3)):
            layout.setRowStretch(row, stretch)
        self._timer = QTimer(self, singleShot=True, interval=REDRAW_MS)
        self._timer.timeout.connect(self._redraw)
        for card in self.cards:
            card.resized.connect(self.schedule)

    def set_metrics(self, metrics: RunMetrics) -> None:
        """Draw this run from now on."""
        self._metrics = metrics
        series = metrics.series
        self.loss.set_curves(
            (
                Curve(series["loss"], lambda tokens: tokens.chart_raw),
                Curve(series["loss_smooth"], lambda tokens: tokens.chart_smooth, smooth=True),
            )
        )
        self.validation.set_curves(
            (Curve(series["validation"], lambda tokens: tokens.chart_second, smooth=True, points=True),)
        )
        self.rate.set_curves((Curve(series["lr"], lambda tokens: tokens.chart_third, smooth=True),))
        self.norm.set_curves((Curve(series["grad_norm"], lambda tokens: tokens.chart_fourth),))
        self.speed.set_curves((Curve(series["tokens_per_second"], lambda tokens: tokens.chart_fourth),))
        self._redraw()

    def schedule(self) -> None:
        """Draw soon; many calls within a tenth of a second are one drawing."""
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.schedule()

    def _redraw(self) -> None:
        if self._metrics is not None:
            last = self._metrics.last_step
            for card in self.cards:
                card.redraw(last)
