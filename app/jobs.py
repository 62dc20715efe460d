"""The jobs of the workspace as the window sees them: looked at three times a second, never owned.

The folders are read on a pool thread, one look at a time. Closing the window changes nothing for
any job, and at the next start the same folders tell the same story.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.tasks import Task, TaskRunner
from core.jobs.control import prune
from core.jobs.status import ENDED, JobInfo, JobWatcher

_POLL_MS = 350
_IDLE_MS = 1_500
_PASSING, _PASSING_KEPT = ("serve", "preview", "find", "count"), 5
"""Kinds of jobs whose folders are worth nothing once they have ended; a few are kept for their logs."""


class JobsModel(QObject):
    """A list of `JobInfo`, newest first.

    Signals:
        updated()            the list was read and something in it differs
        job_changed(info)    a job is new, or its state, step or message changed
        job_ended(info)      a job came to its end while we looked, or had ended before the window opened (once per start)
    """

    updated = Signal()
    job_changed = Signal(object)
    job_ended = Signal(object)

    def __init__(self, folder: Path, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watcher = JobWatcher(folder)
        self._tasks = tasks
        self._jobs: dict[str, JobInfo] = {}
        self._reading: Task | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)

    @property
    def jobs(self) -> tuple[JobInfo, ...]:
        """All jobs, newest first, as of the last look."""
        return tuple(self._jobs.values())

    def job(self, job_id: str) -> JobInfo | None:
        """One job by its id."""
        return self._jobs.get(job_id)

    def running(self, kind: str = "") -> tuple[JobInfo, ...]:
        """Jobs that have not ended: those at work, then those that wait; the newest of each first."""
        found = (info for info in self._jobs.values() if info.alive and kind in ("", info.kind))
        return tuple(sorted(found, key=lambda info: info.state == "queued"))

    def start(self) -> None:
        """Look now and keep looking; first clear away what nobody will ask for again."""
        self._tasks.run(lambda: prune(self._watcher.jobs_dir, _PASSING, _PASSING_KEPT), owner=self)
        self.refresh()

    def refresh(self) -> None:
        """Look now, unless a look is under way."""
        if self._reading is None:
            self._reading = self._tasks.run(self._watcher.poll, self._on_read, owner=self)

    def close(self) -> None:
        """Stop looking."""
        self._timer.stop()
        if self._reading is not None:
            self._reading.cancel()

    def _on_read(self, found: list[JobInfo]) -> None:
        self._reading = None
        before = self._jobs
        self._jobs = {info.id: info for info in found}
        changed = [info for info in found if before.get(info.id) != info]
        for info in changed:
            self.job_changed.emit(info)
            if info.state in ENDED and (info.id not in before or before[info.id].state not in ENDED):
                self.job_ended.emit(info)
        if changed or len(before) != len(self._jobs):
            self.updated.emit()
        self._timer.start(_POLL_MS if any(info.alive for info in found) else _IDLE_MS)
