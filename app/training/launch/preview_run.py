"""Asks the engine, in a short job, how the first batch looks to the model, and which rows it would refuse.

The code that answers is the code that feeds the training loop, so what is seen is what is trained on. Only the newest
question counts; older ones are stopped.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.training.launch.passing_job import PassingJob
from core.errors import UserError
from core.files import read_json
from core.jobs import JobFolder, JobInfo, create, start
from core.models import Model
from core.training.config import RunConfig
from core.training.config_file import to_mapping


class PreviewRun(QObject):
    """Signals: arrived(content of preview.json); failed(UserError)."""

    arrived = Signal(object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._asked: object = None
        self._passing = PassingJob(context, self)
        self._passing.ended.connect(self._on_ended)
        self._passing.failed.connect(self._on_failed)

    def ask(self, config: RunConfig, model: Model, snapshot: object) -> None:
        """Preview this; nothing happens when it was the last question already."""
        question = (repr(config.data), config.batch.micro, model.path, str(snapshot))
        if question == self._asked:
            return
        self._asked = question
        request = {"config": to_mapping(config), "base": str(model.path), "snapshot": str(snapshot)}

        def begin() -> JobFolder:
            job = create(self._context.workspace.jobs, "preview", request, title="Preview of the first batch")
            start(job)
            return job

        self._passing.begin(begin)

    def _on_ended(self, job: JobFolder, state: JobInfo) -> None:
        preview = read_json(job.output / "preview.json")
        if state.state == "done" and preview is not None:
            self.arrived.emit(preview)
        else:
            self._on_failed(UserError(state.message or "The preview ended without an answer.", state.hint))
        self._passing.clear(job)

    def _on_failed(self, error: UserError) -> None:
        self._asked = None
        self.failed.emit(error)

    def close(self) -> None:
        """Want no more answers."""
        self._passing.drop()
