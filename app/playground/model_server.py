"""A process that holds a model, or a base and checkpoints beside it: a `serve` job, started when it is needed and ended when it is not.

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
from core.models.grouping import Group
from core.workspace import Workspace

POLL_MS = 80
IDLE_SECONDS = 15 * 60


class ModelServer(QObject):
    """Brings a model up and tells where it answers. Attributes: was_up, has it ever answered?

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
        self._group: Group | None = None
        self._address: ServerAddress | None = None
        self._reason = ""
        self.was_up = False
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)

    @property
    def address(self) -> ServerAddress | None:
        """Where the model answers, None while there is none."""
        return self._address

    @property
    def group(self) -> Group | None:
        """What answers here or is on its way up, None while nothing is."""
        return self._group

    @property
    def loading(self) -> bool:
        """Is a model on its way up?"""
        return self._group is not None and self._address is None

    def load(self, group: Group) -> None:
        """Bring these up; `ready` follows at once when they are up already."""
        if self._group == group:
            if self._address is not None:
                self.ready.emit(self._address)
            return
        self.unload()
        self._group, self._reason = group, ""
        names = [model.name for model in group.models]
        request = {
            "model": str(group.root),
            "name": next((model.name for model in group.models if model.path == group.root), group.root.name),
            "port": 0,
            "idle_seconds": IDLE_SECONDS,
            "client_pid": os.getpid(),
            "adapters": {str(model.path): str(model.path) for model in group.adapters},
        }
        title = f"Serve {', '.join(names)}"

        def begin() -> JobFolder:
            job = create(self._workspace.jobs, "serve", request, title=title, resources=gpus.one_shared(gpus.count()))
            start(job)
            return job

        # without an owner: a process whose starter is gone by then must still be ended
        self._tasks.run(begin, lambda job: self._on_started(group, job), lambda error: self._on_failed(group, error))

    def unload(self) -> None:
        """End the model's process, whatever it is doing."""
        job, self._job = self._job, None
        was_up = self._group is not None
        self._group = self._address = None
        self._timer.stop()
        if job is not None:
            self._tasks.run(lambda: stop(job, grace=0.0), owner=self)
        if was_up:
            self.unloaded.emit()

    def _on_started(self, group: Group, job: JobFolder) -> None:
        if self._group is not group:
            self._tasks.run(lambda: stop(job, grace=0.0))
            return
        self._job = job
        self._timer.start()

    def _on_failed(self, group: Group, error: UserError) -> None:
        if self._group is not group:
            return
        self._group = None
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
                self.was_up = True
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
        self._job = self._group = self._address = None
        self._timer.stop()
        self._timer.setInterval(POLL_MS)
        if state.state in ("failed", "interrupted") or not was_ready:
            self.failed.emit(UserError(state.message or "The model's process ended.", state.hint))
        self.unloaded.emit()
