"""A calm table of rows to read and choose: how those of the Teacher page look, and the delegate that draws them."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from app.theme import Theme

Index = QModelIndex | QPersistentModelIndex
ToneRole = Qt.ItemDataRole.UserRole + 1
"""What a model says of a cell besides its text: its tone, as in `Tokens.tone`; "" for plain text."""
_PADDING = 8


def plain_table(
    table: QTableView, model: QAbstractTableModel, theme: Theme, *, name: str, says: str, widths: tuple[int, ...]
) -> None:
    """Set a table up. says: its accessible name. widths: of its columns; the one with 0 takes what is left."""
    table.setObjectName(name)
    table.setAccessibleName(says)
    table.setModel(model)
    table.setItemDelegate(_RowDelegate(theme, table))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(32)
    header = table.horizontalHeader()
    header.setSelectionModel(QItemSelectionModel(model, header))  # see samples.table
    header.setHighlightSections(False)
    header.setFixedHeight(32)
    header.setAccessibleName("Columns")
    for column, width in enumerate(widths):
        if width:
            header.resizeSection(column, width)
        else:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)


def aligned(*, numeric: bool) -> int:
    """How a cell and its heading are aligned."""
    side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)


class _RowDelegate(QStyledItemDelegate):
    """Draws cells in line with their headings, in their tone whether the row is selected or not."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = self._theme.tokens
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(tokens.selection))
        painter.setPen(QColor(tokens.hair))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        tone = index.data(ToneRole)
        painter.setPen(QColor(tokens.tone(tone)[0] if tone else tokens.text))
        area = option.rect.adjusted(_PADDING, 0, -_PADDING, 0)
        text = option.fontMetrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, index.data(Qt.ItemDataRole.TextAlignmentRole), text)
        painter.restore()
