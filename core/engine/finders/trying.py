"""What all finders share: a run that is begun like any other, and one step of it at a chosen learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.engine import gradients, loop, optim, run
from core.engine.parallel import Group
from core.engine.prepare import Monitor, prepare
from core.engine.run import Run
from core.training.config import RunConfig
from core.training.sections import ValidationSection


class Stopped(Exception):  # noqa: N818 - a wish that was heard, not an error
    """Somebody asked the search to stop, so there is no answer."""


def begin(config: RunConfig, base: Path, snapshot: Path, output: Path, monitor: Monitor) -> Run:
    """A run before its first step, in this process alone. Raises UserError as `prepare` does.

    Its rows come in any order, not those of like length together: noise is told from rows that have nothing to do with each other.
    """
    prepared = prepare(config, base, snapshot, "find", monitor, Group())
    prepared = replace(prepared, train=replace(prepared.train, group=1, _orders={}))
    return run.begin(config, prepared, output, monitor, Group())


def unmeasured(config: RunConfig) -> RunConfig:
    """The same run without validations, which a finder of rates or batches has no use for."""
    return config.model_copy(update={"validation": ValidationSection(every=0)})


def gradient(this: Run, chosen: Sequence[int]) -> tuple[float, float]:
    """Leave the gradient of the mean loss over these rows in the parameters; that loss, and the gradient's norm.

    fp16's loss scale is lowered and the step tried again for as long as it overflows. Either number may not be finite.
    """
    trained = this.prepared.train.targets(chosen)
    while True:
        loss = loop.backward(this, chosen, trained) / trained
        norm = gradients.norm(this.parameters, this.group) / this.progress.scale.value
        if math.isfinite(norm) or not math.isfinite(loss) or not this.progress.scale.overflowed():
            return loss, norm
        this.optimizer.zero_grad(set_to_none=True)


def step(this: Run, chosen: Sequence[int], rate: float) -> float:
    """Train one step on these rows at this learning rate; the loss before it. Weights stay as they are when it is not finite."""
    loss, norm = gradient(this, chosen)
    if math.isfinite(loss) and math.isfinite(norm):
        optim.set_learning_rate(this.optimizer, rate)
        loop.apply(this, norm)
    this.optimizer.zero_grad(set_to_none=True)
    this.progress.step += 1
    return loss if math.isfinite(norm) else math.nan
