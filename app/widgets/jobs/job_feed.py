"""Follows one job while it is looked at: its state and how it gets on, from its folder.

All of it is read off the GUI thread, and never twice at a time. It does not matter who started the job or how often the window was closed. How a
kind of job is read, it is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.tasks import TaskRunner
from core.jobs import JobFolder, JobInfo, info

POLL_MS = 500

Follow = Callable[[JobFolder], Callable[[], Any]]
"""From a job to what reads how it gets on, called again and again, off the GUI thread, never twice at a time."""


class JobFeed(QObject):
    """Attributes: watched, does anybody look?

    Signals: looked(JobInfo, what was followed), its folder was looked at.
    """

    looked = Signal(object, object)

    def __init__(self, tasks: TaskRunner, follow: Follow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._follow = follow
        self._folder: JobFolder | None = None
        self._poll: Callable[[], Any] | None = None
        self._looking = False
        self.watched = False
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self.look)

    @property
    def folder(self) -> JobFolder | None:
        """The job that is shown, None at first."""
        return self._folder

    def show(self, folder: JobFolder) -> bool:
        """Follow this job from now on; False when it is followed already."""
        if self._folder == folder:
            return False
        self._folder, self._poll, self._looking = folder, self._follow(folder), False
        if self.watched:
            self.go_on()
        return True

    def go_on(self) -> None:
        """Look again, at once and from now on."""
        self.watched = True
        if self._folder is not None:
            self._timer.start()
            self.look()

    def pause(self) -> None:
        """Stop looking, while nobody looks at the page."""
        self.watched = False
        self._timer.stop()

    def look(self) -> None:
        """Read what is new in the folder, unless that is under way."""
        folder, poll = self._folder, self._poll
        if folder is None or poll is None or self._looking:
            return
        self._looking = True
        self._tasks.run(
            lambda: (info(folder), poll()),
            lambda found: self._on_looked(poll, *found),
            lambda _error: self._on_gone(poll),
            owner=self,
        )

    def _on_looked(self, poll: Callable[[], Any], state: JobInfo, found: object) -> None:
        if poll is not self._poll:  # another job's
            return
        self._looking = False
        self.looked.emit(state, found)
        if not state.alive:
            self._timer.stop()

    def _on_gone(self, poll: Callable[[], Any]) -> None:
        if poll is self._poll:
            self._looking = False
            self._timer.stop()
