"""The colours of runs that are drawn over one another: ten that differ in hue and in lightness, then the same ten dashed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

from app.tokens import Tokens

_LIGHT = ("#2F5FD0", "#BE5A14", "#1B6F46", "#A12A7D", "#0F7C8C", "#855900", "#6C48C5", "#B3261E", "#4C7A12", "#5B626A")
_DARK = ("#7AA2F7", "#E39A5B", "#5FBF8F", "#E07BC0", "#57C1D0", "#D9C341", "#B79BF5", "#F0837A", "#A3C95C", "#A0A6AE")
MOST = 2 * len(_LIGHT)


def colour(slot: int, tokens: Tokens) -> str:
    """The colour of the run in this place; 0 is the run that is looked at."""
    palette = _DARK if tokens.dark else _LIGHT
    return palette[slot % len(palette)]


def style(slot: int) -> Qt.PenStyle:
    """Solid, or dashed once the colours come round again."""
    return Qt.PenStyle.SolidLine if slot < len(_LIGHT) else Qt.PenStyle.DashLine


def swatch(slot: int, tokens: Tokens) -> QIcon:
    """A short line as it is drawn in the charts, for the legend."""
    icon = QIcon()
    for scale in (1.0, 2.0):
        picture = QPixmap(round(16 * scale), round(16 * scale))
        picture.setDevicePixelRatio(scale)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        pen = QPen(QColor(colour(slot, tokens)), 3)
        if style(slot) == Qt.PenStyle.DashLine:
            pen.setDashPattern([1.4, 1.2])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(1, 8, 15, 8)
        painter.end()
        icon.addPixmap(picture)
    return icon
