"""The list of runs: name, state in a word and a colour, how far it is, and the course of its loss in miniature.

It shows rows, tells which one was chosen and where a waiting one was dropped; what a run is doing, others find out.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QObject, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.theme import Theme
from app.training.runs_model import WORDS, Index, RowRole, RunRow, RunsModel

__all__ = ["WORDS", "RunRow", "RunsList"]

ROW_HEIGHT = 58


class RunsList(QListView):
    """The runs of a workspace: running, waiting, ended.

    Signals: run_selected(job id), when the user or the program chose another run; move_wanted(job id, before), when a
    waiting run was dropped (see `RunsModel`).
    """

    run_selected = Signal(str)
    move_wanted = Signal(str, str)

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
        self.setDragDropMode(QListView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.runs.move_wanted.connect(self.move_wanted)
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        theme.changed.connect(self.viewport().update)

    def set_rows(self, rows: Sequence[RunRow]) -> None:
        """Show these runs and keep the chosen one chosen; when it is gone, choose its neighbour, at first the topmost."""
        wanted, place = self._wanted, max(0, self.currentIndex().row())
        self.runs.set_rows(rows)
        if not rows:
            return
        position = self.runs.position(wanted) if wanted else None
        if position is None:
            position = min(place, len(rows) - 1)
        if self.currentIndex().row() != position:
            self.setCurrentIndex(self.runs.index(position))

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
