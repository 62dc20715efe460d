"""A list of jobs: what each is called, its state in a word and a colour, how far it is.

It shows rows, tells which one was chosen and where a waiting one was dropped; what a job is doing, others find out.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QListView, QWidget

from app.theme import Theme
from app.widgets.jobs.job_delegate import JobDelegate
from app.widgets.jobs.job_row import JobRow
from app.widgets.jobs.jobs_list_model import JobsListModel


class JobsList(QListView):
    """Attributes: rows (the model).

    Signals: job_selected(job id), when the user or the program chose another one; move_wanted(job id, before), see `JobsListModel`.
    """

    job_selected = Signal(str)
    move_wanted = Signal(str, str)

    def __init__(self, theme: Theme, *, name: str, title: str, parent: QWidget | None = None) -> None:
        """name: objectName. title: what these jobs are, for assistive technology."""
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.rows = JobsListModel(self)
        self._delegate = JobDelegate(theme, self)
        self._wanted: str | None = None
        self.setModel(self.rows)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setDragDropMode(QListView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setMinimumWidth(180)
        self.rows.move_wanted.connect(self.move_wanted)
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        theme.changed.connect(self.viewport().update)

    def set_rows(self, rows: Sequence[JobRow]) -> None:
        """Show these and keep the chosen one chosen; when it is gone, choose its neighbour, at first the topmost."""
        wanted, place = self._wanted, max(0, self.currentIndex().row())
        self.rows.set_rows(rows)
        if not rows:
            return
        position = self.rows.position(wanted)
        if position is None:
            position = min(place, len(rows) - 1)
        if self.currentIndex().row() != position:
            self.setCurrentIndex(self.rows.index(position))

    def select(self, job_id: str) -> None:
        """Choose a job, now or as soon as it appears."""
        self._wanted = job_id
        position = self.rows.position(job_id)
        if position is not None:
            self.setCurrentIndex(self.rows.index(position))

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self._wanted = self.rows.row(current.row()).job.id
            self.job_selected.emit(self._wanted)
