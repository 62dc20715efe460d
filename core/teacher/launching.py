"""Making and resuming the job folders of those who ask: the budget that counts, the folder whole or not at all, and a resume with another budget."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from core.errors import UserError
from core.jobs import JobFolder, create
from core.jobs import resume as resume_job
from core.jobs.folder import Change, read_job
from core.teacher.asking.budget import no_price
from core.teacher.asking.prices import load_prices
from core.teacher.terms import Terms, save_plan, to_mapping, with_budget

PLAN = "plan.toml"
T = TypeVar("T", bound=Terms)


def affordable(plan: T, workspace: Path) -> T:
    """The plan with the budget that counts. Raises UserError when its budget is in dollars and its model has no price."""
    priced = load_prices(workspace).find(plan.model, date.today()) is not None
    if plan.budget_usd is not None and not priced:
        raise no_price(plan.model)
    return with_budget(plan, priced=priced)


def make_folder(
    workspace: Path,
    kind: str,
    plan: Terms,
    request: dict[str, Any],
    fill: Callable[[JobFolder], None],
    *,
    title: str,
    words: Sequence[str],
) -> JobFolder:
    """The folder of a job with its plan and what `fill` puts into it; nothing is left of one that cannot be filled. words: of `gosmith teacher` that
    do the same again. Raises UserError when the disk is full, and what `fill` raises."""
    job = create(
        workspace / "jobs",
        kind,
        request,
        title=title,
        command=(sys.executable, "-m", "app.cli", "--workspace", str(workspace), "teacher", *words),
    )
    try:
        save_plan(plan, job.path / PLAN)
        fill(job)
    except BaseException as error:
        shutil.rmtree(job.path, ignore_errors=True)
        if isinstance(error, OSError):
            raise UserError(
                f"The job folder {job.path} cannot be written: {error.strerror}.", "Free some space."
            ) from error
        raise
    return job


def resume(
    job: JobFolder, plan_from: Callable[[dict[str, Any]], Terms], budget_usd: float | None, budget_tokens: int | None
) -> None:
    """Go on where a paused or stopped job was, with another budget where one is given. Raises UserError while it runs or when it is done."""
    asked = read_job(job)
    changed: dict[str, Any] = {}
    if budget_usd is not None:
        changed["budget_usd"] = float(budget_usd)
    if budget_tokens is not None:
        changed["budget_tokens"] = budget_tokens
    if not changed:
        resume_job(job)
        return
    plan = plan_from({**asked.request["plan"], **changed})
    resume_job(job, change=Change(asked.processes, asked.resources, {"plan": to_mapping(plan)}))
