"""Asks what a plan will take, off the GUI thread; only the newest question counts. What draws start from is found once and kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.tasks import Task
from core.errors import UserError
from core.golang.toolchain import find as find_toolchain
from core.teacher import provenance, seeds, starting
from core.teacher.asking.keys import missing_key
from core.teacher.asking.prices import load_prices
from core.teacher.drawing import Seed
from core.teacher.forecast import Forecast, forecast
from core.teacher.plan import TeacherPlan
from core.teacher.recipes import Recipe

if TYPE_CHECKING:
    from core.workspace import Workspace

_SOME = 100
Pools = dict[tuple[str, str, str], list[Seed]]


@dataclass(frozen=True, slots=True)
class Told:
    """plan: what was asked about. key: what is missing to ask this endpoint, None for nothing."""

    plan: TeacherPlan
    forecast: Forecast
    key: UserError | None


class Forecaster(QObject):
    """Signals: told(Told); failed(TeacherPlan, UserError)."""

    told = Signal(object)
    failed = Signal(object, object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._pools: Pools = {}
        self._task: Task | None = None

    def ask(self, plan: TeacherPlan) -> None:
        """`told` or `failed` follows, unless another question comes first."""
        self.drop()
        workspace, pools = self._context.workspace, self._pools
        self._task = self._context.tasks.run(
            lambda: _look(plan, workspace, pools),
            self.told.emit,
            lambda error: self.failed.emit(plan, error),
            owner=self,
        )

    def drop(self) -> None:
        """Want no answer any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


def _look(plan: TeacherPlan, workspace: Workspace, pools: Pools) -> Told:
    recipe = starting.checked(plan, workspace.root)
    toolchain = find_toolchain()
    go = ".".join(toolchain.version.removeprefix("go").split(".")[:2])
    with closing(workspace.connect(readonly=True)) as connection:
        pool = some(recipe, plan, connection, pools)
        spent = provenance.spent(connection, recipe.name, plan.model)
    found = forecast(plan, recipe, go, pool=pool, prices=load_prices(workspace.root), spent=spent)
    return Told(plan, found, missing_key(plan.base_url))


def some(recipe: Recipe, plan: TeacherPlan, connection: sqlite3.Connection, pools: Pools) -> list[Seed]:
    """A few of what draws start from, looked for only once: compiling them takes seconds. Raises UserError when there is none."""
    key = (recipe.file.source, plan.seeds.folder, plan.seeds.query)
    if recipe.file.source != "sample" and key in pools:
        return pools[key]
    tree = Path(plan.seeds.folder).expanduser() if plan.seeds.folder else None
    pools[key] = seeds.some(recipe.file, tree, find_toolchain(), connection, plan.seeds.query, _SOME)
    return pools[key]
