"""The processes that hold models for the playground, shared by its modes: a model that two modes want is loaded once.

Only what the mode in front wants is kept; everything else is unloaded. A base and plain LoRA checkpoints of it share a process and
answer unmerged, in one batch; what the engine refuses to serve so gets a process of its own. Whether models fit into memory together
is told by `weigh`; nothing here keeps anybody from trying.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.playground.model_server import ModelServer
from app.tasks import TaskRunner
from core.errors import UserError
from core.inference import ServerAddress
from core.inference.refusals import ANY
from core.models import Model
from core.models.fitting import needed, too_much
from core.models.grouping import Group, grouped
from core.training import machine
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Served:
    """Where a model answers, and under which name it is asked for there."""

    address: ServerAddress
    name: str = ANY


class ModelServers(QObject):
    """Brings models up and ends them. A model is told apart by its folder.

    Signals: ready(path, Served); waits(path, reason), when another job has the GPU that it needs; failed(path, UserError); unloaded(path), when
    its process has ended for whatever reason. A path is a str.
    """

    ready = Signal(str, object)
    waits = Signal(str, str)
    failed = Signal(str, object)
    unloaded = Signal(str)

    def __init__(self, workspace: Workspace, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._tasks = tasks
        self._servers: list[ModelServer] = []
        self._wanted: list[Model] = []
        self._alone: set[Path] = set()

    def want(self, models: Sequence[Model]) -> None:
        """Bring exactly these up, and unload all others. `ready` follows for each, at once for those that are up already."""
        wanted = self._wanted = list({model.path: model for model in models}.values())
        if len(wanted) < 2:  # nothing to share, so no file is looked into
            self._bring(wanted, [Group(model.path, (model,)) for model in wanted])
            return
        alone = tuple(self._alone)
        self._tasks.run(lambda: grouped(wanted, alone=alone), lambda groups: self._bring(wanted, groups), owner=self)

    def weigh(self, models: Sequence[Model], told: Callable[[UserError | None], object]) -> None:
        """Tell why these do not fit into memory together, or None; what is up and not among them counts as unloaded."""
        wanted, alone = list(models), tuple(self._alone)
        up = [server.group for server in self._servers if server.group is not None and server.address is not None]

        def look() -> UserError | None:
            here = machine.look()
            kept = [group for group in up if any(model in group.models for model in wanted)]
            new = grouped([one for one in wanted if not any(one in group.models for group in kept)], alone=alone)
            free = here.free + sum(map(needed, up))
            return too_much((*kept, *new), free, "GPU memory" if here.gpus else "memory")

        self._tasks.run(look, told, owner=self)

    def served(self, model: Model) -> Served | None:
        """Where a model answers, None while it does not."""
        server = self._holder(model)
        return _served(server, model) if server is not None else None

    def loading(self, model: Model) -> bool:
        """Is it on its way up?"""
        server = self._holder(model)
        return server is not None and server.loading

    def unload(self) -> None:
        """End every process, whatever it is doing."""
        self.want(())

    def _holder(self, model: Model) -> ModelServer | None:
        return next((one for one in self._servers if one.group is not None and model in one.group.models), None)

    def _bring(self, wanted: list[Model], groups: Sequence[Group]) -> None:
        """A process that holds all of a group, and perhaps more, is that group's."""
        if wanted is not self._wanted:
            return
        held: list[tuple[ModelServer, Group]] = []
        new: list[Group] = []
        for group in groups:
            holder = next((one for one in self._servers if _covers(one.group, group)), None)
            held.append((holder, group)) if holder is not None else new.append(group)
        for server in [one for one in self._servers if one not in [kept for kept, _ in held]]:
            server.unload()
        for server, group in held:
            for model in group.models:
                found = _served(server, model)
                if found is not None:
                    self.ready.emit(str(model.path), found)
        for group in new:
            self._start(group)

    def _start(self, group: Group) -> None:
        server = ModelServer(self._workspace, self._tasks, self)
        self._servers.append(server)
        server.ready.connect(lambda _address: self._on_ready(server, group))
        server.waits.connect(lambda reason: self._on_waits(group, reason))
        server.failed.connect(lambda error: self._on_failed(server, group, error))
        server.unloaded.connect(lambda: self._on_unloaded(server, group))
        server.load(group)

    def _on_ready(self, server: ModelServer, group: Group) -> None:
        for model in group.models:
            found = _served(server, model)
            if found is not None and model in self._wanted:
                self.ready.emit(str(model.path), found)

    def _on_waits(self, group: Group, reason: str) -> None:
        for model in group.models:
            self.waits.emit(str(model.path), reason)

    def _on_failed(self, server: ModelServer, group: Group, error: UserError) -> None:
        self._drop(server)
        if group.adapters and not server.was_up:
            named = {model.path for model in group.adapters if str(model.path) in str(error)}
            self._alone |= named or {model.path for model in group.adapters}
            server.unloaded.disconnect()
            self.want(self._wanted)
            return
        for model in group.models:
            self.failed.emit(str(model.path), error)

    def _on_unloaded(self, server: ModelServer, group: Group) -> None:
        self._drop(server)
        for model in group.models:
            if self._holder(model) is None:
                self.unloaded.emit(str(model.path))

    def _drop(self, server: ModelServer) -> None:
        if server in self._servers:
            self._servers.remove(server)
            server.deleteLater()


def _covers(group: Group | None, wanted: Group) -> bool:
    return group is not None and all(model in group.models for model in wanted.models)


def _served(server: ModelServer, model: Model) -> Served | None:
    if server.address is None or server.group is None:
        return None
    return Served(server.address, str(model.path) if model in server.group.adapters else ANY)
