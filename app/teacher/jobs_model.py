"""The rows of the list of teachers' jobs, newest first; an update of one row does not lose the selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.teacher import words
from core.jobs import JobInfo
from core.teacher.judging.pace import JudgeStanding
from core.teacher.pace import Standing

Index = QModelIndex | QPersistentModelIndex
RowRole = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as the list shows it. standing: None before it has said anything."""

    job: JobInfo
    standing: Standing | JudgeStanding | None = None

    @property
    def progress_text(self) -> str:
        """Such as `120 / 300 · $0.38`; empty when nothing is known."""
        if self.standing is None:
            return ""
        parts = [f"{self.standing.done:,} / {self.standing.requested:,}"]
        if self.standing.cost_usd is not None:
            parts.append(words.dollars(self.standing.cost_usd))
        return " · ".join(parts)


class JobsListModel(QAbstractListModel):
    """Rows by position."""

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
            return f"{row.job.title}, {words.STATES[row.job.state]} {row.progress_text}".strip()
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.job.title}\n{row.job.message or row.job.id}"
        return None

    def set_rows(self, rows: Sequence[JobRow]) -> None:
        """Show these. Only what differs is announced."""
        rows = list(rows)
        if [row.job.id for row in rows] != [row.job.id for row in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        for position, (old, new) in enumerate(zip(self._rows, rows, strict=True)):
            if old != new:
                self._rows[position] = new
                self.dataChanged.emit(self.index(position), self.index(position))

    def row(self, position: int) -> JobRow:
        """The row at a position."""
        return self._rows[position]

    def position(self, job_id: str | None) -> int | None:
        """Where a job stands, None when it is not here."""
        return next((place for place, row in enumerate(self._rows) if row.job.id == job_id), None)
