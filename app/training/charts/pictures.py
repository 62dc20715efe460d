"""Pictures of widgets for files: sharper than the screen, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from core.errors import UserError

SCALE = 2.0
_MARGIN = 12


def picture_of(parts: Sequence[QWidget], ground: str) -> QImage:
    """These widgets as they are now, also what is scrolled out of sight, on one ground."""
    width = max(part.width() for part in parts) + 2 * _MARGIN
    height = sum(part.height() + _MARGIN for part in parts) + _MARGIN
    picture = QImage(QSize(round(width * SCALE), round(height * SCALE)), QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(SCALE)
    picture.fill(QColor(ground))
    painter = QPainter(picture)
    top = _MARGIN
    for part in parts:
        part.render(painter, QPoint(_MARGIN, top), renderFlags=QWidget.RenderFlag.DrawChildren)
        top += part.height() + _MARGIN
    painter.end()
    return picture


def save_picture(picture: QImage, path: Path) -> str:
    """Write it as PNG and say so; safe on any thread. Raises UserError when it cannot be written."""
    if not picture.save(str(path), "PNG"):
        raise UserError(f"The picture cannot be written to {path}.", "Choose another folder, or free some space.")
    return f"The charts are in {path}."
