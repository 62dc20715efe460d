"""The process that holds the model: a `serve` job, one at a time, started when it is needed and ended when it is not.

Unloading a model is ending its process. The job ends itself when it has been idle, or when the window is gone.
"""

from __future__ import annotations

import json
import os

from PySide6.QtCore import QObject, QTimer, Signal

from app.tasks import TaskRunner
from core.errors import UserError
from core.inference import ServerAddress
from core.jobs import JobFolder, create, gpus, info, start, stop
from core.models import Model
from core.workspace import Workspace

POLL_MS = 80
IDLE_SECONDS = 15 * 60


class ModelServer(QObject):
    """Brings a model up and tells where it answers.

    Signals: ready(ServerAddress); waits(reason), when another job has the GPU that it needs; failed(UserError); unloaded(), when its
    process has ended for whatever reason.
    """

    ready = Signal(object)
    waits = Signal(str)
    failed = Signal(object)
    unloaded = Signal()

    def __init__(self, workspace: Workspace, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._tasks = tasks
        self._job: JobFolder | None = None
        self._model: Model | None = None
        self._address: ServerAddress | None = None
        self._reason = ""
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)

    @property
    def address(self) -> ServerAddress | None:
        """Where the model answers, None while there is none."""
        return self._address

    @property
    def loading(self) -> bool:
        """Is a model on its way up?"""
        return self._model is not None and self._address is None

    def load(self, model: Model) -> None:
        """Bring this model up; `ready` follows at once when it is up already."""
        if self._model is not None and self._model.path == model.path:
            if self._address is not None:
                self.ready.emit(self._address)
            return
        self.unload()
        self._model, self._reason = model, ""
        request = {
            "model": str(model.path),
            "name": model.name,
            "port": 0,
            "idle_seconds": IDLE_SECONDS,
            "client_pid": os.getpid(),
        }

        def begin() -> JobFolder:
            resources = gpus.one_shared(gpus.count())
            job = create(self._workspace.jobs, "serve", request, title=f"Serve {model.name}", resources=resources)
            start(job)
            return job

        self._tasks.run(begin, lambda job: self._on_started(model, job), self._on_failed, owner=self)

    def unload(self) -> None:
        """End the model's process, whatever it is doing."""
        job, self._job = self._job, None
        was_up = self._model is not None
        self._model = self._address = None
        self._timer.stop()
        if job is not None:
            self._tasks.run(lambda: stop(job, grace=0.0), owner=self)
        if was_up:
            self.unloaded.emit()

    def _on_started(self, model: Model, job: JobFolder) -> None:
        if self._model is not model:
            self._tasks.run(lambda: stop(job, grace=0.0), owner=self)
            return
        self._job = job
        self._timer.start()

    def _on_failed(self, error: UserError) -> None:
        self._model = None
        self._timer.stop()
        self.failed.emit(error)

    def _look(self) -> None:
        """A `stat` or two each time: is it up, is it still there?"""
        if self._job is None:
            return
        if self._address is None:
            try:
                server = json.loads((self._job.output / "server.json").read_text(encoding="utf-8"))
            except (FileNotFoundError, ValueError):
                server = None
            if server is not None:
                self._address = ServerAddress(server["url"], server["key"])
                self._timer.setInterval(1000)
                self.ready.emit(self._address)
                return
        state = info(self._job)
        if state.alive:
            if state.state == "queued" and state.message != self._reason:
                self._reason = state.message
                self.waits.emit(state.message)
            return
        was_ready = self._address is not None
        self._job = self._model = self._address = None
        self._timer.stop()
        self._timer.setInterval(POLL_MS)
        if state.state in ("failed", "interrupted") or not was_ready:
            self.failed.emit(UserError(state.message or "The model's process ended.", state.hint))
        self.unloaded.emit()
