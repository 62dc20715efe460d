"""The table's model: the ordered ids of a search, and the rows that are on the screen.

A million samples are 8 MB of ids; rows are read by id in blocks when they are painted (0.2 ms a screenful), so the scroll bar is
exact and any order costs the same. There is no proxy model, no `fetchMore`, and no `flags()` in Python: each of them makes
large tables unusable.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.samples.columns import COLUMNS, GO, go_sentence
from core.samples.store import SampleRow

BLOCK = 128
BLOCKS_KEPT = 256

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_NO_INDEX = QModelIndex()


class SampleModel(QAbstractTableModel):
    """Attributes: ids (the search's result, in order)."""

    def __init__(
        self, fetch: Callable[[Sequence[int]], Sequence[SampleRow | None]], parent: QObject | None = None
    ) -> None:
        """fetch: rows of ids, in their order, None where a sample is gone."""
        super().__init__(parent)
        self._fetch = fetch
        self._blocks: OrderedDict[int, Sequence[SampleRow | None]] = OrderedDict()
        self.ids: array[int] = array("q")

    def set_ids(self, ids: array[int]) -> None:
        """Show another result."""
        self.beginResetModel()
        self.ids = ids
        self._blocks.clear()
        self.endResetModel()

    def go_on(self, ids: array[int]) -> bool:
        """Show the whole of a result whose beginning is on show; selection and place stay. False when it began otherwise."""
        shown = len(self.ids)
        if ids[:shown] != self.ids:
            return False
        if len(ids) > shown:
            self.beginInsertRows(QModelIndex(), shown, len(ids) - 1)
            self.ids = ids
            if shown % BLOCK:
                self._blocks.pop(shown // BLOCK, None)
            self.endInsertRows()
        return True

    def refresh(self, ids: Sequence[int] | None) -> None:
        """Read these rows again when they are next painted; None: all of them. Order and selection stay."""
        if ids is None:
            self._blocks.clear()
        else:
            touched = set(ids)
            stale = [
                number
                for number, rows in self._blocks.items()
                if any(row is not None and row.id in touched for row in rows)
            ]
            for number in stale:
                del self._blocks[number]
        if len(self.ids):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.ids) - 1, len(COLUMNS) - 1))

    def row(self, position: int) -> SampleRow | None:
        """The sample at a row of the table; None if it is gone since the search ran."""
        number, offset = divmod(position, BLOCK)
        rows = self._blocks.get(number)
        if rows is None:
            rows = self._fetch(self.ids[number * BLOCK : (number + 1) * BLOCK])
            self._blocks[number] = rows
            if len(self._blocks) > BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        return rows[offset]

    def position(self, sample_id: int) -> int | None:
        """The row of the table that shows this sample."""
        try:
            return self.ids.index(sample_id)
        except ValueError:
            return None

    def rowCount(self, parent: _Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.ids)

    def columnCount(self, parent: _Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> object:
        if role not in (_Role.DisplayRole, _Role.ToolTipRole, _Role.AccessibleTextRole, _Role.TextAlignmentRole):
            return None
        column = COLUMNS[index.column()]
        if role == _Role.TextAlignmentRole:
            return int(_RIGHT if column.numeric else _LEFT)
        row = self.row(index.row())
        if row is None:
            return "" if role == _Role.DisplayRole else None
        if index.column() == GO and role != _Role.DisplayRole:
            return go_sentence(row.verdict)
        return column.text(row)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == _Role.DisplayRole:
            return column.title
        if role == _Role.TextAlignmentRole:
            return int(_RIGHT if column.numeric else _LEFT)
        if role == _Role.ToolTipRole:
            return column.tip or None
        return None
