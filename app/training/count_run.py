"""Has a step's memory counted in a short job, for the forecast that stands in the dialog; older questions are dropped."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.errors import UserError
from core.jobs import JobFolder, JobInfo, create, delete, info, start, stop
from core.models import Model
from core.training import exact
from core.training.config import RunConfig
from core.training.planned import Plan

POLL_MS = 200


class CountRun(QObject):
    """Signals: arrived(core.training.exact.Exact); failed(UserError)."""

    arrived = Signal(object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._job: JobFolder | None = None
        self._asked: tuple[RunConfig, Model, Plan] | None = None
        self._number = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)

    def ask(self, config: RunConfig, model: Model, plan: Plan) -> None:
        """Count this."""
        self.drop()
        self._asked = (config, model, plan)
        number = self._number

        def begin() -> JobFolder:
            job = create(self._context.workspace.jobs, "count", exact.question(config, model, plan), title=exact.TITLE)
            start(job)
            return job

        self._context.tasks.run(begin, lambda job: self._on_started(number, job), self._on_failed, owner=self)

    def drop(self) -> None:
        """Want no answer any more."""
        self._number += 1
        self._asked = None
        job, self._job = self._job, None
        self._timer.stop()
        if job is not None:
            self._end(job)

    def _on_started(self, number: int, job: JobFolder) -> None:
        if number != self._number:
            self._end(job)
            return
        self._job = job
        self._timer.start()

    def _look(self) -> None:
        if self._job is None or self._asked is None:
            return
        state: JobInfo = info(self._job)
        if state.alive:
            return
        job, self._job = self._job, None
        self._timer.stop()
        if state.state == "done":
            config, model, plan = self._asked
            self._context.tasks.run(
                lambda: exact.answer(job, config, model, plan),
                lambda found: self._on_found(job, found),
                self._on_failed,
                owner=self,
            )
            return
        self._on_failed(UserError(state.message or "The count ended without an answer.", state.hint))
        self._end(job)

    def _on_found(self, job: JobFolder, found: exact.Exact) -> None:
        self.arrived.emit(found)
        self._end(job)

    def _on_failed(self, error: UserError) -> None:
        self.failed.emit(error)

    def _end(self, job: JobFolder) -> None:
        """Stop it if need be and remove its folder: its answer is a line in the dialog."""

        def clear() -> None:
            stop(job, grace=0.0, wait=True)
            delete(job)

        self._context.tasks.run(clear)
