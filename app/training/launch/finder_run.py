"""Has the engine look for a value, in a job, and passes on what it tells on the way.

The job's folder is worth nothing once the answer was seen, or nobody wants it any more: then the job is ended, and the folder
goes. A search that waits behind a run says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.training.launch.passing_job import PassingJob
from core.errors import UserError
from core.jobs import JobFolder, JobInfo, start
from core.jobs.events import EventTail
from core.training import finders
from core.training.config import RunConfig

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
        self._tail: EventTail | None = None
        self._passing = PassingJob(context, self)
        self._passing.looked.connect(self._on_looked)
        self._passing.ended.connect(self._on_ended)
        self._passing.failed.connect(self.failed)

    def begin(self, question: Question) -> None:
        """Start looking."""
        jobs = self._context.workspace.jobs

        def create() -> JobFolder:
            job = finders.create(question.finder, question.config, question.base, question.snapshot, jobs)
            start(job)
            return job

        self._passing.begin(create)

    def _on_looked(self, job: JobFolder, state: JobInfo) -> None:
        if self._tail is None:
            self._tail = EventTail(job.events)
        self._pass_on(self._tail)
        if state.state == "queued":
            self.told.emit(WAITING)

    def _on_ended(self, job: JobFolder, _state: JobInfo) -> None:
        try:
            found = finders.read(job)
        except UserError as error:
            self.failed.emit(error)
        else:
            self.arrived.emit(found)
        self._passing.clear(job)

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
        self._passing.drop()
