"""The list of teachers' jobs: title, state in a word and a colour, how far it is, what it has cost.

It shows rows and tells which one was chosen; what a job is doing, others find out.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.teacher import words
from app.teacher.jobs_model import Index, JobRow, JobsListModel, RowRole
from app.theme import Theme

ROW_HEIGHT = 58


class JobsList(QListView):
    """Signals: job_selected(job id), when the user or the program chose another one."""

    job_selected = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("teacherJobs")
        self.setAccessibleName("Jobs of the teacher")
        self.jobs = JobsListModel(self)
        self._delegate = _JobDelegate(theme, self)
        self._wanted: str | None = None
        self.setModel(self.jobs)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setMinimumWidth(180)
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        theme.changed.connect(self.viewport().update)

    def set_rows(self, rows: Sequence[JobRow]) -> None:
        """Show these and keep the chosen one chosen; when it is gone, choose its neighbour, at first the topmost."""
        wanted, place = self._wanted, max(0, self.currentIndex().row())
        self.jobs.set_rows(rows)
        if not rows:
            return
        position = self.jobs.position(wanted)
        if position is None:
            position = min(place, len(rows) - 1)
        if self.currentIndex().row() != position:
            self.setCurrentIndex(self.jobs.index(position))

    def select(self, job_id: str) -> None:
        """Choose a job, now or as soon as it appears."""
        self._wanted = job_id
        position = self.jobs.position(job_id)
        if position is not None:
            self.setCurrentIndex(self.jobs.index(position))

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self._wanted = self.jobs.row(current.row()).job.id
            self.job_selected.emit(self._wanted)


class _JobDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(180, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: JobRow = index.data(RowRole)
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
        middle = Qt.AlignmentFlag.AlignVCenter
        elide = Qt.TextElideMode.ElideRight
        painter.setPen(QColor(tokens.text))
        painter.drawText(upper, middle, option.fontMetrics.elidedText(row.job.title, elide, upper.width()))
        word = words.STATES[row.job.state]
        painter.setPen(QColor(tokens.tone(words.TONES.get(row.job.state, ""))[0]))
        painter.drawText(lower, middle, word)
        rest = lower.adjusted(option.fontMetrics.horizontalAdvance(word) + 8, 0, 0, 0)
        painter.setPen(QColor(tokens.dim))
        painter.drawText(rest, middle, option.fontMetrics.elidedText(row.progress_text, elide, rest.width()))
        painter.restore()
