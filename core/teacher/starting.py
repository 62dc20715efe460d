"""From a plan to a job that can be started: everything that can be refused before money is spent is refused here.

The job gets copies of its recipe, of what the workspace holds and of its seed, so that it asks the same questions tomorrow, whatever is
edited meanwhile. Nothing runs until `core.jobs.start`.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.golang.toolchain import find as find_toolchain
from core.jobs import JobFolder
from core.jobs.folder import read_job
from core.teacher import hygiene, launching, seeds
from core.teacher.launching import PLAN, affordable, make_folder
from core.teacher.plan import TeacherPlan, plan_from
from core.teacher.recipes import Recipe, find, freeze, load
from core.teacher.terms import to_mapping

KIND = "teacher"
RECIPE, KNOWN = "recipe", "known"


def checked(plan: TeacherPlan, workspace: Path | None) -> Recipe:
    """The recipe of a plan. Raises UserError where they do not fit together."""
    recipe = find(plan.recipe, workspace)
    if recipe.file.source == "none":
        unknown = next((topic for topic in plan.quotas if topic not in recipe.file.topics()), None)
        if unknown is not None:
            known = ", ".join(recipe.file.topics())
            raise UserError(
                f"quotas names “{unknown}”, and the recipe “{recipe.name}” has no such topic.", f"It has: {known}."
            )
    _check_shares(plan, recipe)
    if plan.seeds.folder and not Path(plan.seeds.folder).expanduser().is_dir():
        raise UserError(
            f"seeds.folder is {plan.seeds.folder}, which is no folder.", "Name a folder with Go source files."
        )
    return recipe


def _check_shares(plan: TeacherPlan, recipe: Recipe) -> None:
    for axis, weights in plan.shares.items():
        choices = [one.value for one in recipe.file.axes.get(axis, ())]
        if not choices:
            known = ", ".join(recipe.file.axes) or "none"
            raise UserError(
                f"shares names “{axis}”, and the recipe “{recipe.name}” has no such axis.", f"It has: {known}."
            )
        unknown = next((value for value in weights if value not in choices), None)
        if unknown is not None:
            raise UserError(
                f"shares.{axis} names “{unknown}”, which the recipe “{recipe.name}” does not know.",
                f"It knows: {', '.join(choices)}.",
            )


def launch(plan: TeacherPlan, workspace: Path, connection: sqlite3.Connection) -> JobFolder:
    """Make the job folder of a plan. Raises UserError as `checked` does, when there is no Go toolchain, when its budget is in dollars and its
    model has no price, or when the disk is full."""
    recipe = checked(plan, workspace)
    toolchain = find_toolchain()
    plan = affordable(plan, workspace)
    if plan.seed is None:
        plan = plan.model_copy(update={"seed": secrets.randbelow(2**31)})
    if plan.seeds.folder:
        folder = str(Path(plan.seeds.folder).expanduser().absolute())
        plan = plan.model_copy(update={"seeds": plan.seeds.model_copy(update={"folder": folder})})
    request = {
        "plan": to_mapping(plan),
        "recipe": {"name": recipe.name, "version": recipe.file.version, "digest": recipe.digest, "own": recipe.own},
        "go": toolchain.version.removeprefix("go"),
    }
    return _make(
        plan,
        recipe,
        request,
        workspace,
        connection,
        title=f"{recipe.file.title}: {plan.samples:,} samples of {plan.model}",
        words=("generate", f"{{folder}}/{PLAN}"),
    )


def launch_again(
    job: JobFolder, numbers: Collection[int], workspace: Path, connection: sqlite3.Connection
) -> JobFolder:
    """Make the job folder of a second try at some samples of a job: the same draws by the same recipe, asked anew and paid for anew.

    Raises UserError when the job has no such samples, or as `launch` does.
    """
    asked = read_job(job)
    plan, given = plan_from(asked.request["plan"]), asked.request["recipe"]
    within = asked.request.get("numbers", range(plan.samples))
    wanted = sorted(number for number in set(numbers) if number in within)
    if not wanted:
        raise UserError(
            f"“{asked.title}” has none of these samples.", "Name samples by the numbers that the job gave them."
        )
    recipe = load(job.path / RECIPE, name=given["name"], own=given["own"])
    request = {**asked.request, "go": find_toolchain().version.removeprefix("go"), "numbers": wanted, "again": job.id}
    count = f"{len(wanted):,} sample{'s' if len(wanted) != 1 else ''}"
    return _make(
        plan,
        recipe,
        request,
        workspace,
        connection,
        title=f"{recipe.file.title}: {count} of {plan.model} again",
        words=("retry", job.id, *map(str, wanted)),
        pool=job.path / seeds.FILE,
    )


def _make(
    plan: TeacherPlan,
    recipe: Recipe,
    request: dict[str, Any],
    workspace: Path,
    connection: sqlite3.Connection,
    *,
    title: str,
    words: Sequence[str],
    pool: Path | None = None,
) -> JobFolder:
    """The folder with all that the job reads. pool: what draws start from, where another job has found it already."""

    def fill(job: JobFolder) -> None:
        freeze(recipe, job.path / RECIPE)
        hygiene.write_known(job.path / KNOWN, connection)
        if pool is not None and pool.is_file():
            shutil.copyfile(pool, job.path / seeds.FILE)
        elif recipe.file.source == "sample":
            seeds.write_samples(connection, plan.seeds.query, job.path / seeds.FILE)

    return make_folder(workspace, KIND, plan, request, fill, title=title, words=words)


def resume(job: JobFolder, *, budget_usd: float | None = None, budget_tokens: int | None = None) -> None:
    """Go on where a paused or stopped job was, with another budget where one is given. Raises UserError while it runs or when it is done."""
    launching.resume(job, plan_from, budget_usd, budget_tokens)
