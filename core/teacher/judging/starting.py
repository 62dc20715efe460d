"""From a judge's plan to a job that can be started; what can be refused before money is spent is refused here."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.jobs import JobFolder
from core.teacher.judging.plan import JudgePlan

KIND = "judge"


@dataclass(frozen=True, slots=True)
class Forecast:
    """samples: to be judged; known: left out, because their text was scored by this judge already. cost_usd: None without a price.

    measured: paid judgements that it is calibrated with. sentence: how sure this is. examples: the messages (role, content) of the first three.
    """

    samples: int
    known: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None
    measured: int
    sentence: str
    examples: tuple[tuple[tuple[str, str], ...], ...]


def forecast(plan: JudgePlan, workspace: Path, connection: sqlite3.Connection) -> Forecast:
    """What the plan will ask and about what it will cost. Reads only. Raises UserError as `launch` does."""
    raise NotImplementedError


def launch(plan: JudgePlan, workspace: Path, connection: sqlite3.Connection) -> JobFolder:
    """Make the job folder. Raises UserError when the search is wrong or finds nothing to judge, when the rubric is broken, when the budget is in
    dollars and the model has no price, or when the disk is full."""
    raise NotImplementedError


def resume(job: JobFolder, *, budget_usd: float | None = None, budget_tokens: int | None = None) -> None:
    """Go on where it was, with another budget where one is given. Raises UserError while it runs or when it is done."""
    raise NotImplementedError
