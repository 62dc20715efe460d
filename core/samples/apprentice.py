"""The reviewer's apprentice: learns from accepted and rejected samples so far how likely the rest would be accepted.

Its score is advice: it decides nothing, and it says how good it is on decisions that it has not seen. Near copies never stand on both
sides of that test. Edited samples lose their score, because it was given to another text.
"""

from __future__ import annotations

import random
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.changes import Changes
from core.database import transaction
from core.errors import UserError
from core.samples import features, logistic
from core.samples.query import Query, ids, parse

if TYPE_CHECKING:
    import numpy as np

LEAST = 20
"""Accepted and rejected samples, each, that it needs to learn from."""
_MOST = 20_000
_FOLDS = 5
_CHUNK = 1_000
_NAMED = 8

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What it learnt from, and how good it is on decisions it had not seen (five-fold cross-validation).

    auc: probability that it scores an accepted sample above a rejected one. accuracy: share of decisions it would have made alike;
    baseline: the same for one who always says what is commoner. speaks_for, speaks_against: what weighs most, in words.
    """

    accepted: int
    rejected: int
    auc: float
    accuracy: float
    baseline: float
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Apprentice:
    """One that has learnt."""

    report: Report
    fit: logistic.Fit


def learn(connection: sqlite3.Connection, *, seed: int = 7, progress: Progress | None = None) -> Apprentice:
    """Learn from all decisions, or from 20,000 drawn of them. Only reads. Raises UserError when there are too few."""
    import numpy as np

    accepted, rejected = (list(ids(connection, parse(f"status:{status}"))) for status in ("accepted", "rejected"))
    if min(len(accepted), len(rejected)) < LEAST:
        raise UserError(
            f"There are {len(accepted):,} accepted and {len(rejected):,} rejected samples: too few to learn from.",
            f"Decide on more; {LEAST} of each are the least.",
        )
    drawn = sorted([*accepted, *rejected])
    if len(drawn) > _MOST:
        drawn = sorted(random.Random(seed).sample(drawn, _MOST))
    good = set(accepted)
    wanted = np.array([float(key in good) for key in drawn])
    rows = np.concatenate([matrix for matrix, _ in _matrices(connection, drawn, progress)])
    folds = np.array(_folds(connection, drawn, seed))
    unseen = np.zeros(len(drawn))
    for fold in range(_FOLDS):
        held = folds == fold
        if held.any() and not held.all():
            unseen[held] = logistic.fit(rows[~held], wanted[~held]).probability(rows[held])
    final = logistic.fit(rows, wanted)
    share = float(wanted.mean())
    names = features.names(connection, drawn[:: max(1, len(drawn) // 2_000)])
    report = Report(
        accepted=int(wanted.sum()),
        rejected=len(drawn) - int(wanted.sum()),
        auc=logistic.area_under_curve(unseen, wanted),
        accuracy=float(((unseen >= 0.5) == (wanted == 1)).mean()),
        baseline=max(share, 1 - share),
        speaks_for=_most(final.weights, names, 1),
        speaks_against=_most(final.weights, names, -1),
    )
    return Apprentice(report, final)


def scores(
    connection: sqlite3.Connection, apprentice: Apprentice, *, progress: Progress | None = None
) -> Iterator[tuple[int, int]]:
    """(version, percent) for every sample that is not deleted. Only reads."""
    for matrix, versions in _matrices(connection, ids(connection, Query()), progress):
        percent = (apprentice.fit.probability(matrix) * 100).round().astype(int)
        yield from zip(versions, percent.tolist(), strict=True)


def keep_scores(connection: sqlite3.Connection, given: Iterable[tuple[int, int]]) -> Changes:
    """Store these scores instead of all earlier ones, in one transaction; versions that are gone are passed over."""
    with transaction(connection):
        connection.execute("DELETE FROM score")
        connection.executemany(
            "INSERT INTO score (version_id, percent) SELECT id, ?2 FROM version WHERE id = ?1", given
        )
    return Changes(review=True, ids=None)


def _matrices(
    connection: sqlite3.Connection, keys: Sequence[int], progress: Progress | None
) -> Iterator[tuple[features.Matrix, list[int]]]:
    for start in range(0, len(keys), _CHUNK):
        yield features.rows(connection, keys[start : start + _CHUNK])
        if progress is not None:
            progress(min(start + _CHUNK, len(keys)), len(keys))


def _folds(connection: sqlite3.Connection, keys: Sequence[int], seed: int) -> list[int]:
    """The fold of each sample: by hash, the same for all members of a cluster of near copies."""
    keepers = dict(connection.execute("SELECT sample_id, keeper FROM duplicate"))
    return [zlib.crc32(f"{seed}:{keepers.get(key, key)}".encode()) % _FOLDS for key in keys]


def _most(weights: np.ndarray[tuple[int], np.dtype[np.float64]], names: dict[int, str], sign: int) -> tuple[str, ...]:
    named = {**dict(enumerate(features.NUMBERS)), **names}
    order = sorted(named, key=lambda place: -sign * float(weights[place]))
    return tuple(named[place] for place in order[:_NAMED] if sign * float(weights[place]) > 0.05)
