"""What a judge said of one text, as a value: points by criterion with the reason of each, and the score they make."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.teacher.exchange import Usage


@dataclass(frozen=True, slots=True)
class Points:
    """Of one criterion, from 1 to the rubric's best. why: the judge's words, said before the number."""

    criterion: str
    points: int
    why: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """score: 0 to 100, the weighted mean of the points; None where there is none, and then reason says why. summary: the judge's, a sentence.

    asked_model: what the plan names; model: what answered. cost_usd: None where no price is known. created: seconds since 1970.
    """

    job: str
    score: int | None
    points: tuple[Points, ...]
    summary: str
    reason: str
    rubric: str
    rubric_version: int
    rubric_digest: str
    asked_model: str
    model: str
    usage: Usage
    seconds: float
    cost_usd: Decimal | None
    created: int
