"""What a student cannot do yet, by topic and difficulty, as work for the teacher: an evaluation becomes quotas and shares of a plan.

Topics and difficulties are all that goes from a suite to a teacher. Prompts, tests, answers and names of problems stay where they are:
what the teacher saw of them, the next evaluation would no longer measure.

How much a group of problems gets goes by what it is estimated to lack. Of m problems f = Σ (1 − c/n) are missing, c of n candidates passing;
r is the share that is missing of the whole suite. The group's own share is drawn towards r as if ATTRACTED more problems had been
asked that went as the suite does: weight = m · (f + ATTRACTED · r) / (m + ATTRACTED). So a topic of two
problems that both fail is not believed to be missing as a whole, and does not take all where little else fails; what passes keeps a little.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import UserError
from core.evaluation.passing import Tally
from core.evaluation.results import Evaluation
from core.teacher.plan import TeacherPlan, plan_from
from core.teacher.recipes import Recipe

ATTRACTED = 2
AXIS = "difficulty"
"""The axis of a recipe that a suite's difficulties steer, where it has one."""
_PERCENT = 100

By = Literal["topic", "difficulty"]


@dataclass(frozen=True, slots=True)
class Need:
    """What is missing of one topic or difficulty. passed, missing: problems, in shares of their candidates; they add up to `problems`.

    weight: as told above. quota: how many samples it gets, of a difficulty percent; 0 where the recipe does not know it (known).
    """

    name: str
    problems: int
    passed: float
    missing: float
    weight: float
    known: bool = True
    quota: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The plan's part that answers an evaluation. notes: what there is to say of it, in sentences."""

    evaluation: str
    recipe: str
    samples: int
    topics: tuple[Need, ...]
    difficulties: tuple[Need, ...]
    quotas: Mapping[str, int]
    shares: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """What it sets in a plan, as plain data; whom to ask and what it may cost is somebody else's choice."""
        return {
            "recipe": self.recipe, "samples": self.samples, "quotas": dict(self.quotas),
            "shares": {axis: dict(weights) for axis, weights in self.shares.items()}, "evaluation": self.evaluation,
        }  # fmt: skip

    def plan(self, model: str, **terms: Any) -> TeacherPlan:
        """The whole plan for this model. terms: more of its fields. Raises UserError for wrong ones."""
        return plan_from({**terms, "model": model, **self.fields()})


def needs(evaluation: Evaluation, by: By) -> tuple[Need, ...]:
    """What is missing by topic or difficulty, the most first; problems that tell none, or whose own answer does not pass, are left out."""
    sound = _sound(evaluation)
    suite = _share([_missing(one) for one in sound])
    groups: dict[str, list[float]] = {}
    for one in sound:
        if name := getattr(one, by):
            groups.setdefault(name, []).append(_missing(one))
    found = []
    for name, each in groups.items():
        missing, count = math.fsum(each), len(each)
        weight = count * (missing + ATTRACTED * suite) / (count + ATTRACTED)
        found.append(Need(name, count, count - missing, missing, weight))
    return tuple(sorted(found, key=lambda one: (-one.weight, one.name)))


def answer(evaluation: Evaluation, job: str, recipe: Recipe, samples: int) -> Answer:
    """What `samples` samples of this recipe should be about, after this evaluation.

    job: the id under which the workspace knows the evaluation, "" where it knows none. Raises UserError when nothing is missing, when the suite
    tells no topics, or when they cannot steer this recipe.
    """
    if recipe.file.source != "none":
        raise UserError(
            f"The recipe “{recipe.name}” takes its topics from what it starts from, so failures cannot steer it.",
            "Choose one that starts from nothing, such as topic-grid.",
        )
    topics = needs(evaluation, "topic")
    sound = _sound(evaluation)
    _something_is_missing(evaluation, sound, topics)
    known = recipe.file.topics()
    if not any(one.missing and one.name in known for one in topics):
        lacking = ", ".join(one.name for one in topics if one.missing)
        raise UserError(
            f"What fails is about {lacking}, and the recipe “{recipe.name}” knows no such topic.",
            f"It has: {', '.join(known)}. Choose another recipe, or edit a copy of this one.",
        )
    shared = _apportioned(topics, known, samples)
    axis = [choice.value for choice in recipe.file.axes.get(AXIS, ())]
    steps = _apportioned(needs(evaluation, "difficulty"), axis, _PERCENT)
    quotas = {**dict.fromkeys(known, 0), **{one.name: one.quota for one in shared if one.known}}
    percent = {one.name: float(one.quota) for one in steps if one.quota}
    return Answer(
        job, recipe.name, samples, shared, steps, quotas, {AXIS: percent} if percent else {},
        tuple(_notes(evaluation, recipe, sound, shared, steps, axis, job)),
    )  # fmt: skip


def _something_is_missing(evaluation: Evaluation, sound: Sequence[Tally], topics: Sequence[Need]) -> None:
    suite = evaluation.origin.suite
    if not sound:
        raise UserError(f"This evaluation of {suite} has no verdict that counts.", "Evaluate again.")
    if not any(_missing(one) for one in sound):
        raise UserError(
            f"Nothing of {suite} fails, so there is nothing to ask a teacher for.",
            "Take a harder suite, or start a plan of your own.",
        )
    if not topics:
        raise UserError(
            f"The problems of {suite} tell no topics, so their failures cannot steer a plan.",
            "Evaluate on a suite that has topics, such as workshop or a private one, or start a plan of your own.",
        )
    if not any(one.missing for one in topics):
        raise UserError(
            f"Only problems without a topic fail in {suite}, so they cannot steer a plan.",
            "Give these problems a topic, or start a plan of your own.",
        )


def _notes(
    evaluation: Evaluation,
    recipe: Recipe,
    sound: Sequence[Tally],
    topics: Sequence[Need],
    difficulties: Sequence[Need],
    axis: Collection[str],
    job: str,
) -> Iterable[str]:
    strange = [one for one in topics if one.missing and not one.known]
    if strange:
        yield (
            f"The recipe “{recipe.name}” has no topic {_listed(one.name for one in strange)}, so what fails there "
            f"({sum(one.missing for one in strange):.3g} of {sum(one.problems for one in strange)} problems) asks for nothing."
        )
    if none := [one for one in topics if one.missing and one.known and not one.quota]:
        yield f"So few samples leave none for {_listed(one.name for one in none)}."
    if without := [one for one in sound if not one.topic and _missing(one)]:
        yield f"{_count(len(without), 'problem')} without a topic {'fails' if len(without) == 1 else 'fail'} and asks for nothing."
    if evaluation.references:
        yield f"{_count(len(evaluation.references), 'problem')} whose own answer does not pass {'is' if len(evaluation.references) == 1 else 'are'} left out."
    hard = [one for one in difficulties if one.missing]
    if hard and not axis:
        yield f"The recipe “{recipe.name}” has no axis “{AXIS}”, so how hard its tasks are is left to it."
    elif strange := [one for one in hard if not one.known]:
        yield f"The recipe “{recipe.name}” knows no difficulty {_listed(one.name for one in strange)}."
    if not job:
        yield "This evaluation is no job of the workspace, so nothing will tell that this plan answers it."


def _sound(evaluation: Evaluation) -> list[Tally]:
    return [one for one in evaluation.tallies if one.n and one.task not in evaluation.references]


def _missing(one: Tally) -> float:
    return 1.0 - one.correct / one.n


def _share(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def _apportioned(found: Sequence[Need], known: Collection[str], whole: int) -> tuple[Need, ...]:
    """`whole` shared out by weight among what is known: by largest remainders, so that it adds up."""
    total = math.fsum(one.weight for one in found if one.name in known)
    exact = [whole * one.weight / total if total and one.name in known else 0.0 for one in found]
    given = [math.floor(one) for one in exact]
    left = whole - sum(given) if total else 0
    order = sorted(range(len(found)), key=lambda at: (given[at] - exact[at], at))
    for at in order[:left]:
        given[at] += 1
    return tuple(
        Need(one.name, one.problems, one.passed, one.missing, one.weight, one.name in known, quota)
        for one, quota in zip(found, given, strict=True)
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
