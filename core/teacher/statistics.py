"""What came of a teacher's jobs, counted from what was taken in: by recipe, by reviewer's decision, and what came to nothing and why.

Reads only. Dollars are added up as floating point: for people to read, not to settle accounts with.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from core.teacher.results import Result

NOT_VERIFIED: tuple[Result, ...] = ("failed", "refused", "unverified")


@dataclass(frozen=True, slots=True)
class RecipeRate:
    """All jobs of one recipe. asked: samples that came to a result. accepted: of them, by people. cost_usd: None where no price was known."""

    recipe: str
    asked: int
    verified: int
    unverified: int
    refused: int
    failed: int
    accepted: int
    cost_usd: float | None

    @property
    def rate(self) -> float:
        """Share that was verified."""
        return self.verified / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class Reviews:
    """What people have decided on the samples of a job, its fixes among them. waiting: samples that nobody has decided on."""

    samples: int = 0
    accepted: int = 0
    rejected: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """A sample that was not verified. place: grows with each that is taken in."""

    place: int
    number: int
    result: str
    reason: str
    topic: str
    draw: Mapping[str, str]


def by_recipe(connection: sqlite3.Connection) -> list[RecipeRate]:
    """The pass rate of each recipe over all jobs, the most used first."""
    rows = connection.execute(
        """
        SELECT g.recipe, count(*), sum(g.result = 'verified'), sum(g.result = 'unverified'), sum(g.result = 'refused'),
               sum(g.result = 'failed'), coalesce(sum(r.status = 1 AND r.deleted = 0), 0), sum(CAST(g.cost_usd AS REAL))
        FROM generation g LEFT JOIN review r ON r.sample_id = g.sample_id
        WHERE g.kind = 'sample' GROUP BY g.recipe ORDER BY count(*) DESC, g.recipe
        """
    )
    return [RecipeRate(*row) for row in rows]


def reviews(connection: sqlite3.Connection, job: str) -> Reviews:
    """What people have decided on what a job made."""
    row = connection.execute(
        """
        SELECT count(*), coalesce(sum(r.status = 1), 0), coalesce(sum(r.status = 2), 0), coalesce(sum(r.status = 0), 0)
        FROM generation g JOIN review r ON r.sample_id = g.sample_id WHERE g.job = ? AND r.deleted = 0
        """,
        (job,),
    ).fetchone()
    return Reviews(*row)


def troubles(connection: sqlite3.Connection, job: str, after: int = 0) -> list[Trouble]:
    """What of a job was not verified, taken in later than `after`, in that order."""
    # From a place on, the table itself is read and no index: what is new stands at its end.
    source = "generation NOT INDEXED" if after else "generation"
    rows = connection.execute(
        f"""
        SELECT id, number, result, reason, topic, draw FROM {source}
        WHERE id > ? AND job = ? AND kind = 'sample' AND result <> 'verified' ORDER BY id
        """,
        (after, job),
    )
    return [
        Trouble(place, number, result, reason, topic, json.loads(draw))
        for place, number, result, reason, topic, draw in rows
    ]
