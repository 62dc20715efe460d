"""A short job of the launch dialog: started, watched, and gone with its folder once its answer was seen or nobody wants it any more.

What is asked and what the answer means is the business of who uses it. Only the newest question counts.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.errors import UserError
from core.jobs import JobFolder, delete, info, stop

POLL_MS = 120


class PassingJob(QObject):
    """Whoever hears `ended` reads the answer and then calls `clear`; whoever owns this calls `drop` at the end.

    Signals: looked(JobFolder, JobInfo), at each look, also the last; ended(JobFolder, JobInfo); failed(UserError), when it could
    not be started.
    """

    looked = Signal(object, object)
    ended = Signal(object, object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._job: JobFolder | None = None
        self._number = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)

    def begin(self, start: Callable[[], JobFolder]) -> None:
        """Have `start` make and start a job off the GUI thread, instead of the one before. It may raise UserError."""
        self.drop()
        number = self._number
        self._context.tasks.run(
            start, lambda job: self._on_started(number, job), lambda error: self._on_failed(number, error)
        )

    def drop(self) -> None:
        """Want no answer any more."""
        self._number += 1
        job, self._job = self._job, None
        self._timer.stop()
        if job is not None:
            self.clear(job)

    def clear(self, job: JobFolder) -> None:
        """Stop a job if need be, and remove its folder."""

        def end() -> None:
            stop(job, grace=0.0, wait=True)
            delete(job)

        self._context.tasks.run(end)

    def _on_started(self, number: int, job: JobFolder) -> None:
        if number != self._number:
            self.clear(job)
            return
        self._job = job
        self._timer.start()

    def _on_failed(self, number: int, error: UserError) -> None:
        if number == self._number:
            self.failed.emit(error)

    def _look(self) -> None:
        if self._job is None:
            return
        job, state = self._job, info(self._job)
        self.looked.emit(job, state)
        if state.alive or self._job is None:
            return
        self._job = None
        self._timer.stop()
        self.ended.emit(job, state)
