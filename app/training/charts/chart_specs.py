"""Which charts there are: what each draws, how its values are written, and what is usual there.

A usual range is a rail, not a law: it is drawn faintly, with the one sentence that says why, and nothing is refused
because of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.tokens import Tokens
from app.widgets.charts.axes import tiny_text
from core.training.metrics import RunMetrics
from core.training.track import Along

Config = Mapping[str, Any]
RISE = 0.02
"""By which share the validation loss must have risen to be worth a word."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Values that are usual on a chart, and the sentence that says so."""

    low: float
    high: float
    why: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of a chart. caption: what tells it from the others of the chart. second: it is drawn dotted. whiskers: the series of the
    track from which to which its values may as well be."""

    track: str
    series: str
    caption: str = ""
    second: bool = False
    whiskers: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A chart. name: its object name. factor: what values are multiplied by to be written. noisy: the smoothing applies.
    points: it has few values, each drawn as a dot. decades: a logarithmic y axis says something here.
    note: a sentence on what the run shows, empty when there is nothing to say."""

    title: str
    name: str
    curves: tuple[Curve, ...]
    text: Callable[[float], str]
    colour: Callable[[Tokens], str]
    factor: float = 1.0
    noisy: bool = False
    points: bool = False
    decades: bool = False
    usual: Callable[[Config], Usual] | None = None
    note: Callable[[RunMetrics], str] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A run on the charts. slot: its colour; 0 is the run that is looked at."""

    title: str
    metrics: RunMetrics
    slot: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """How all charts are looked at. span: the part of x that is shown, None for all of it, growing with the run.
    width: of how many steps the smooth curve is the mean; 1 for none."""

    along: Along = "step"
    span: tuple[float, float] | None = None
    width: int = 20
    log_x: bool = False
    log_y: bool = False


def _usual_norm(config: Config) -> Usual:
    clip = float(config.get("optimizer", {}).get("clip", 1.0) or 1.0)
    return Usual(0.05 * clip, clip, f"Usual up to the clip of {clip:g}; mostly above it: lower the rate.")


def _usual_rate(config: Config) -> Usual:
    if _is_full(config):
        return Usual(1e-6, 5e-5, "Usual peak 1e-6 to 5e-5; above, a student forgets.")
    return Usual(5e-5, 5e-4, "Usual peak for LoRA 5e-5 to 5e-4; above, the loss jumps.")


def _usual_gpu(_config: Config) -> Usual:
    return Usual(85, 100, "Usual 85 to 100 %; below, the batches are too small.")


def _usual_mfu(config: Config) -> Usual:
    if _is_full(config):
        return Usual(30, 60, "Usual 30 to 60 %, at 6 operations a weight and token.")
    return Usual(30, 60, "Usual 30 to 60 %, at 4 operations a weight and token (LoRA).")


def _is_full(config: Config) -> bool:
    return bool(config.get("method", {}).get("kind", "lora") == "full")


def _overfit(metrics: RunMetrics) -> str:
    """Where the validation loss was lowest, once it has clearly risen since."""
    track = metrics.tracks["validation"]
    losses = track.series["loss"].y if "loss" in track.series else np.empty(0)
    if not np.isfinite(losses).any():
        return ""
    lowest = int(np.nanargmin(losses))
    if not losses[-1] > losses[lowest] * (1 + RISE):
        return ""
    step = round(float(track.x("step")[lowest]))
    return f"Lowest {losses[lowest]:.3f} at step {step:,}, rising since: learning by heart."


def _percent(value: float) -> str:
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %"


def _second(tokens: Tokens) -> str:
    return tokens.chart_second


def _third(tokens: Tokens) -> str:
    return tokens.chart_third


def _fourth(tokens: Tokens) -> str:
    return tokens.chart_fourth


SPECS: tuple[ChartSpec, ...] = (
    ChartSpec(
        "Training loss", "lossChart", (Curve("steps", "loss"),), "{:.3f}".format,
        lambda tokens: tokens.chart_smooth, noisy=True, decades=True,
    ),
    ChartSpec(
        "Validation loss", "validationChart", (Curve("validation", "loss"),), "{:.3f}".format,
        _second, points=True, decades=True, note=_overfit,
    ),
    ChartSpec(
        "Problems solved", "evaluationChart",
        (
            Curve("evaluation", "pass_at_1", "pass@1", whiskers=("low", "high")),
            Curve("evaluation", "compile_rate", "compile", second=True),
        ),
        _percent, _third, factor=100, points=True,
    ),
    ChartSpec(
        "Answers that compile", "answersChart",
        (Curve("answers", "compiled", "compile"), Curve("answers", "parsed", "parse", second=True)), _percent,
        _third, factor=100, points=True,
    ),
    ChartSpec(
        "Learning rate", "rateChart", (Curve("steps", "lr"),), tiny_text, _third, decades=True, usual=_usual_rate,
    ),
    ChartSpec(
        "Gradient norm", "normChart", (Curve("steps", "grad_norm"),), "{:.3g}".format,
        _fourth, noisy=True, decades=True, usual=_usual_norm,
    ),
    ChartSpec(
        "Tokens / s", "speedChart",
        (Curve("steps", "tokens_per_second", "read"), Curve("steps", "trained_per_second", "trained on", second=True)),
        "{:,.0f}".format, _fourth, noisy=True,
    ),
    ChartSpec(
        "Memory at its peak", "memoryChart", (Curve("steps", "memory"),), "{:.1f} GiB".format,
        _second, factor=1 / (1 << 30),
    ),
    ChartSpec(
        "GPU use", "gpuChart", (Curve("steps", "gpu"),), _percent, _fourth, noisy=True, usual=_usual_gpu,
    ),
    ChartSpec(
        "GPU yield (MFU)", "mfuChart", (Curve("steps", "mfu"),), _percent,
        _third, factor=100, noisy=True, usual=_usual_mfu,
    ),
)  # fmt: skip
