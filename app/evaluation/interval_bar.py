"""A difference and its 95 % interval on a line with zero marked: what lies on one side of zero only is a difference that is shown."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import fonts
from app.theme import Theme

_HEIGHT, _MARGIN, _BAR = 46, 16, 8
_STEPS = (1, 2, 5, 10, 20, 50, 100)


class IntervalBar(QWidget):
    """Shows points of pass@k, better at the right."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[float, float, float] | None = None
        self._tone = ""
        self.setObjectName("compareInterval")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFont(fonts.ui_font(fonts.CAPTION_SIZE))
        theme.changed.connect(self.update)

    def show_difference(self, difference: float, interval: tuple[float, float], tone: str) -> None:
        """In shares, not in points. tone: as in `Tokens.tone`."""
        low, high = (100 * one for one in interval)
        self._shown, self._tone = (100 * difference, low, high), tone
        self.setAccessibleName(f"Difference {100 * difference:+.1f} points, 95 % interval {low:.1f} to {high:.1f}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._shown is None:
            return
        tokens = self._theme.tokens
        difference, low, high = self._shown
        reach = max(abs(low), abs(high), 1.0)
        step = next((one for one in _STEPS if reach / one <= 4), 100)
        most = step * math.ceil(reach / step)
        width = self.width() - 2 * _MARGIN

        def at(points: float) -> float:
            return _MARGIN + (points + most) / (2 * most) * width

        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = 14.0
        for points in range(-most, most + 1, step):
            x = at(points)
            painter.setPen(QPen(QColor(tokens.text if points == 0 else tokens.border), 1.0))
            painter.drawLine(QPointF(x, 2), QPointF(x, 26))
            painter.setPen(QColor(tokens.dim))
            place = QRectF(x - 30, 27, 60, 16)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"{points:+d}" if points else "0")
        strong, soft = tokens.tone(self._tone)
        bar = QRectF(at(low), middle - _BAR / 2, max(2.0, at(high) - at(low)), _BAR)
        painter.setPen(QPen(QColor(strong), 1.2))
        painter.setBrush(QColor(soft))
        painter.drawRoundedRect(bar, 3, 3)
        painter.setBrush(QColor(strong))
        painter.drawEllipse(QPointF(at(difference), middle), 5, 5)
        painter.end()
