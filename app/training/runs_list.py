"""The list of runs: name, state in a word and a colour, how far it is, and the course of its loss in miniature.

It shows rows and tells which one was chosen; what a run is doing, others find out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.theme import Theme
from core.jobs import JobInfo

Index = QModelIndex | QPersistentModelIndex
WORDS = {
    "queued": "Queued", "running": "Running", "stopping": "Stopping", "done": "Done",
    "stopped": "Stopped", "failed": "Failed", "interrupted": "Interrupted",
}  # fmt: skip
ROW_HEIGHT = 58
RowRole = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the list shows it. spark: some 40 losses over the whole run, oldest first."""

    job: JobInfo
    spark: tuple[float, ...] = ()

    @property
    def progress_text(self) -> str:
        """Such as `120 / 300`; empty when nothing is known."""
        if self.job.step is None:
            return ""
        return f"{self.job.step:,} / {self.job.total:,}" if self.job.total else f"step {self.job.step:,}"


class RunsModel(QAbstractListModel):
    """Rows by position, kept apart from the view so that an update of one row does not lose the selection."""

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
            return row.job.message or row.job.id
        return None

    def set_rows(self, rows: Sequence[RunRow]) -> None:
        """Show these rows. Only what differs is announced, so that selection and scroll position stay."""
        if [row.job.id for row in rows] != [row.job.id for row in self._rows]:
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()
            return
        for position, (old, new) in enumerate(zip(self._rows, rows, strict=True)):
            if old != new:
                self._rows[position] = new
                index = self.index(position)
                self.dataChanged.emit(index, index)

    def row(self, position: int) -> RunRow:
        """The row at a position."""
        return self._rows[position]

    def position(self, job_id: str) -> int | None:
        """Where a run stands, None when it is not here."""
        return next((i for i, row in enumerate(self._rows) if row.job.id == job_id), None)


class RunsList(QListView):
    """The runs of a workspace, newest first.

    Signals: run_selected(job id), when the user or the program chose another run.
    """

    run_selected = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runsList")
        self.setAccessibleName("Runs")
        self.runs = RunsModel(self)
        self._delegate = _RunDelegate(theme, self)
        self._wanted: str | None = None
        self.setModel(self.runs)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        theme.changed.connect(self.viewport().update)

    def set_rows(self, rows: Sequence[RunRow]) -> None:
        """Show these runs and keep the chosen one chosen; with none chosen, choose the newest."""
        wanted = self._wanted
        self.runs.set_rows(rows)
        if not rows:
            return
        position = self.runs.position(wanted) if wanted else 0
        if self.currentIndex().row() != (position or 0):
            self.setCurrentIndex(self.runs.index(position or 0))

    def select(self, job_id: str) -> None:
        """Choose a run, now or as soon as it appears."""
        self._wanted = job_id
        position = self.runs.position(job_id)
        if position is not None:
            self.setCurrentIndex(self.runs.index(position))

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self._wanted = self.runs.row(current.row()).job.id
            self.run_selected.emit(self._wanted)


class _RunDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(180, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: RunRow = index.data(RowRole)
        tokens = self._theme.tokens
        painter.save()
        area = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(tokens.selection))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, QColor(tokens.hover))
        painter.setPen(QColor(tokens.hair))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        inner = area.adjusted(16, 9, -12, -9)
        upper = QRect(inner.left(), inner.top(), inner.width(), 18)
        lower = QRect(inner.left(), inner.bottom() - 17, inner.width(), 18)
        painter.setPen(QColor(tokens.text))
        title = option.fontMetrics.elidedText(row.job.title, Qt.TextElideMode.ElideRight, upper.width())
        painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter, title)
        word = WORDS[row.job.state]
        painter.setPen(QColor(self._state_colour(row.job.state)))
        painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter, word)
        rest = lower.adjusted(option.fontMetrics.horizontalAdvance(word) + 8, 0, 0, 0)
        spark = QRect(lower.right() - 56, lower.top() + 2, 56, 13)
        painter.setPen(QColor(tokens.dim))
        text_width = rest.width() - (64 if len(row.spark) > 1 else 0)
        text = option.fontMetrics.elidedText(row.progress_text, Qt.TextElideMode.ElideRight, text_width)
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, text)
        if len(row.spark) > 1:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(tokens.chart_smooth), 1.2))
            painter.drawPolyline(_spark_line(row.spark, spark))
        painter.restore()

    def _state_colour(self, state: str) -> str:
        tokens = self._theme.tokens
        return {
            "running": tokens.accent, "done": tokens.good, "failed": tokens.bad,
            "interrupted": tokens.warn, "stopping": tokens.warn,
        }.get(state, tokens.dim)  # fmt: skip


def _spark_line(values: Sequence[float], area: QRect) -> QPolygonF:
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    width = area.width() / (len(values) - 1)
    return QPolygonF(
        [
            QPointF(area.left() + i * width, area.bottom() - (value - low) / span * area.height())
            for i, value in enumerate(values)
        ]
    )
