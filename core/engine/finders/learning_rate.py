"""The learning rate by a range test: train a hundred steps while the rate rises from 1e-7 to 1, and look at the loss.

Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3; the exponential rise, the smoothing and
the end at four times the best loss are those of Gugger 2018, "How do you find a good learning rate". A loss is plotted over
the rate of the update right before it, for that is the update it tells of.

A language model's loss cannot rise much above ln V, that of guessing among V tokens, and four times the best lies beyond
that for small models. So the test also ends where a third of what the model knows beyond guessing is lost, `beyond`.

The suggestion is the rate at which the smoothed loss falls fastest over the logarithm of the rate, but never more than a
tenth of the rate at which it diverges; the sentence says which of the two it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.engine.finders import trying
from core.engine.prepare import Monitor
from core.errors import UserError
from core.training.config import RunConfig
from core.training.finders import Finding, short

FIRST: Final = 1e-7
LAST: Final = 1.0
STEPS: Final = 100
DIVERGED: Final = 4.0
"""Times the best smoothed loss."""
KEEP: Final = 0.8
"""What the running mean that is watched for divergence keeps of itself a step."""
IN_A_ROW: Final = 3
"""Losses beyond all measure that make a divergence; one may be a hard row."""
SURE: Final = 5
"""Steps before a running mean counts as the best."""
WIDTH: Final = 2.0
"""Standard deviation, in steps, of the window that smooths the finished curve; it looks both ways and so shifts nothing."""
SOURCE: Final = "range test, Smith 2017"


@dataclass(frozen=True, slots=True)
class Curve:
    """rates: of the updates. losses: smoothed, after each of them. clear: how far the loss falls, in multiples of its noise.

    diverged: the rate from which on every loss was beyond all measure; None when there is none.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    clear: float
    diverged: float | None


def find(config: RunConfig, base: Path, snapshot: Path, output: Path, monitor: Monitor) -> Finding:
    """Run the range test. Raises UserError when the loss tells nothing, and Stopped."""
    return suggest(test(config, base, snapshot, output, monitor))


def test(config: RunConfig, base: Path, snapshot: Path, output: Path, monitor: Monitor) -> Curve:
    """Train with a rising rate until the loss diverges. An event "point" for each step: x the rate, y the loss."""
    this = trying.begin(trying.unmeasured(config), base, snapshot, output, monitor)
    size = config.batch.micro * config.batch.accumulation
    vocabulary = int(this.prepared.identity["vocabulary"])
    rates = np.geomspace(FIRST, LAST, STEPS)
    losses: list[float] = []
    mean, best, high, diverged = 0.0, math.inf, 0, None
    for number in range(STEPS + 1):
        if monitor.should_stop():
            raise trying.Stopped
        last = number == STEPS
        loss = trying.step(this, this.prepared.train.at(number, size), 0.0 if last else float(rates[number]))
        monitor.progress(number + 1, STEPS + 1)
        if number:
            monitor.event("point", x=float(rates[number - 1]), y=loss)
        limit = beyond(best, vocabulary)
        high = 0 if loss <= limit else high + 1
        if not math.isfinite(loss):
            diverged = float(rates[max(0, number - high)])
            break
        losses.append(loss)
        mean = KEEP * mean + (1 - KEEP) * loss
        running = mean / (1 - KEEP ** (number + 1))
        if running > limit and high >= IN_A_ROW:
            diverged = float(rates[number - high])
            break
        if number >= SURE:
            best = min(best, running)
    return draw(rates, losses, diverged)


def beyond(best: float, vocabulary: int) -> float:
    """The largest loss that is no divergence: four times the best, or a third of the way from it to ln V, but never within a quarter."""
    return min(DIVERGED * best, max(1.25 * best, best + (math.log(vocabulary) - best) / 3))


def draw(rates: NDArray[np.float64], losses: Sequence[float], diverged: float | None) -> Curve:
    """losses[0] was measured before any update, losses[i] after that at rates[i - 1]. Raises UserError for fewer than five."""
    if len(losses) < SURE:
        raise UserError(
            "The loss is no number after a few steps, even at the smallest rates.",
            "Set precision.dtype to fp32, or look at the first batch for odd samples.",
        )
    raw = np.asarray(losses)
    steady = raw if diverged is None else raw[: 1 + int(np.searchsorted(rates, diverged * 0.999))]
    smoothed = smooth(steady)
    noise = 1.4826 * float(np.median(np.abs(steady - smoothed))) + 1e-12
    low = int(np.argmin(smoothed))
    clear = (float(smoothed[: low + 1].max()) - float(smoothed[low])) / noise
    drawn = np.append(smoothed, raw[len(steady) :])
    return Curve(rates[: len(drawn) - 1], drawn[1:], clear, diverged)


def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A mean over neighbours with normal weights; at the ends over those there are."""
    reach = int(3 * WIDTH)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / WIDTH) ** 2)
    sums = np.convolve(values, weights, mode="full")[reach : reach + len(values)]
    shares = np.convolve(np.ones_like(values), weights, mode="full")[reach : reach + len(values)]
    return np.asarray(sums / shares)


def suggest(curve: Curve) -> Finding:
    """The rate that a curve speaks for, in two digits. Raises UserError when the loss neither falls nor diverges."""
    points = tuple(zip(curve.rates.tolist(), curve.losses.tolist(), strict=True))
    steepest = _steepest(curve) if curve.clear >= 3.0 else None
    tenth = curve.diverged / 10 if curve.diverged is not None else None
    if steepest is not None and (tenth is None or steepest <= tenth):
        end = f"it diverges at {short(curve.diverged)}" if curve.diverged else f"it does not diverge up to {LAST:g}"
        why, value = f"the loss falls fastest here; {end}", steepest
    elif tenth is not None and curve.diverged is not None:
        why, value = f"a tenth of {short(curve.diverged)}, where the loss diverges", tenth
    else:
        raise UserError(
            f"The loss neither falls nor diverges between {FIRST:g} and {LAST:g}, so it speaks for no learning rate.",
            "Train more rows a step: raise batch.accumulation, and search again.",
        )
    rounded = float(f"{value:.1e}")
    return Finding(rounded, f"{short(rounded)}: {why} ({SOURCE}).", points)


def _steepest(curve: Curve) -> float | None:
    """The rate at which the loss falls fastest over the logarithm of the rate, before its lowest point."""
    low = int(np.argmin(curve.losses))
    if low < 2:
        return None
    slopes = np.gradient(smooth(curve.losses[: low + 1]), np.log(curve.rates[: low + 1]))
    return float(curve.rates[int(np.argmin(slopes))])
