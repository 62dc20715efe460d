"""Rows of the table of generations: a model that was evaluated, what it was trained on, and how it did."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt

from app.widgets.plain_table import Index, ToneRole, aligned
from core.teacher.generations import Row

HEADINGS = ("Gen.", "Model", "pass@1", "95 %", "Snapshot", "Samples", "New", "New from the teacher")
WIDTHS = (46, 0, 68, 106, 88, 68, 52, 150)
_NUMERIC = (2, 5, 6)
_MODEL, _FROM = 1, 7


class GenerationsModel(QAbstractTableModel):
    """Attributes: rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[Row, ...] = ()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these from now on."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(self, place: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[place]
        if way == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return aligned(numeric=place in _NUMERIC)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _texts(row)[column]
        if role == ToneRole:
            return "dim" if not row.there or column in (3, _FROM) else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return _texts(row)[column] if column in (_MODEL, _FROM) else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return aligned(numeric=column in _NUMERIC)
        return None


def _texts(row: Row) -> tuple[str, ...]:
    run = row.run
    low, high = (100 * end for end in row.passes.interval)
    taught: dict[str, int] = {}
    for one in run.taught if run is not None else ():
        for topic, count in one.topics.items():
            taught[topic] = taught.get(topic, 0) + count
    learnt = ", ".join(
        f"{count:,} {topic.replace('_', ' ')}" for topic, count in sorted(taught.items(), key=lambda one: -one[1])
    )
    return (
        f"≥ {row.generation}" if row.at_least else str(row.generation), row.model if row.there else f"{row.model} (deleted)",
        f"{100 * row.passes.value:.1f} %", f"{low:.1f} to {high:.1f}", run.snapshot if run is not None else "",
        _count(run.samples if run is not None else None), _count(run.new if run is not None else None), learnt,
    )  # fmt: skip


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
