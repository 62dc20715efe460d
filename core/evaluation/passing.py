"""pass@k and compile rate from counts of a problem's candidates (Chen et al. 2021, Evaluating Large Language Models Trained on Code).

All problems of a suite count, as in the paper: one without any candidate is one that was not solved. Candidates on which no verdict
came about, because the sandbox failed, are not in the counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import UserError


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one problem: n candidates with a verdict, compiled of which compile, correct of which pass; unjudged without a verdict.

    reference_nll: mean negative log-likelihood of the reference's tokens under the model, in nats, None where it was not measured;
    reference_tokens: how many they are.
    """

    task: str
    n: int
    compiled: int
    correct: int
    unjudged: int = 0
    topic: str = ""
    difficulty: str = ""
    reference_nll: float | None = None
    reference_tokens: int = 0

    @property
    def missing(self) -> bool:
        """Is there no candidate at all? Then it counts as not solved."""
        return not self.n and not self.unjudged

    @property
    def counts(self) -> bool:
        """Is it known whether it was solved? It is not where the sandbox failed on all of its candidates."""
        return self.n > 0 or self.missing

    def pass_at(self, k: int) -> float:
        """The chance that one of k candidates passes. Raises ValueError where there are fewer than k, but some."""
        return 0.0 if self.missing else pass_at(self.n, self.correct, k)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over problems. interval: 95 %, normal, from the spread of the problems (Wilson where each has one candidate)."""

    value: float
    interval: tuple[float, float]
    problems: int


def pass_at(n: int, correct: int, k: int) -> float:
    """1 - C(n - correct, k) / C(n, k): the chance that one of k candidates drawn from these n passes. Raises ValueError for k > n."""
    if not 0 <= correct <= n or not 0 < k <= n:
        raise ValueError(f"pass@{k} of {correct} among {n}")
    if n - correct < k:
        return 1.0
    miss = 1.0  # every factor is at most 1, so nothing overflows
    for i in range(n - correct + 1, n + 1):
        miss *= 1.0 - k / i
    return 1.0 - miss


def estimate(tallies: Iterable[Tally], k: int) -> Estimate | None:
    """Mean pass@k; None where no problem has a verdict. Raises UserError where one has fewer than k."""
    counted = [one for one in tallies if one.counts]
    few = [one for one in counted if 0 < one.n < k]
    if few:
        raise UserError(
            f"pass@{k} needs {k} verdicts a problem, and {few[0].task} has {few[0].n}"
            + (f", as {len(few) - 1} others have too few." if len(few) > 1 else "."),
            f"Give at least {k} completions a problem, or ask for -k {min(one.n for one in few)}.",
        )
    if not any(one.n for one in counted):
        return None
    values = [one.pass_at(k) for one in counted]
    mean = math.fsum(values) / len(values)
    if all(one.n <= 1 for one in counted):
        return Estimate(mean, wilson(sum(one.correct for one in counted), len(counted)), len(counted))
    return Estimate(mean, around(values), len(counted))


def compile_rate(tallies: Iterable[Tally]) -> float | None:
    """Share of candidates that compile, mean over problems; None without any candidate."""
    counted = [one for one in tallies if one.counts]
    if not any(one.n for one in counted):
        return None
    return math.fsum(one.compiled / max(1, one.n) for one in counted) / len(counted)


def around(values: Sequence[float]) -> tuple[float, float]:
    """Mean ± 1.96 standard errors; the mean twice where there is but one value."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, mean
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    error = 1.959964 * math.sqrt(variance / len(values))
    return mean - error, mean + error


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927)."""
    z = 1.959964
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return max(0.0, middle - half), min(1.0, middle + half)
