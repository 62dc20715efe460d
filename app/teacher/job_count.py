"""What the workspace holds of one job, counted again whenever something of it may have changed, off the GUI thread and never twice at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from core.jobs import JobFolder

Count = Callable[[sqlite3.Connection, JobFolder, int], tuple[Any, int]]
"""What the workspace holds of a job, and the mark to be handed in next time; the mark begins with 0."""


class JobCount(QObject):
    """Signals: counted(what was counted)."""

    counted = Signal(object)

    def __init__(self, context: AppContext, count: Count, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._count = count
        self._folder: JobFolder | None = None
        self._counting = self._stale = self._watched = False
        self._mark = self._number = 0
        context.teacher.taken.connect(self._on_taken)
        context.changed.connect(lambda _changes: self.count())

    def show(self, folder: JobFolder) -> None:
        """Count this job from now on."""
        self._folder, self._mark, self._counting = folder, 0, False
        self._number += 1  # counts that are under way are another job's
        self.count()

    def go_on(self) -> None:
        """Count now, and whenever there is a reason."""
        self._watched = True
        self.count()

    def pause(self) -> None:
        """Count no more, while nobody looks at the page."""
        self._watched = False

    def count(self) -> None:
        """Count anew; once more when something changed meanwhile."""
        folder, mark, number, count = self._folder, self._mark, self._number, self._count
        if folder is None or not self._watched:
            return
        if self._counting:
            self._stale = True
            return
        self._counting, self._stale = True, False
        self._context.tasks.run_query(
            lambda connection: count(connection, folder, mark),
            lambda found: self._on_counted(number, *found),
            owner=self,
        )

    def _on_taken(self, job_id: str, _taken: object) -> None:
        if self._folder is not None and job_id == self._folder.id:
            self.count()

    def _on_counted(self, number: int, found: object, mark: int) -> None:
        if number != self._number:
            return
        self._counting = False
        self._mark = mark
        self.counted.emit(found)
        if self._stale:
            self.count()
