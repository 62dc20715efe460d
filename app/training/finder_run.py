"""Has the engine look for a value, in a job, and passes on what it tells on the way.

The job's folder is worth nothing once the answer was seen, or nobody wants it any more: then the job is ended, and the folder
goes. A search that waits behind a run says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.errors import UserError
from core.jobs import JobFolder, delete, info, start, stop
from core.jobs.events import EventTail
from core.training import finders
from core.training.config import RunConfig

POLL_MS = 120
WAITING = "Waiting: it starts when what runs now has ended."


@dataclass(frozen=True, slots=True)
class Question:
    """finder: one of `core.training.finders.TITLES`. config: of the run. base, snapshot: folders."""

    finder: str
    config: RunConfig
    base: Path
    snapshot: Path


class FinderRun(QObject):
    """One search.

    Signals: told(sentence); advanced(done, total or None); points_came([(x, y)]); arrived(Finding); failed(UserError).
    """

    told = Signal(str)
    advanced = Signal(int, object)
    points_came = Signal(object)
    arrived = Signal(object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._job: JobFolder | None = None
        self._tail: EventTail | None = None
        self._closed = False
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)

    def begin(self, question: Question) -> None:
        """Start looking."""
        jobs = self._context.workspace.jobs

        def create() -> JobFolder:
            job = finders.create(question.finder, question.config, question.base, question.snapshot, jobs)
            start(job)
            return job

        self._context.tasks.run(create, self._on_started, self._on_failed)

    def _on_started(self, job: JobFolder) -> None:
        if self._closed:
            self._end(job)
            return
        self._job, self._tail = job, EventTail(job.events)
        self._timer.start()

    def _on_failed(self, error: UserError) -> None:
        if not self._closed:
            self.failed.emit(error)

    def _look(self) -> None:
        if self._job is None or self._tail is None:
            return
        state = info(self._job)
        self._pass_on(self._tail)
        if state.state == "queued":
            self.told.emit(WAITING)
        if state.alive:
            return
        job, self._job = self._job, None
        self._timer.stop()
        try:
            found = finders.read(job)
        except UserError as error:
            self.failed.emit(error)
        else:
            self.arrived.emit(found)
        self._end(job)

    def _pass_on(self, tail: EventTail) -> None:
        points = []
        for event in tail.read():
            match event["kind"]:
                case "message":
                    self.told.emit(str(event["text"]))
                case "progress":
                    self.advanced.emit(event["done"], event["total"])
                case "point" if event["y"] is not None:
                    points.append((event["x"], event["y"]))
        if points:
            self.points_came.emit(points)

    def close(self) -> None:
        """End the search; nothing is told any more."""
        self._closed = True
        self._timer.stop()
        job, self._job = self._job, None
        if job is not None:
            self._end(job)

    def _end(self, job: JobFolder) -> None:
        def clear() -> None:
            stop(job, grace=0.0, wait=True)
            delete(job)

        self._context.tasks.run(clear)
