"""What a plan of a teacher's will take: its forecast, with all that it needs from recipe, samples and prices. Slow; for no GUI thread."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from app.teacher.plan_draft import Told
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


def look(plan: TeacherPlan, workspace: Workspace, pools: Pools) -> Told[TeacherPlan, Forecast]:
    """The forecast of a plan; pools: what `some` has found so far. Raises UserError as `starting.checked` does."""
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
