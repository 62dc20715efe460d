"""How far a judge agrees with the reviewers: on samples that people have decided on, and whose text the judge has scored.

Reads only. Small numbers are told as such: every figure comes with how many samples it is told from.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.samples.logistic import area_under_curve, midranks
from core.samples.reviews import kappa
from core.samples.store import STATUSES

if TYPE_CHECKING:
    from core.samples.logistic import Vector

ACCEPTED, REJECTED = "accepted", "rejected"
_Z = 1.959964
"""Of the normal distribution: 95 % lie within so many standard deviations."""
_MIDDLE = 50


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judged: a model by a version of a rubric. scored: samples whose present text it has scored."""

    model: str
    rubric: str
    rubric_version: int
    scored: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """One judge beside the people. accepted, rejected: samples with that decision and a score; needs_work counts as rejected, here and below.

    auc: probability that it scores an accepted sample above a rejected one (ties half), with interval, 95 % (DeLong et al. 1988). threshold: the
    score from which on accepting agrees best with people, and of several such the middle one, chosen on these very samples; kappa: Cohen's (1960)
    at that threshold, and agreed: the share of samples. baseline: the share that agrees with one who always says what is commoner. All of these
    are None where one of the two kinds is missing; the interval also where the scores leave nothing to tell a variance from (one sample of a
    kind, all tied, or all told apart). means: decision -> mean score, where there is one.
    histogram: decision -> ten counts, of scores 0-9 … 90-100. criteria: criterion -> auc of its points alone; {} where one kind is missing.
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
    """A sample where the judge is nearer to the other decision. decision: of people, needs_work as itself. score: of the judge."""

    sample: int
    title: str
    decision: str
    score: int
    summary: str


@dataclass(frozen=True, slots=True)
class _Scored:
    """A sample that is there: what people say of it, and the newest score of its text by one judge."""

    sample: int
    title: str
    decision: str
    score: int
    points: Mapping[str, int]
    summary: str


def judges(connection: sqlite3.Connection) -> list[Judge]:
    """All who have scored something that is still there, the latest first."""
    rows = connection.execute(
        """
        SELECT j.asked_model, j.rubric, j.rubric_version, count(DISTINCT j.version_id)
        FROM judgement j JOIN sample s ON s.version_id = j.version_id JOIN review r ON r.sample_id = s.id
        WHERE j.score IS NOT NULL AND r.deleted = 0 GROUP BY 1, 2, 3 ORDER BY max(j.id) DESC
        """
    )
    return [Judge(*row) for row in rows]


def agreement(connection: sqlite3.Connection, judge: Judge) -> Agreement:
    """How far it agrees with the reviewers."""
    found = _decided(connection, judge)
    scores = {
        decision: [one.score for one in found if (one.decision == ACCEPTED) == (decision == ACCEPTED)]
        for decision in (ACCEPTED, REJECTED)
    }
    accepted, rejected = scores[ACCEPTED], scores[REJECTED]
    both = bool(accepted and rejected)
    auc, interval = _curve(accepted, rejected) if both else (None, None)
    threshold = _threshold(accepted, rejected) if both else None
    said: Counter[tuple[str, str]] = Counter()
    if threshold is not None:
        for decision, given in scores.items():
            said.update((decision, ACCEPTED if score >= threshold else REJECTED) for score in given)
    return Agreement(
        judge=judge,
        accepted=len(accepted),
        rejected=len(rejected),
        auc=auc,
        interval=interval,
        threshold=threshold,
        kappa=kappa(said) if both else None,
        agreed=sum(said[one, one] for one in scores) / len(found) if both else None,
        baseline=max(len(accepted), len(rejected)) / len(found) if both else None,
        means={decision: sum(given) / len(given) for decision, given in scores.items() if given},
        histogram={decision: _histogram(given) for decision, given in scores.items()},
        criteria=_criteria(found) if both else {},
    )


def disputes(connection: sqlite3.Connection, judge: Judge, most: int = 50) -> list[Dispute]:
    """Accepted samples with the lowest scores and others with the highest, the widest apart first; none whose score is on people's side of 50."""
    apart = [(100 - one.score if one.decision == ACCEPTED else one.score, one) for one in _decided(connection, judge)]
    wide = sorted((pair for pair in apart if pair[0] > _MIDDLE), key=lambda pair: (-pair[0], pair[1].sample))
    return [Dispute(one.sample, one.title, one.decision, one.score, one.summary) for _, one in wide[:most]]


def _decided(connection: sqlite3.Connection, judge: Judge) -> list[_Scored]:
    """What people have decided on and the judge has scored, by sample."""
    rows = connection.execute(
        """
        SELECT s.id, s.title, r.status, j.score, j.points, j.summary, max(j.id)
        FROM judgement j JOIN sample s ON s.version_id = j.version_id JOIN review r ON r.sample_id = s.id
        WHERE j.asked_model = ? AND j.rubric = ? AND j.rubric_version = ? AND j.score IS NOT NULL AND r.deleted = 0 AND r.status <> 0
        GROUP BY s.id ORDER BY s.id
        """,  # with max(), SQLite takes the other columns from the newest row
        (judge.model, judge.rubric, judge.rubric_version),
    )
    return [
        _Scored(
            key,
            title,
            STATUSES[status],
            score,
            {one["criterion"]: one["points"] for one in json.loads(points)},
            summary,
        )
        for key, title, status, score, points, summary, _ in rows
    ]


def _curve(accepted: Sequence[float], rejected: Sequence[float]) -> tuple[float, tuple[float, float] | None]:
    """The area under the curve and its interval, computed from ranks (Sun & Xu 2014)."""
    import numpy as np

    scores: Vector = np.array([*accepted, *rejected], dtype=np.float64)
    wanted: Vector = np.repeat([1.0, 0.0], [len(accepted), len(rejected)])
    auc = area_under_curve(scores, wanted)
    if min(len(accepted), len(rejected)) < 2:
        return auc, None
    ranks = midranks(scores)
    above = (ranks[wanted == 1] - midranks(scores[wanted == 1])) / len(rejected)
    below = 1 - (ranks[wanted == 0] - midranks(scores[wanted == 0])) / len(accepted)
    variance = float(above.var(ddof=1)) / len(accepted) + float(below.var(ddof=1)) / len(rejected)
    if variance <= 0:
        return auc, None
    reach = _Z * math.sqrt(variance)
    return auc, (max(0.0, auc - reach), min(1.0, auc + reach))


def _threshold(accepted: Sequence[int], rejected: Sequence[int]) -> int:
    high, low = Counter(accepted), Counter(rejected)
    agreed, counts = len(accepted), []
    for cut in range(101):
        counts.append(agreed)
        agreed += low[cut] - high[cut]
    most = max(counts)
    best = [cut for cut, count in enumerate(counts) if count == most]
    return best[(len(best) - 1) // 2]


def _histogram(scores: Sequence[int]) -> tuple[int, ...]:
    counts = Counter(min(9, score // 10) for score in scores)
    return tuple(counts[bin] for bin in range(10))


def _criteria(found: Sequence[_Scored]) -> dict[str, float]:
    """Of every criterion that all of them have points for."""
    names = [name for name in found[0].points if all(name in one.points for one in found)]
    return {
        name: _curve(
            [one.points[name] for one in found if one.decision == ACCEPTED],
            [one.points[name] for one in found if one.decision != ACCEPTED],
        )[0]
        for name in names
    }
