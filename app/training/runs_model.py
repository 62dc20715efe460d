"""The rows of the list of runs: what runs, then who waits in the order of the queue, then what has ended, newest first.

A waiting run can be dragged to another place among the waiting, and nowhere else. The model moves nothing itself: the
queue is changed elsewhere, and the next look at the jobs brings the new order here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from core.jobs import JobInfo
from core.jobs.clock import clock_text
from core.jobs.order import LAST

Index = QModelIndex | QPersistentModelIndex
WORDS = {
    "queued": "Queued", "running": "Running", "stopping": "Stopping", "done": "Done",
    "stopped": "Stopped", "failed": "Failed", "interrupted": "Interrupted",
}  # fmt: skip
MIME = "application/x-gosmith-run"
RowRole = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the list shows it. spark: some 40 losses over the whole run, oldest first."""

    job: JobInfo
    spark: tuple[float, ...] = ()

    @property
    def progress_text(self) -> str:
        """Such as `120 / 300`, `next`, `3rd in the queue` or `starts at 22:00`; empty when nothing is known."""
        if self.job.not_before is not None:
            return f"starts at {clock_text(self.job.not_before, time.time())}"
        if self.job.place is not None:
            return "next" if self.job.place == 1 else f"{_ordinal(self.job.place)} in the queue"
        if self.job.step is None:
            return ""
        return f"{self.job.step:,} / {self.job.total:,}" if self.job.total else f"step {self.job.step:,}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def reading_order(rows: Sequence[RunRow]) -> list[RunRow]:
    """Rows as they are shown; `rows` are newest first, as everywhere."""

    def key(row: RunRow) -> tuple[int, float]:
        job = row.job
        if job.state in ("running", "stopping"):
            return 0, 0.0
        if job.place is not None:
            return 1, job.place
        if job.state == "queued":
            return 2, job.not_before or 0.0
        return 3, 0.0

    return sorted(rows, key=key)


class RunsModel(QAbstractListModel):
    """Rows by position, kept apart from the view so that an update of one row does not lose the selection.

    Signals: move_wanted(job id, before), when a run was dropped: `before` is the id of the run that it shall precede, or LAST.
    """

    move_wanted = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[RunRow] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self._rows[index.row()]
        if role == RowRole:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.job.title}, {WORDS[row.job.state]} {row.progress_text}".strip()
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(row.job)
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

    def set_rows(self, rows: Sequence[RunRow]) -> None:
        """Show these rows. Only what differs is announced, so that selection and scroll position stay."""
        rows = reading_order(rows)
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

    def row(self, position: int) -> RunRow:
        """The row at a position."""
        return self._rows[position]

    def position(self, job_id: str) -> int | None:
        """Where a run stands, None when it is not here."""
        return next((i for i, row in enumerate(self._rows) if row.job.id == job_id), None)


def _tip(job: JobInfo) -> str:
    lines = [job.message or job.id]
    if job.leases:
        lines.append(f"Holds {', '.join(job.leases)}; process {job.pid}.")
    if job.place is not None:
        lines.append("Drag it, or press Alt+Up and Alt+Down, to change its place.")
    return "\n".join(lines)
