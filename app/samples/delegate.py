"""Paints the cells of the samples table from the row itself: one call a cell, no item roles, no style sheet.

Text sits at the same distance from the edge as in the header. A selected row keeps the colours of its states.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app import fonts
from app.samples.columns import (
    COLUMNS,
    GO,
    STATUS,
    STATUS_TONES,
    TITLE,
    go_word,
    states,
)
from app.samples.model import SampleModel
from app.theme import Theme
from app.widgets.samples.glyphs import GLYPH_TONES, GLYPHS
from core.golang.checker import CHECKS
from core.samples.store import SampleRow

PADDING = 8
_GLYPH_WIDTH = 13
_VCENTER = Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class RowDelegate(QStyledItemDelegate):
    """Attributes: all_selected (every row is drawn as selected: the scope is the whole search)."""

    def __init__(self, model: SampleModel, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self._theme = theme
        self._font = fonts.ui_font()
        self._medium = fonts.ui_font(weight=QFont.Weight.Medium)
        self._metrics = QFontMetrics(self._font)
        self._medium_metrics = QFontMetrics(self._medium)
        self.all_selected = False
        self._take_colours()
        theme.changed.connect(self._take_colours)

    def _take_colours(self) -> None:
        tokens = self._theme.tokens
        self._tones = {tone: QColor(tokens.tone(tone)[0]) for tone in ("dim", "good", "warn", "bad")}
        self._text = QColor(tokens.text)
        self._selection = QColor(tokens.selection)
        self._hair = QColor(tokens.hair)
        self._strips: dict[tuple[str | None, ...], QPixmap] = {}

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        area: QRect = option.rect
        if self.all_selected or option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, self._selection)
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, self._hair)
        row = self._model.row(index.row())
        inside = QRect(area.left() + PADDING, area.top(), area.width() - 2 * PADDING, area.height())
        place = index.column()
        if row is None:
            if place == TITLE:
                self._draw(painter, inside, "This sample is gone.", self._tones["dim"])
        elif place == TITLE:
            self._paint_title(painter, inside, row)
        elif place == GO:
            self._paint_go(painter, inside, row)
        elif place == STATUS:
            self._draw(painter, inside, COLUMNS[place].text(row), self._tones[STATUS_TONES[row.status]])
        else:
            column = COLUMNS[place]
            colour = self._text if column.numeric else self._tones["dim"]
            self._draw(painter, inside, column.text(row), colour, right=column.numeric)

    def _draw(self, painter: QPainter, area: QRect, text: str, colour: QColor, *, right: bool = False) -> None:
        painter.setFont(self._font)
        painter.setPen(colour)
        shown = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(_RIGHT if right else _VCENTER), shown)

    def _paint_title(self, painter: QPainter, area: QRect, row: SampleRow) -> None:
        note = "deleted" if row.deleted else "near copy" if row.duplicate else ""
        room = area.width()
        if note:
            width = self._metrics.horizontalAdvance(note)
            if room > width + 120:
                self._draw(painter, area, note, self._tones["warn"], right=True)
                room -= width + PADDING
        painter.setFont(self._medium)
        painter.setPen(self._tones["dim"] if row.deleted else self._text)
        shown = self._medium_metrics.elidedText(row.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(area.left(), area.top(), room, area.height()), int(_VCENTER), shown)

    def _paint_go(self, painter: QPainter, area: QRect, row: SampleRow) -> None:
        strip = self._strip(states(row.verdict), painter.device().devicePixelRatioF(), area.height())
        painter.drawPixmap(area.left(), area.top(), strip)
        left = area.left() + len(CHECKS) * _GLYPH_WIDTH + 6
        word, tone = go_word(row.verdict)
        self._draw(painter, QRect(left, area.top(), area.right() - left + 1, area.height()), word, self._tones[tone])

    def _strip(self, found: tuple[str | None, ...], scale: float, height: int) -> QPixmap:
        """The five glyphs as a picture: drawing them one by one would be half of a frame."""
        strip = self._strips.get(found)
        if strip is None or strip.devicePixelRatio() != scale:
            strip = QPixmap(round(len(found) * _GLYPH_WIDTH * scale), round(height * scale))
            strip.setDevicePixelRatio(scale)
            strip.fill(Qt.GlobalColor.transparent)
            painter = QPainter(strip)
            painter.setFont(self._font)
            for place, state in enumerate(found):
                painter.setPen(self._tones[GLYPH_TONES[state]])
                cell = QRect(place * _GLYPH_WIDTH, 0, _GLYPH_WIDTH, height)
                painter.drawText(cell, int(Qt.AlignmentFlag.AlignCenter), GLYPHS[state])
            painter.end()
            self._strips[found] = strip
        return strip
