"""The rows of a list of jobs; an update of one row loses neither selection nor scroll position.

A job that waits in the queue can be dragged to another place among the waiting, and nowhere else. The model moves nothing itself: the
queue is changed elsewhere, and the next look at the jobs brings the new order here.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.widgets.jobs.job_row import JobRow
from core.jobs.order import LAST

Index = QModelIndex | QPersistentModelIndex
MIME = "application/x-gosmith-job"
RowRole = Qt.ItemDataRole.UserRole


class JobsListModel(QAbstractListModel):
    """Rows by position.

    Signals: move_wanted(job id, before), when a job was dropped: `before` is the id of the one that it shall precede, or LAST.
    """

    move_wanted = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[JobRow] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self._rows[index.row()]
        if role == RowRole:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.job.title}, {row.word} {row.detail}".strip()
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip or None
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        if self._rows[index.row()].job.place is not None:
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        return flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        data.setData(MIME, self._rows[indexes[0].row()].job.id.encode())
        return data

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        waiting = self.waiting()
        inside = bool(waiting) and (waiting[0] <= row <= waiting[-1] + 1 or row < 0)
        return data.hasFormat(MIME) and action == Qt.DropAction.MoveAction and inside

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        if not self.canDropMimeData(data, action, row, column, parent):
            return False
        before = self._rows[row].job.id if row in self.waiting() else LAST
        self.move_wanted.emit(data.data(MIME).toStdString(), before)
        return True

    def waiting(self) -> range:
        """Positions of the rows that wait in the queue, the next one first."""
        places = [position for position, row in enumerate(self._rows) if row.job.place is not None]
        return range(places[0], places[-1] + 1) if places else range(0)

    def set_rows(self, rows: Sequence[JobRow]) -> None:
        """Show these rows in this order. Only what differs is announced."""
        rows = list(rows)
        before, after = [row.job.id for row in self._rows], [row.job.id for row in rows]
        if set(before) != set(after):
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        if before != after:
            self._reorder(after)
        for position, (old, new) in enumerate(zip(self._rows, rows, strict=True)):
            if old != new:
                self._rows[position] = new
                index = self.index(position)
                self.dataChanged.emit(index, index)

    def _reorder(self, ids: list[str]) -> None:
        """The same rows in another order; whoever holds an index keeps its row."""
        self.layoutAboutToBeChanged.emit()
        held = self.persistentIndexList()
        moved = [self.index(ids.index(self._rows[index.row()].job.id)) for index in held]
        self._rows.sort(key=lambda row: ids.index(row.job.id))
        self.changePersistentIndexList(held, moved)
        self.layoutChanged.emit()

    def row(self, position: int) -> JobRow:
        """The row at a position."""
        return self._rows[position]

    def position(self, job_id: str | None) -> int | None:
        """Where a job stands, None when it is not here."""
        return next((place for place, row in enumerate(self._rows) if row.job.id == job_id), None)
