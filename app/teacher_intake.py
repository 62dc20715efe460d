"""Takes what the jobs of teachers and judges write into the workspace: while they run, when they have ended, and what an earlier window left.

Needs no page: samples and scores stream in whatever is in front. Taking in is exactly-once in the core, so this may ask as often as it likes.
"""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.jobs import JobsModel
from app.tasks import TaskRunner
from core.errors import UserError
from core.jobs.status import ENDED, JobInfo

TEACHER, JUDGE = "teacher", "judge"
KINDS = (TEACHER, JUDGE)
_EVERY = 1.0
"""Seconds between two looks at a job that runs: often enough to see samples arrive, seldom enough to stay unnoticed."""


class TeacherIntake(QObject):
    """Signals:
    taken(job id, TakenIn)     something new of a job is in the workspace
    finished(JobInfo)          a job that was seen running has ended, and all of it is in
    failed(UserError)          once a job, until it works again
    """

    taken = Signal(str, object)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, jobs: JobsModel, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._looked: dict[str, float] = {}
        self._under_way: set[str] = set()
        self._ended: dict[str, JobInfo] = {}
        self._seen_running: set[str] = set()
        self._complained: set[str] = set()
        jobs.job_changed.connect(self._on_job_changed)
        jobs.job_ended.connect(self._on_job_ended)

    def _on_job_changed(self, info: JobInfo) -> None:
        if info.kind not in KINDS or info.state in ENDED:
            return
        self._seen_running.add(info.id)
        if time.monotonic() - self._looked.get(info.id, -_EVERY) >= _EVERY:
            self._take(info)

    def _on_job_ended(self, info: JobInfo) -> None:
        if info.kind in KINDS:
            self._ended[info.id] = info
            self._take(info)

    def _take(self, info: JobInfo) -> None:
        """Begin unless it is under way; of a job that has ended, the last one begins after the one under way."""
        if info.id in self._under_way:
            return
        self._under_way.add(info.id)
        self._looked[info.id] = time.monotonic()
        last = self._ended.pop(info.id, None)
        self._tasks.run_db_steps(
            lambda connection: _steps(connection, info),
            lambda taken: self._on_taken(info, last, taken),
            lambda error: self._on_failed(info, error),
            owner=self,
        )

    def _on_taken(self, info: JobInfo, last: JobInfo | None, taken: Any) -> None:
        self._under_way.discard(info.id)
        self._complained.discard(info.id)
        if taken.outcomes:
            self.taken.emit(info.id, taken)
        if info.id in self._ended:
            self._take(self._ended[info.id])
        elif last is not None and info.id in self._seen_running:
            self._seen_running.discard(info.id)
            self.finished.emit(last)

    def _on_failed(self, info: JobInfo, error: UserError) -> None:
        self._under_way.discard(info.id)
        if info.id not in self._complained:
            self._complained.add(info.id)
            self.failed.emit(error)


def _steps(connection: Any, info: JobInfo) -> Any:
    if info.kind == JUDGE:
        from core.teacher.judging import intake as judged  # late: no part of the start

        return judged.take_in_steps(connection, info.folder)
    from core.teacher import intake

    return intake.take_in_steps(connection, info.folder)
