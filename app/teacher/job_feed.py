"""Follows one job of a teacher's while it is looked at: its state, its course, what people decided on it, what came to nothing.

Course and state are read from its folder, the rest from the workspace, all off the GUI thread. It does not matter who started the
job or how often the window was closed.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.jobs import JobFolder, JobInfo, info
from core.teacher import statistics
from core.teacher.pace import Course, Pace
from core.teacher.statistics import Reviews, Trouble

POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Counted:
    """What the workspace holds of a job. troubles: those that came since the last time."""

    reviews: Reviews
    troubles: tuple[Trouble, ...]


class JobFeed(QObject):
    """Signals:
    looked(JobInfo, Course)    its folder was looked at
    counted(Counted)           its samples were counted; troubles are to be added to those before
    """

    looked = Signal(object, object)
    counted = Signal(object)

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._folder: JobFolder | None = None
        self._pace: Pace | None = None
        self._looking = self._counting = False
        self._stale = False
        self._watched = False
        self._last = self._number = 0
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
        self._folder, self._pace, self._last = folder, Pace(folder.events), 0
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
        folder, pace = self._folder, self._pace
        if folder is None or pace is None or self._looking:
            return
        self._looking, number = True, self._number
        self._context.tasks.run(
            lambda: (info(folder), pace.poll()),
            lambda found: self._on_looked(number, *found),
            lambda _error: self._on_gone(number),
            owner=self,
        )

    def count(self) -> None:
        """Count its samples anew; once more when something changed meanwhile."""
        folder, after, number = self._folder, self._last, self._number
        if folder is None or not self._watched:
            return
        if self._counting:
            self._stale = True
            return
        self._counting, self._stale = True, False

        def work(connection: sqlite3.Connection) -> Counted:
            found = statistics.troubles(connection, folder.id, after)
            return Counted(statistics.reviews(connection, folder.id), tuple(found))

        self._context.tasks.run_query(work, lambda found: self._on_counted(number, found), owner=self)

    def _on_taken(self, job_id: str, _taken: object) -> None:
        if self._folder is not None and job_id == self._folder.id:
            self.count()

    def _on_looked(self, number: int, state: JobInfo, course: Course) -> None:
        if number != self._number:
            return
        self._looking = False
        self.looked.emit(state, course)
        if not state.alive:
            self._timer.stop()

    def _on_gone(self, number: int) -> None:
        if number == self._number:
            self._looking = False
            self._timer.stop()

    def _on_counted(self, number: int, found: Counted) -> None:
        if number != self._number:
            return
        self._counting = False
        if found.troubles:
            self._last = found.troubles[-1].place
        self.counted.emit(found)
        if self._stale:
            self.count()
