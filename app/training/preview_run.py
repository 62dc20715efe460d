"""Asks the engine, in a short job, how the first batch looks to the model, and which rows it would refuse.

The code that answers is the code that feeds the training loop, so what is seen is what is trained on. Only the newest
question counts; older ones are stopped.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.errors import UserError
from core.files import read_json
from core.jobs import JobFolder, JobInfo, create, delete, info, start, stop
from core.models import Model
from core.training.config import RunConfig
from core.training.config_file import to_mapping

POLL_MS = 120


class PreviewRun(QObject):
    """Signals: arrived(content of preview.json); failed(UserError)."""

    arrived = Signal(object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._job: JobFolder | None = None
        self._asked: object = None
        self._number = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)

    def ask(self, config: RunConfig, model: Model, snapshot: object) -> None:
        """Preview this; nothing happens when it was the last question already."""
        question = (repr(config.data), config.batch.micro, model.path, str(snapshot))
        if question == self._asked:
            return
        self._asked = question
        self._drop()
        self._number += 1
        number = self._number
        request = {"config": to_mapping(config), "base": str(model.path), "snapshot": str(snapshot)}

        def begin() -> JobFolder:
            job = create(self._context.workspace.jobs, "preview", request, title="Preview of the first batch")
            start(job)
            return job

        self._context.tasks.run(begin, lambda job: self._on_started(number, job), self.failed.emit, owner=self)

    def _on_started(self, number: int, job: JobFolder) -> None:
        if number != self._number:
            self._end(job)
            return
        self._job = job
        self._timer.start()

    def _look(self) -> None:
        if self._job is None:
            return
        state: JobInfo = info(self._job)
        if state.alive:
            return
        job, self._job = self._job, None
        self._timer.stop()
        preview = read_json(job.output / "preview.json")
        if state.state == "done" and preview is not None:
            self.arrived.emit(preview)
        else:
            self._asked = None
            self.failed.emit(UserError(state.message or "The preview ended without an answer.", state.hint))
        self._end(job)

    def close(self) -> None:
        """Want no more answers."""
        self._number += 1
        self._drop()

    def _drop(self) -> None:
        job, self._job = self._job, None
        self._timer.stop()
        if job is not None:
            self._end(job)

    def _end(self, job: JobFolder) -> None:
        """Stop it if need be and remove its folder: a preview is worth nothing once it was seen."""

        def clear() -> None:
            stop(job, grace=0.0, wait=True)
            delete(job)

        self._context.tasks.run(clear)
