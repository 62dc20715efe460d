"""Follows one job while it is looked at: its state and how it gets on, from its folder, and what the workspace holds of it.

Both are read off the GUI thread. It does not matter who started the job or how often the window was closed. How a kind of job is read and
counted, it is told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.jobs import JobFolder, JobInfo, info

POLL_MS = 500

Follow = Callable[[JobFolder], Callable[[], Any]]
"""From a job to what reads how it gets on, called again and again, off the GUI thread, never twice at a time."""
Count = Callable[[sqlite3.Connection, JobFolder, int], tuple[Any, int]]
"""What the workspace holds of a job, and the mark to be handed in next time; the mark begins with 0."""


class JobFeed(QObject):
    """Signals:
    looked(JobInfo, what was followed)   its folder was looked at
    counted(what was counted)            what the workspace holds of it was counted
    """

    looked = Signal(object, object)
    counted = Signal(object)

    def __init__(self, context: AppContext, follow: Follow, count: Count, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._follow = follow
        self._count = count
        self._folder: JobFolder | None = None
        self._poll: Callable[[], Any] | None = None
        self._looking = self._counting = False
        self._stale = False
        self._watched = False
        self._mark = self._number = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self.look)
        context.teacher.taken.connect(self._on_taken)
        context.changed.connect(lambda _changes: self.count())

    @property
    def folder(self) -> JobFolder | None:
        """The job that is shown, None at first."""
        return self._folder

    def show(self, folder: JobFolder) -> None:
        """Follow this job from now on."""
        if self._folder == folder:
            return
        self._folder, self._poll, self._mark = folder, self._follow(folder), 0
        self._looking = self._counting = False
        self._number += 1  # answers that are under way are another job's
        if self._watched:
            self.go_on()

    def go_on(self) -> None:
        """Look again, at once and from now on."""
        self._watched = True
        if self._folder is not None:
            self._timer.start()
            self.look()
            self.count()

    def pause(self) -> None:
        """Stop looking, while nobody looks at the page."""
        self._watched = False
        self._timer.stop()

    def look(self) -> None:
        """Read what is new in the folder, unless that is under way."""
        folder, poll = self._folder, self._poll
        if folder is None or poll is None or self._looking:
            return
        self._looking, number = True, self._number
        self._context.tasks.run(
            lambda: (info(folder), poll()),
            lambda found: self._on_looked(number, *found),
            lambda _error: self._on_gone(number),
            owner=self,
        )

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

    def _on_looked(self, number: int, state: JobInfo, found: object) -> None:
        if number != self._number:
            return
        self._looking = False
        self.looked.emit(state, found)
        if not state.alive:
            self._timer.stop()

    def _on_gone(self, number: int) -> None:
        if number == self._number:
            self._looking = False
            self._timer.stop()

    def _on_counted(self, number: int, found: object, mark: int) -> None:
        if number != self._number:
            return
        self._counting = False
        self._mark = mark
        self.counted.emit(found)
        if self._stale:
            self.count()
