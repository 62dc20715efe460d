"""A bench for a mode without processes of its own: servers that are up already, at addresses that a test gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from app.playground.mode import Bench
from app.playground.model_list import ModelList
from app.playground.model_servers import ModelServers, Served
from app.widgets.banner import Banner
from core.errors import UserError
from core.inference import ServerAddress
from core.models import Model
from core.paths import resources


class StandingServers(QObject):
    """`ModelServers` without processes: a model that is wanted is up as soon as Qt comes to it.

    elsewhere: where models answer that `addresses` does not name. addresses: by a model's folder; broken: what is said of one that does not
    come up. heavy: what is said when models are weighed. wanted: names, a list for each time.
    """

    ready = Signal(str, object)
    waits = Signal(str, str)
    failed = Signal(str, object)
    unloaded = Signal(str)

    def __init__(self, elsewhere: Served | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.addresses: dict[str, Served] = {}
        self.broken: dict[str, UserError] = {}
        self.heavy: UserError | None = None
        self.wanted: list[list[str]] = []
        self._elsewhere = elsewhere
        self._up: dict[str, Served] = {}
        self._coming: set[str] = set()

    def want(self, models: Sequence[Model]) -> None:
        self.wanted.append([model.name for model in models])
        paths = {str(model.path) for model in models}
        for gone in self._up.keys() - paths:
            del self._up[gone]
            self.unloaded.emit(gone)
        self._coming = paths - self._up.keys()
        for path in [str(model.path) for model in models]:
            if path in self._up:
                self.ready.emit(path, self._up[path])
            else:
                QTimer.singleShot(0, self, lambda path=path: self._bring(path))

    def weigh(self, models: Sequence[Model], told: Callable[[UserError | None], object]) -> None:
        told(self.heavy)

    def served(self, model: Model) -> Served | None:
        return self._up.get(str(model.path))

    def loading(self, model: Model) -> bool:
        return str(model.path) in self._coming

    def unload(self) -> None:
        self.want(())

    def _bring(self, path: str) -> None:
        if path not in self._coming:
            return
        self._coming.discard(path)
        if path in self.broken:
            self.failed.emit(path, self.broken[path])
            return
        found = self.addresses.get(path, self._elsewhere)
        assert found is not None, path
        self._up[path] = found
        self.ready.emit(path, found)


def stand(bench: Bench) -> StandingServers:
    """The servers of a bench of `make_bench`."""
    return cast(StandingServers, bench.servers)


def make_bench(context: AppContext, addresses: dict[str, Served | ServerAddress]) -> Bench:
    """Models of these names, each in a folder that is called so. Delete its `models`, `servers` and `banner`, or give them a parent."""
    servers = StandingServers()
    listed = ModelList(context)
    listed.models = [Model(name, Path("/models") / name, "base") for name in addresses]
    listed.refresh = lambda: None  # type: ignore[method-assign]  # no folder is looked into
    for name, address in addresses.items():
        servers.addresses[str(Path("/models") / name)] = address if isinstance(address, Served) else Served(address)
    return Bench(context, listed, cast(ModelServers, servers), Banner(context.theme))


@contextmanager
def starter(**beside: Path) -> Iterator[ServerAddress]:
    """The starter in a process of its own, with adapters beside it."""
    words = [word for name, folder in beside.items() for word in ("--beside", f"{name}={folder}")]
    command = [sys.executable, "-m", "core.engine.serve", "--model", str(resources() / "starter"), *words]
    environment = {**os.environ, "GOSMITH_API_KEY": "key"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        assert process.stdout is not None
        try:
            yield ServerAddress(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()
