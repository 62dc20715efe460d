"""How many rows a step are useful, by the gradient noise scale: trace of the gradient's covariance over its squared length.

Below it, twice the rows a step save nearly half the steps; far above it, they save almost none. Source: McCandlish, Kaplan,
Amodei et al. 2018, "An Empirical Model of Large-Batch Training", B_simple of section 2.2 and the unbiased estimators of
appendix A.1, from the squared norms of the gradient of b and of B rows:

    |G|^2      =  (B |G_B|^2 - b |G_b|^2) / (B - b)
    tr(Sigma)  =  (|G_b|^2 - |G_B|^2) / (1/b - 1/B)          B_simple  =  mean tr(Sigma) / mean |G|^2

Both are averaged over steps before they are divided, for a mean of quotients would be biased. The small batches are the
parts of the big one, so one pass measures both. The steps train, as the noise scale of an untouched adapter is not that of a run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from core.engine import gradients, loop, optim
from core.engine.finders import trying
from core.engine.prepare import Monitor
from core.engine.run import Run
from core.errors import UserError
from core.training.config import RunConfig
from core.training.finders import Finding

STEPS: Final = 40
SETTLING: Final = 8
"""First steps, which are trained but not counted."""
PARTS: Final = 8
"""Small batches in a big one."""
SOURCE: Final = "gradient noise scale, McCandlish et al. 2018"


@dataclass(frozen=True, slots=True)
class Norms:
    """What one step tells: squared gradient norms, of the small batches on average and of the big one."""

    small: float
    big: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """rows: B_simple, infinite when the gradient is lost in its noise. error: one standard error of it (jackknife)."""

    rows: float
    error: float


def find(config: RunConfig, base: Path, snapshot: Path, output: Path, monitor: Monitor) -> Finding:
    """Measure over a few dozen steps of the run. An event "point" for each: x the step, y the rows so far.

    Raises UserError when the snapshot is too small or the loss no number, and Stopped.
    """
    this = trying.begin(trying.unmeasured(config), base, snapshot, output, monitor)
    rows = len(this.prepared.train.members)
    small = min(config.batch.micro, rows // 2)
    if not small:
        raise UserError(
            "The snapshot has one row only, and noise is what rows differ in.", "Create a snapshot from more samples."
        )
    parts = min(PARTS, rows // small)
    found: list[Norms] = []
    curve: list[tuple[float, float]] = []
    for number in range(STEPS):
        if monitor.should_stop():
            raise trying.Stopped
        chosen = this.prepared.train.at(number, small * parts)
        rate = config.optimizer.learning_rate * min(1.0, (number + 1) / SETTLING)
        norms = measure(this, split(chosen, parts), rate)
        monitor.progress(number + 1, STEPS)
        if number < SETTLING:
            continue
        found.append(norms)
        so_far = estimate(found, small, small * parts).rows
        if math.isfinite(so_far):
            curve.append((number + 1, so_far))
            monitor.event("point", x=number + 1, y=so_far)
    return suggest(estimate(found, small, small * parts), rows, small * parts, tuple(curve))


def split(chosen: Sequence[int], parts: int) -> list[Sequence[int]]:
    """Equal parts, each with short and long rows: `chosen` is sorted by length."""
    return [chosen[start::parts] for start in range(parts)]


def measure(this: Run, parts: Sequence[Sequence[int]], rate: float) -> Norms:
    """Train one step on all parts together, each weighted by its trained tokens; the norms of their gradients and of the sum.

    Raises UserError when a norm is not finite.
    """
    everything = [row for part in parts for row in part]
    trained = this.prepared.train.targets(everything)
    whole = [torch.zeros_like(parameter) for parameter in this.parameters]
    squares, losses = [], 0.0
    for part in parts:
        loss, norm = trying.gradient(this, part)
        share = this.prepared.train.targets(part) / trained
        for total, parameter in zip(whole, this.parameters, strict=True):
            if parameter.grad is not None:
                total.add_(parameter.grad, alpha=share / this.progress.scale.value)
        this.optimizer.zero_grad(set_to_none=True)
        squares.append(norm**2)
        losses += share * loss
    for total, parameter in zip(whole, this.parameters, strict=True):
        parameter.grad = total
    big = gradients.norm(this.parameters, this.group)
    if not all(math.isfinite(value) for value in (*squares, big, losses)):
        raise UserError(
            "The loss became no number while its noise was measured.",
            "Lower optimizer.learning_rate; `gosmith find learning-rate` looks for one.",
        )
    gradients.scale(this.parameters, this.progress.scale.value)
    optim.set_learning_rate(this.optimizer, rate)
    loop.apply(this, big)
    this.progress.step += 1
    return Norms(sum(squares) / len(squares), big**2)


def estimate(found: Sequence[Norms], small: int, big: int) -> Estimate:
    """B_simple from the norms of several steps, whose batches had `small` and `big` rows."""
    lengths = np.asarray([(big * item.big - small * item.small) / (big - small) for item in found])
    traces = np.asarray([(item.small - item.big) / (1 / small - 1 / big) for item in found])
    rows = _quotient(traces.sum(), lengths.sum())
    left = np.asarray([_quotient(traces.sum() - t, lengths.sum() - g) for t, g in zip(traces, lengths, strict=True)])
    if not math.isfinite(rows) or not np.isfinite(left).all() or len(found) < 2:
        return Estimate(rows, math.inf)
    return Estimate(rows, math.sqrt((len(left) - 1) * float(np.mean((left - left.mean()) ** 2))))


def _quotient(trace: float, length: float) -> float:
    return math.inf if length <= 0 else max(0.0, float(trace / length))


def suggest(found: Estimate, rows: int, measured: int, curve: tuple[tuple[float, float], ...]) -> Finding:
    """rows: of the snapshot, above which a step would only repeat itself. measured: rows of the big batches."""
    if math.isinf(found.rows):
        value = min(rows, 2 * measured)
        why = f"the gradient of {measured:,} is nearly all noise, so more are worth trying"
    elif found.rows > rows:
        value = rows
        why = f"the noise asks for {found.rows:,.0f}, and the snapshot has no more than this"
    else:
        value = max(1, round(float(_two(found.rows))))
        why = "more than this average away little noise"
        if math.isfinite(found.error):
            why += f"; the estimate is {_two(found.rows)} ± {_two(found.error)}"
    rows_a_step = f"{value:,} row{'' if value == 1 else 's'} a step"
    return Finding(value, f"{rows_a_step}: {why} ({SOURCE}).", curve)


def _two(value: float) -> str:
    """Two digits: 0.35, 4.1, 26, 130."""
    return f"{float(f'{value:.1e}'):g}"
