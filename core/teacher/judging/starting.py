"""From a judge's plan to a job that can be started; what can be refused before money is spent is refused here.

The job gets copies of its rubric and of the texts, so that it asks the same questions tomorrow, whatever is edited meanwhile. Nothing runs
until `core.jobs.start`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from core.database import still
from core.errors import UserError
from core.jobs import JobFolder
from core.models.tokens import counter
from core.paths import resources
from core.teacher import launching
from core.teacher.asking.prices import load_prices
from core.teacher.exchange import Usage
from core.teacher.forecast import ENOUGH, EXAMPLES, PER_MESSAGE
from core.teacher.judging import items, rubrics
from core.teacher.judging.flow import question
from core.teacher.judging.items import Choice
from core.teacher.judging.judgement import spent
from core.teacher.judging.plan import JudgePlan, plan_from
from core.teacher.judging.rubrics import Rubric
from core.teacher.launching import PLAN, affordable, make_folder
from core.teacher.terms import to_mapping

KIND = "judge"
RUBRIC = "rubric"
_LOOK_AT = 40


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
    plan, rubric = affordable(plan, workspace), _rubric(plan, workspace)
    with still(connection):
        chosen = _chosen(connection, plan, rubric)
        total = len(chosen.ids)
        first = [question(item, rubric) for item in items.read(connection, chosen.ids[:EXAMPLES])]
        step = max(1, total // _LOOK_AT)
        some = [question(item, rubric) for item in items.read(connection, chosen.ids[::step][:_LOOK_AT])]
        paid = spent(connection, plan.model, rubric.digest)
    if paid is not None and paid.samples >= ENOUGH:
        prompt, completion, measured = paid.prompt, paid.completion, paid.samples
        sentence = f"Calibrated with what {measured:,} judgements by this rubric and model have really taken."
    else:
        prompt, completion, measured = _tokens(some), float(rubric.file.tokens), 0
        sentence = "An estimate: counted with the starter's tokenizer, with answers as long as the rubric expects them, each asked for once."
    usage = Usage(round(total * prompt), round(total * completion))
    return Forecast(
        samples=total,
        known=chosen.known,
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        cost_usd=load_prices(workspace).cost(plan.model, usage, date.today(), batch=plan.transport == "batch"),
        measured=measured,
        sentence=sentence,
        examples=tuple(tuple((one["role"], one["content"]) for one in messages) for messages in first),
    )


def launch(plan: JudgePlan, workspace: Path, connection: sqlite3.Connection) -> JobFolder:
    """Make the job folder. Raises UserError when the search is wrong or finds nothing to judge, when the rubric is broken, when the budget is in
    dollars and the model has no price, or when the disk is full."""
    plan, rubric = affordable(plan, workspace), _rubric(plan, workspace)
    with still(connection):
        chosen = _chosen(connection, plan, rubric)
        for item in items.read(connection, chosen.ids[:1]):
            question(item, rubric)  # a template that cannot be rendered is found here

        def fill(job: JobFolder) -> None:
            rubrics.freeze(rubric, job.path / RUBRIC)
            items.write(items.read(connection, chosen.ids), job.path / items.FILE)

        request = {
            "plan": to_mapping(plan),
            "rubric": {
                "name": rubric.name, "version": rubric.file.version, "digest": rubric.digest, "own": rubric.own,
            },
            "items": len(chosen.ids),
        }  # fmt: skip
        count = f"{len(chosen.ids):,} sample{'s' if len(chosen.ids) != 1 else ''}"
        title = f"{rubric.file.title}: {count} judged by {plan.model}"
        return make_folder(workspace, KIND, plan, request, fill, title=title, words=("judge", f"{{folder}}/{PLAN}"))


def resume(job: JobFolder, *, budget_usd: float | None = None, budget_tokens: int | None = None) -> None:
    """Go on where it was, with another budget where one is given. Raises UserError while it runs or when it is done."""
    launching.resume(job, plan_from, budget_usd, budget_tokens)


def _rubric(plan: JudgePlan, workspace: Path) -> Rubric:
    """The rubric of a plan; what it says of an answer of no use is tried here, because a job may spend much before it needs that."""
    rubric = rubrics.find(plan.rubric, workspace)
    rubric.render(rubrics.AGAIN, words="")
    return rubric


def _chosen(connection: sqlite3.Connection, plan: JudgePlan, rubric: Rubric) -> Choice:
    found = items.choose(connection, plan, rubric.digest)
    if found.ids:
        return found
    if found.known:
        raise UserError(
            f"Nothing is left to judge: {plan.model} has scored all that “{plan.query}” finds ({found.known:,}) by this rubric.",
            "Set again = true to have it scored once more, or search for something else.",
        )
    raise UserError(f"“{plan.query}” finds no sample to judge.", "Try the search in the samples table.")


def _tokens(questions: Sequence[Sequence[dict[str, str]]]) -> float:
    """Of a prompt, on the average."""
    count = counter(resources() / "starter")
    return sum(
        sum(count([one["content"] for one in messages])) + PER_MESSAGE * len(messages) for messages in questions
    ) / len(questions)
