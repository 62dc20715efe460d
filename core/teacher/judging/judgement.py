"""What a judge said of one text: points by criterion with the reason of each, and the score they make. Reads only; `intake` writes."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from decimal import Decimal

from core.teacher.exchange import Usage
from core.teacher.provenance import Spent, Turn, turns_from


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


_COLUMNS = """
    j.job, j.score, j.points, j.summary, j.reason, j.rubric, j.rubric_version, j.rubric_digest, j.asked_model, j.model, j.prompt_tokens,
    j.completion_tokens, j.cached_tokens, j.reasoning_tokens, j.seconds, j.cost_usd, j.created
"""
_OF_SAMPLE = "judgement j JOIN sample s ON s.version_id = j.version_id WHERE s.id = ?"


def judgements(connection: sqlite3.Connection, sample_id: int) -> list[Judgement]:
    """What was said of a sample's present text, the newest first; failed ones too."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM {_OF_SAMPLE} ORDER BY j.id DESC", (sample_id,))
    return [
        Judgement(
            job, score, tuple(Points(**one) for one in json.loads(points)), summary, reason, rubric, version, digest, asked, model,
            Usage(prompt, completion, cached, reasoning), seconds, None if cost is None else Decimal(cost), created,
        )
        for (
            job, score, points, summary, reason, rubric, version, digest, asked, model, prompt, completion, cached, reasoning, seconds, cost,
            created,
        ) in rows
    ]  # fmt: skip


def conversation(connection: sqlite3.Connection, sample_id: int, job: str) -> tuple[Turn, ...]:
    """What a job asked about a sample's present text and what was answered; () where it did not. A turn's stage is judge or again."""
    row = connection.execute(f"SELECT j.conversation FROM {_OF_SAMPLE} AND j.job = ?", (sample_id, job)).fetchone()
    return () if row is None else turns_from(row[0])


def judged_by(connection: sqlite3.Connection, model: str, digest: str) -> set[int]:
    """Samples whose present text this model has scored by the rubric with this digest."""
    found = connection.execute(
        """
        SELECT s.id FROM judgement j JOIN sample s ON s.version_id = j.version_id
        WHERE j.asked_model = ? AND j.rubric_digest = ? AND j.score IS NOT NULL
        """,
        (model, digest),
    )
    return {key for (key,) in found}


def spent(connection: sqlite3.Connection, model: str, digest: str) -> Spent | None:
    """What judgements by this model and rubric have taken on the average; None before there are any. kept: the share that has a score."""
    row = connection.execute(
        """
        SELECT count(*), avg(requests), avg(prompt_tokens), avg(completion_tokens), avg(score IS NOT NULL)
        FROM judgement WHERE asked_model = ? AND rubric_digest = ? AND requests > 0
        """,
        (model, digest),
    ).fetchone()
    return Spent(*row) if row[0] else None
