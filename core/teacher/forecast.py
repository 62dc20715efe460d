"""What a plan will ask and about what it will cost, told before anything is sent: real prompts of its first draws, through a tokenizer.

An estimate, and it says so: the tokenizer is the starter's, not the teacher's, and answers are as long as the recipe expects them to be. Once
samples of the same recipe and model have been paid for, what they really took is used instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice

from core.errors import UserError
from core.models.tokens import counter
from core.paths import resources
from core.teacher.asking.prices import PriceTable
from core.teacher.drawing import Draw, Seed, draws
from core.teacher.exchange import Usage
from core.teacher.flow import conversation, rendered
from core.teacher.plan import TeacherPlan
from core.teacher.provenance import Spent
from core.teacher.recipes import PROMPT, Recipe

EXAMPLES = 3
_LOOK_AT = 40
_REPAIRED = 0.25
"""Share of samples that go back once, until it is known better."""
PER_MESSAGE = 4
ENOUGH = 5
"""Samples whose real usage is worth more than the estimate."""


@dataclass(frozen=True, slots=True)
class Example:
    """What would be asked first for sample `number`. messages: (role, content) each. draw: axis -> value."""

    number: int
    topic: str
    draw: Mapping[str, str]
    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """requests and tokens of the whole plan, cost_usd None where no price is known. measured: paid samples it is calibrated with, 0 for none.

    samples: how many are drawn, fewer than the plan's where quotas allow no more. sentence: how sure this is.
    """

    samples: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None
    measured: int
    sentence: str
    examples: tuple[Example, ...]


def forecast(
    plan: TeacherPlan,
    recipe: Recipe,
    go: str,
    *,
    pool: Sequence[Seed] = (),
    prices: PriceTable | None = None,
    spent: Spent | None = None,
) -> Forecast:
    """What the plan will take. pool: some of what it starts from (`seeds.some`). prices: None for no dollars. spent: what earlier samples
    took (`provenance.spent`).

    Raises UserError with file and line for a template that cannot be rendered, and where there is nothing to start from.
    """
    if recipe.file.source != "none" and not pool:
        raise UserError(f"The recipe “{recipe.name}” has nothing to start from.", "See seeds in the plan.")
    seed = plan.seed if plan.seed is not None else 0

    def drawn() -> Iterator[Draw]:
        return draws(recipe.file, seed, plan.samples, plan.quotas, pool, plan.shares)

    some = list(islice(drawn(), _LOOK_AT))
    total = sum(1 for _ in drawn()) if plan.quotas else plan.samples
    if not some:
        raise UserError("The quotas of this plan allow no sample.", "Raise them.")
    if spent is not None and spent.samples >= ENOUGH:
        requests, prompt, completion = spent.requests, spent.prompt, spent.completion
        sentence = f"Calibrated with what {spent.samples:,} samples of this recipe and model have really taken."
        measured = spent.samples
    else:
        requests, prompt, completion = _estimate(recipe, some, go)
        sentence, measured = (
            "An estimate: counted with the starter's tokenizer, with answers as long as the recipe expects them.",
            0,
        )
    usage = Usage(round(total * prompt), round(total * completion))
    return Forecast(
        samples=total,
        requests=round(total * requests),
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        cost_usd=prices.cost(plan.model, usage, date.today(), batch=plan.transport == "batch") if prices else None,
        measured=measured,
        sentence=sentence,
        examples=tuple(_example(recipe, draw, go) for draw in some[:EXAMPLES]),
    )


def _example(recipe: Recipe, draw: Draw, go: str) -> Example:
    messages = next(_questions(recipe, draw, go))
    values = {name: choice.value for name, choice in draw.axes.items()}
    return Example(draw.number, draw.topic, values, tuple((one["role"], one["content"]) for one in messages))


def _questions(recipe: Recipe, draw: Draw, go: str) -> Iterator[Sequence[Mapping[str, str]]]:
    """What would be asked for a draw, as far as it is known before there are answers."""
    file = recipe.file
    code = draw.seed.text if file.instruction is None and draw.seed is not None else ""
    if file.instruction is not None:
        yield conversation(recipe, draw, go, file.instruction.template)
    task = rendered(recipe, draw, go, PROMPT, task="", code=code, test="", words="")
    yield conversation(recipe, draw, go, file.solution.template, task=task, code=code, test="", words="")


def _estimate(recipe: Recipe, some: Sequence[Draw], go: str) -> tuple[float, float, float]:
    """Requests, prompt tokens and completion tokens of a sample, on the average."""
    file = recipe.file
    count = counter(resources() / "starter")
    written = file.instruction.tokens if file.instruction is not None else 0
    answers = file.answers
    first = last = 0
    for draw in some:
        *before, final = [
            sum(count([one["content"] for one in messages])) + PER_MESSAGE * len(messages)
            for messages in _questions(recipe, draw, go)
        ]
        first, last = first + sum(before), last + final + written
    first_mean, last_mean = first / len(some), last / len(some)
    repair = last_mean + file.solution.tokens + 150
    return (
        (1 if written else 0) + answers + _REPAIRED,
        first_mean + answers * last_mean + _REPAIRED * repair,
        written + (answers + _REPAIRED) * file.solution.tokens,
    )
