"""Has a step's memory counted in a short job, for the forecast that stands in the dialog; older questions are dropped."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.training.launch.passing_job import PassingJob
from core.errors import UserError
from core.jobs import JobFolder, JobInfo, create, start
from core.models import Model
from core.training import exact
from core.training.config import RunConfig
from core.training.planned import Plan


class CountRun(QObject):
    """Signals: arrived(core.training.exact.Exact); failed(UserError)."""

    arrived = Signal(object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._asked: tuple[RunConfig, Model, Plan] | None = None
        self._passing = PassingJob(context, self)
        self._passing.ended.connect(self._on_ended)
        self._passing.failed.connect(self.failed)

    def ask(self, config: RunConfig, model: Model, plan: Plan) -> None:
        """Count this."""
        self._asked = (config, model, plan)

        def begin() -> JobFolder:
            job = create(self._context.workspace.jobs, "count", exact.question(config, model, plan), title=exact.TITLE)
            start(job)
            return job

        self._passing.begin(begin)

    def drop(self) -> None:
        """Want no answer any more."""
        self._asked = None
        self._passing.drop()

    def _on_ended(self, job: JobFolder, state: JobInfo) -> None:
        if self._asked is not None and state.state == "done":
            config, model, plan = self._asked
            self._context.tasks.run(
                lambda: exact.answer(job, config, model, plan),
                lambda found: self._on_found(job, found),
                self.failed.emit,
                owner=self,
            )
            return
        self.failed.emit(UserError(state.message or "The count ended without an answer.", state.hint))
        self._passing.clear(job)

    def _on_found(self, job: JobFolder, found: exact.Exact) -> None:
        self.arrived.emit(found)
        self._passing.clear(job)
