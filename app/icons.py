"""Phosphor icons, tinted by a colour token, behind one function.

The font comes with qtawesome, but qtawesome itself is not imported: that costs 150 ms of the start (it pulls qtpy in and
registers eleven other fonts). Nothing here is animated.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache, lru_cache
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPixmap

_SCALES = (1.0, 2.0)


@cache
def _phosphor() -> tuple[str, dict[str, str]]:
    """The family name as Qt knows it and name -> code point in hexadecimal."""
    found = importlib.util.find_spec("qtawesome")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("qtawesome, which holds the icon font, is not installed")
    folder = Path(found.submodule_search_locations[0]) / "fonts"
    (font,) = folder.glob("phosphor-[0-9]*.ttf")
    (charmap,) = folder.glob("phosphor-charmap-*.json")
    family = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(font)))[0]
    return family, json.loads(charmap.read_text())


@lru_cache(maxsize=512)
def pixmap(name: str, colour: str, size: int = 16, scale: float = 1.0, gap: int = 0) -> QPixmap:
    """One icon; `size` in logical pixels, `scale` device pixels for each of them, `gap` logical pixels of air at its right."""
    family, codes = _phosphor()
    glyph = chr(int(codes[name], 16))
    picture = QPixmap(round((size + gap) * scale), round(size * scale))
    picture.setDevicePixelRatio(scale)
    picture.fill(Qt.GlobalColor.transparent)
    font = QFont(family)
    font.setPixelSize(size)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    painter.drawText(QRectF(0, 0, size, size), Qt.AlignmentFlag.AlignCenter, glyph)
    painter.end()
    return picture


def icon(name: str, colour: str, size: int = 16, gap: int = 0) -> QIcon:
    """A Phosphor icon such as "table" or "x-circle" in this colour. An unknown name is a KeyError.

    gap: air between the icon and the text of a button, `size + gap` being the icon's width.
    """
    result = QIcon()
    for scale in _SCALES:
        result.addPixmap(pixmap(name, colour, size, scale, gap))
    return result
