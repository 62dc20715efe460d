"""Rows of texts that can be sorted by any column, for tables that are read: problems, flips, a leaderboard.

What is chosen stays chosen while rows change places, and the same rows shown again are no news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from app.widgets.plain_table import Index, ToneRole, aligned


@dataclass(frozen=True, slots=True)
class Column:
    """width: in pixels; 0 for the one column that takes what is left. wide: narrower tables than this leave it out."""

    text: str
    width: int
    numeric: bool = False
    wide: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """order: what it is sorted by instead of its text. tone: as in `Tokens.tone`. tip: where the text says not all."""

    text: str
    order: float | None = None
    tone: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """key: what the row is of."""

    key: str
    cells: tuple[Cell, ...]


class RowsModel(QAbstractTableModel):
    """Rows by position, in the order that was asked for last."""

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._given: tuple[Row, ...] = ()
        self._rows: list[Row] = []
        self._by: tuple[int, Qt.SortOrder] = (-1, Qt.SortOrder.AscendingOrder)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, place: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            mark = {Qt.SortOrder.AscendingOrder: " ↑", Qt.SortOrder.DescendingOrder: " ↓"}[self._by[1]]
            return self.columns[place].text + (mark if place == self._by[0] else "")
        return aligned(numeric=self.columns[place].numeric) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        cell, column = self._rows[index.row()].cells[index.column()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.tip or cell.text
        if role == ToneRole:
            return cell.tone
        return aligned(numeric=self.columns[column].numeric) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._by = column, order
        self.layoutAboutToBeChanged.emit()
        held = self.persistentIndexList()
        keys = [self._rows[index.row()].key for index in held]
        self._rows = self._sorted()
        places = {row.key: place for place, row in enumerate(self._rows)}
        moved = [self.index(places[key], index.column()) for key, index in zip(keys, held, strict=True)]
        self.changePersistentIndexList(held, moved)
        self.layoutChanged.emit()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)

    def _sorted(self) -> list[Row]:
        """Rows that are equal stay in the order in which they came; what has no number comes last either way."""
        column, order = self._by
        if column < 0:
            return list(self._given)
        numbers = [row for row in self._given if row.cells[column].order is not None]
        texts = [row for row in self._given if row.cells[column].order is None]
        down = order == Qt.SortOrder.DescendingOrder
        numbers.sort(key=lambda row: row.cells[column].order or 0.0, reverse=down)
        texts.sort(key=lambda row: row.cells[column].text.lower(), reverse=down)
        return numbers + texts

    def show_rows(self, rows: Sequence[Row]) -> bool:
        """Show these; False when they are on show already."""
        if tuple(rows) == self._given:
            return False
        self.beginResetModel()
        self._given = tuple(rows)
        self._rows = self._sorted()
        self.endResetModel()
        return True

    def row(self, position: int) -> Row:
        """The row at a position."""
        return self._rows[position]

    def position(self, key: str) -> int | None:
        """Where a row stands, None when it is not here."""
        return next((place for place, row in enumerate(self._rows) if row.key == key), None)
