"""What a judge's job has judged in vain, and why. Reads only; paid or not, each of them was asked."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """A sample that a job gave no score. reason: a sentence."""

    sample: int
    title: str
    reason: str


def failures(connection: sqlite3.Connection, job: str) -> list[Failure]:
    """Those of a job whose samples are there, in the order they came; an edited sample is among them, the job asked about its text of then."""
    rows = connection.execute(
        """
        SELECT j.sample_id, s.title, j.reason FROM judgement j JOIN sample s ON s.id = j.sample_id
        JOIN review r ON r.sample_id = s.id WHERE j.job = ? AND j.score IS NULL AND r.deleted = 0 ORDER BY j.id
        """,
        (job,),
    )
    return [Failure(*row) for row in rows]
