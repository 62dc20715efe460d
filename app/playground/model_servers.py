"""The processes that hold models for the playground, shared by its modes: a model that two modes want is loaded once.

Only what the mode in front wants is kept; everything else is unloaded. Which models fit into memory together is not judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.playground.model_server import ModelServer
from app.tasks import TaskRunner
from core.errors import UserError
from core.inference import ServerAddress
from core.inference.refusals import ANY
from core.models import Model
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Served:
    """Where a model answers, and under which name it is asked for there."""

    address: ServerAddress
    name: str = ANY


class ModelServers(QObject):
    """Brings models up and ends them. A model is told apart by its folder.

    Signals: ready(path, Served); failed(path, UserError); unloaded(path), when its process has ended for whatever reason. A path is a str.
    """

    ready = Signal(str, object)
    failed = Signal(str, object)
    unloaded = Signal(str)

    def __init__(self, workspace: Workspace, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._tasks = tasks
        self._servers: dict[str, ModelServer] = {}

    def want(self, models: Sequence[Model]) -> None:
        """Bring exactly these up, and unload all others. `ready` follows for each, at once for those that are up already."""
        wanted = {str(model.path): model for model in models}
        for path in [path for path in self._servers if path not in wanted]:
            self._servers[path].unload()
        for path, model in wanted.items():
            self._server(path).load(model)

    def served(self, model: Model) -> Served | None:
        """Where a model answers, None while it does not."""
        server = self._servers.get(str(model.path))
        return Served(server.address) if server is not None and server.address is not None else None

    def loading(self, model: Model) -> bool:
        """Is it on its way up?"""
        server = self._servers.get(str(model.path))
        return server is not None and server.loading

    def unload(self) -> None:
        """End every process, whatever it is doing."""
        self.want(())

    def _server(self, path: str) -> ModelServer:
        if path not in self._servers:
            server = self._servers[path] = ModelServer(self._workspace, self._tasks, self)
            server.ready.connect(lambda address: self.ready.emit(path, Served(address)))
            server.failed.connect(lambda error: self._on_failed(path, error))
            server.unloaded.connect(lambda: self._on_unloaded(path))
        return self._servers[path]

    def _on_failed(self, path: str, error: UserError) -> None:
        self.failed.emit(path, error)

    def _on_unloaded(self, path: str) -> None:
        server = self._servers.pop(path, None)
        if server is not None:
            server.deleteLater()
        self.unloaded.emit(path)
