"""Two evaluations of the same problems, problem by problem: the difference, how sure it is, and where it lies.

Paired, because problems differ far more than checkpoints do: k = 1 takes the normal interval of the differences by problem (Miller
2024), with one candidate a problem the p value is McNemar's exact one; k > 1 resamples problems. Evaluations of other problems, or
judged otherwise, are not compared.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import UserError
from core.evaluation.passing import Tally, around, pass_at
from core.evaluation.results import Candidate, Evaluation, candidates

RESAMPLES = 10_000
METHODS = {"normal": "paired, normal", "mcnemar": "McNemar, exact", "bootstrap": "paired, bootstrap"}
"""How a p value came about, for people."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A problem that one solves and the other does not: more than half of its candidates pass on the one side only. a, b: passed and
    judged; completion_a, completion_b: the first that shows it, "" where the candidates are not at hand."""

    task: str
    a: tuple[int, int]
    b: tuple[int, int]
    completion_a: str
    completion_b: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """b minus a. method: "normal", "mcnemar" or "bootstrap". word: "better", "worse" or "no evidence", at 95 %. gained: solved by b
    alone; lost: by a alone."""

    k: int
    problems: int
    a: float
    b: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    method: str
    word: str
    gained: tuple[Flip, ...]
    lost: tuple[Flip, ...]


def compare(a: Evaluation, b: Evaluation, k: int = 1, *, seed: int = 0) -> Comparison:
    """How b differs from a in pass@k. seed: of the resampling. Raises UserError when they cannot be compared."""
    pairs = _pairs(a, b, k)
    rates = [(pass_at(x.n, x.correct, k), pass_at(y.n, y.correct, k)) for x, y in pairs]
    differences = [y - x for x, y in rates]
    mean = math.fsum(differences) / len(differences)
    if k > 1:
        method, (interval, p) = "bootstrap", _bootstrap(differences, seed)
    else:
        interval = around(differences)
        single = all(x.n == y.n == 1 for x, y in pairs)
        method = "mcnemar" if single else "normal"
        p = (
            mcnemar(sum(d > 0 for d in differences), sum(d < 0 for d in differences))
            if single
            else _normal(differences)
        )
    gained, lost = _flips(pairs, a, b)
    return Comparison(
        k, len(pairs), math.fsum(x for x, _ in rates) / len(rates), math.fsum(y for _, y in rates) / len(rates),
        mean, interval, p, method, "no evidence" if p >= 0.05 else "better" if mean > 0 else "worse", gained, lost,
    )  # fmt: skip


def sentence(found: Comparison) -> str:
    """What a comparison comes to: both numbers in percent, their difference and its interval in points, the flips."""
    low, high = (100 * one for one in found.interval)
    return (
        f"pass@{found.k} {100 * found.a:.1f} -> {100 * found.b:.1f}, {100 * found.difference:+.1f} points, "
        f"95 % interval {low:.1f} to {high:.1f}, {_counted(len(found.gained))} gained, {len(found.lost):,} lost"
    )


def how_sure(found: Comparison) -> str:
    """How the p value came about, in words."""
    p = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.2g}"
    return f"{p} ({METHODS[found.method]}), {_counted(found.problems)}"


def why_not(a: Evaluation, b: Evaluation) -> str:
    """Why these cannot be compared, in a sentence; "" when they can."""
    try:
        _pairs(a, b, 1)
    except UserError as error:
        return error.message
    return ""


def largest_k(a: Evaluation, b: Evaluation) -> int:
    """The largest k that both have enough verdicts for; 0 where they have no problem in common."""
    counts = {one.task: one.n for one in b.tallies if one.n}
    return min((min(one.n, counts[one.task]) for one in a.tallies if one.n and one.task in counts), default=0)


def _counted(problems: int) -> str:
    return f"{problems:,} problem{'s' if problems != 1 else ''}"


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p value of so many flips each way."""
    flips = gained + lost
    tail = sum(math.comb(flips, i) for i in range(min(gained, lost) + 1))
    return float(min(1.0, 2 * tail / 2**flips))


def _pairs(a: Evaluation, b: Evaluation, k: int) -> list[tuple[Tally, Tally]]:
    for what, one, other in (
        ("of different suites", a.origin.sha256, b.origin.sha256),
        ("in different modes", a.origin.mode, b.origin.mode),
    ):
        if one != other:
            names = (a.origin.suite, b.origin.suite) if one == a.origin.sha256 else (one, other)
            raise UserError(
                f"These evaluations are {what} ({names[0]} and {names[1]}), so their numbers say nothing of each other.",
                "Evaluate both on the same problems in the same mode.",
            )
    by_task = {one.task: one for one in b.tallies}
    if {one.task for one in a.tallies} != by_task.keys():
        raise UserError(
            f"These evaluations have completions of different problems ({len(a.tallies)} and {len(by_task)}).",
            "Give completions of the same problems to both.",
        )
    pairs = [(one, by_task[one.task]) for one in a.tallies if one.n and by_task[one.task].n]
    if not pairs:
        raise UserError("No problem has a verdict in both evaluations.", "Evaluate again.")
    few = min(min(x.n, y.n) for x, y in pairs)
    if few < k:
        raise UserError(f"pass@{k} needs {k} verdicts a problem; some problem has {few}.", f"Ask for -k {few} or less.")
    return pairs


def _normal(differences: Sequence[float]) -> float:
    """Two-sided p value of a mean that is not 0, if means are normal."""
    count = len(differences)
    mean = math.fsum(differences) / count
    if count < 2 or mean == 0:
        return 1.0
    variance = math.fsum((one - mean) ** 2 for one in differences) / (count - 1)
    if variance == 0:
        return 0.0
    return math.erfc(abs(mean) / math.sqrt(variance / count) / math.sqrt(2))


def _bootstrap(differences: Sequence[float], seed: int) -> tuple[tuple[float, float], float]:
    """95 % percentile interval of the mean, and the two-sided p value that it implies, never below one resample."""
    rng = random.Random(seed)
    count = len(differences)
    means = sorted(math.fsum(rng.choices(differences, k=count)) / count for _ in range(RESAMPLES))
    interval = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]
    below, above = sum(one <= 0 for one in means), sum(one >= 0 for one in means)
    return interval, min(1.0, 2 * (min(below, above) + 1) / (RESAMPLES + 1))


def _flips(
    pairs: Sequence[tuple[Tally, Tally]], a: Evaluation, b: Evaluation
) -> tuple[tuple[Flip, ...], tuple[Flip, ...]]:
    sides = [by_task(one) for one in (a, b)]
    gained: list[Flip] = []
    lost: list[Flip] = []
    for x, y in pairs:
        solved = 2 * x.correct > x.n, 2 * y.correct > y.n
        if solved[0] == solved[1]:
            continue
        shown = [telling(side.get(x.task, []), good) for side, good in zip(sides, solved, strict=True)]
        texts = [one.completion if one is not None else "" for one in shown]
        flip = Flip(x.task, (x.correct, x.n), (y.correct, y.n), *texts)
        (gained if solved[1] else lost).append(flip)
    return tuple(gained), tuple(lost)


def by_task(evaluation: Evaluation) -> dict[str, list[Candidate]]:
    """The candidates of an evaluation where its folder is at hand."""
    found: dict[str, list[Candidate]] = {}
    for one in candidates(evaluation.folder) if evaluation.folder is not None else []:
        found.setdefault(one.task, []).append(one)
    return found


def telling(some: Sequence[Candidate], good: bool) -> Candidate | None:
    """The first of a problem's candidates that passes, or that does not; one that the sandbox failed on tells nothing."""
    return next((one for one in some if (one.status == "pass") == good and one.status != "sandbox_error"), None)
