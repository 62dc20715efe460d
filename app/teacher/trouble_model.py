"""Rows of the log of what was not verified: result, reason, topic, number, what was drawn. Grows at its end while a job runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from app.teacher import words
from app.widgets.plain_table import Index, ToneRole, aligned
from core.teacher.statistics import Trouble

HEADINGS = ("Number", "Result", "Reason", "Topic", "Drawn")
RESULT, REASON, DRAWN = 1, 2, 4


class TroubleModel(QAbstractTableModel):
    """All troubles of a job, of which those with the wanted results are rows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[Trouble] = []
        self._rows: list[Trouble] = []
        self._counts: Counter[str] = Counter()
        self._wanted: frozenset[str] = frozenset(words.RESULTS)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(self, place: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[place]
        if way == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return aligned(numeric=place == 0)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._texts(row)[column]
        if role == ToneRole:
            return words.RESULT_TONES.get(row.result, "") if column == RESULT else "dim" if column == DRAWN else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._texts(row)[column] if column >= REASON else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return aligned(numeric=column == 0)
        return None

    def _texts(self, row: Trouble) -> tuple[str, ...]:
        drawn = ", ".join(value for value in row.draw.values() if value)
        return f"{row.number:,}", words.RESULTS.get(row.result, row.result), row.reason, row.topic, drawn

    def restart(self) -> None:
        """Another job: nothing is known yet."""
        self.beginResetModel()
        self._all, self._rows = [], []
        self._counts.clear()
        self.endResetModel()

    def add(self, found: Sequence[Trouble]) -> None:
        """These came; the selection stays."""
        self._all += found
        self._counts.update(one.result for one in found)
        shown = [one for one in found if one.result in self._wanted]
        if shown:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(shown) - 1)
            self._rows += shown
            self.endInsertRows()

    def show_results(self, wanted: Collection[str]) -> None:
        """Only these results are rows."""
        self.beginResetModel()
        self._wanted = frozenset(wanted)
        self._rows = [one for one in self._all if one.result in self._wanted]
        self.endResetModel()

    def counts(self) -> dict[str, int]:
        """How many there are of each result, shown or not."""
        return {result: self._counts[result] for result in words.RESULTS}

    def row(self, position: int) -> Trouble:
        """The trouble in a row."""
        return self._rows[position]
