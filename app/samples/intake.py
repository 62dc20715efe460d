"""Takes the verdicts of check jobs into the workspace, while they run and when they have ended, also those of an earlier window.

Taking in is exactly-once in the core, so this may ask as often as it likes.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from core.errors import UserError
from core.jobs.status import ENDED, JobInfo
from core.samples import checking
from core.samples.checking import Summary

_EVERY = 1.0
"""Seconds between two looks at a job that runs: often enough to see verdicts arrive, seldom enough to stay unnoticed."""


class Intake(QObject):
    """Signals:
    progressed(JobInfo)            a check that runs has moved
    finished(JobInfo, Summary)     a check that was seen running has ended and all its verdicts are in
    failed(UserError)
    """

    progressed = Signal(object)
    finished = Signal(object, object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._taken: dict[str, float] = {}
        self._seen_running: set[str] = set()
        context.jobs.job_changed.connect(self._on_job_changed)
        context.jobs.job_ended.connect(self._on_job_ended)

    def _on_job_changed(self, info: JobInfo) -> None:
        if info.kind != "check" or info.state in ENDED:
            return
        self._seen_running.add(info.id)
        self.progressed.emit(info)
        if time.monotonic() - self._taken.get(info.id, 0.0) >= _EVERY:
            self._taken[info.id] = time.monotonic()
            self._take(info)

    def _on_job_ended(self, info: JobInfo) -> None:
        if info.kind == "check":
            self._take(info, last=True)

    def _take(self, info: JobInfo, *, last: bool = False) -> None:
        self._context.tasks.run_db(
            lambda connection: checking.take_in(connection, info.folder),
            self._context.report,
            self._on_failed,
            owner=self,
        )
        if last and info.id in self._seen_running:
            self._seen_running.discard(info.id)
            self._taken.pop(info.id, None)
            # On the writing lane, hence after the verdicts are in.
            self._context.tasks.run_db(
                lambda _connection: checking.summary(info.folder),
                lambda summary: self._on_summary(info, summary),
                self._on_failed,
                owner=self,
            )

    def _on_failed(self, error: UserError) -> None:
        self.failed.emit(error)

    def _on_summary(self, info: JobInfo, summary: Summary) -> None:
        self.finished.emit(info, summary)
