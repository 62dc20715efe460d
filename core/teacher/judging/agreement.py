"""How far a judge agrees with the reviewers: on samples that people have decided on, and whose text the judge has scored.

Reads only. Small numbers are told as such: every figure comes with how many samples it is told from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judged: a model by a version of a rubric. scored: samples whose present text it has scored."""

    model: str
    rubric: str
    rubric_version: int
    scored: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """One judge beside the people. accepted, rejected: samples with that decision and a score; needs_work counts as rejected.

    auc: probability that it scores an accepted sample above a rejected one (ties half), with interval, 95 % (DeLong et al. 1988);
    None where one of the two kinds is missing. threshold: the score from which on accepting agrees best with people, and of several
    such the middle one; kappa: Cohen's (1960) at that threshold, and agreed: the share of samples. baseline: the share that agrees with one who always says
    what is commoner. means: decision -> mean score. histogram: decision -> ten counts, of scores 0-9 … 90-100.
    criteria: criterion -> auc of its points alone.
    """

    judge: Judge
    accepted: int
    rejected: int
    auc: float | None
    interval: tuple[float, float] | None
    threshold: int | None
    kappa: float | None
    agreed: float | None
    baseline: float | None
    means: Mapping[str, float]
    histogram: Mapping[str, tuple[int, ...]]
    criteria: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A sample where the judge and people are furthest apart. decision: of people. score: of the judge."""

    sample: int
    title: str
    decision: str
    score: int
    summary: str


def judges(connection: sqlite3.Connection) -> list[Judge]:
    """All who have scored something that is still there, the latest first."""
    raise NotImplementedError


def agreement(connection: sqlite3.Connection, judge: Judge) -> Agreement:
    """How far it agrees with the reviewers."""
    raise NotImplementedError


def disputes(connection: sqlite3.Connection, judge: Judge, most: int = 50) -> list[Dispute]:
    """Accepted samples with the lowest scores and others with the highest, the widest apart first."""
    raise NotImplementedError
