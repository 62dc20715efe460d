"""A run between its steps: how far it is, what it remembers, and the checkpoints it saves, goes on from and goes back to.

`core.engine.loop` does the steps. Every function here is called by all processes of a run, at the same step.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from core.engine import checkpoint, optim
from core.engine.gradients import LossScale
from core.engine.guard import Guard
from core.engine.parallel import Group
from core.engine.prepare import Monitor, Prepared
from core.errors import UserError
from core.training.config import RunConfig

SAME = (("start_hash", "base model"), ("data_hash", "training data"), ("template_hash", "chat template"))
"""What may not change while a run is interrupted, nor differ between its machines, and what it is called."""


@dataclass(slots=True)
class Progress:
    """How far a run is and all it remembers beside weights and moments; goes into every checkpoint.

    best: lowest validation loss so far. worse: validations since then.
    """

    guard: Guard
    scale: LossScale
    step: int = 0
    loss: float = math.nan
    validation: float = math.nan
    best: float = math.inf
    worse: int = 0

    def note(self) -> dict[str, Any]:
        """Plain data for gosmith.json."""
        return {
            "loss": _number(self.loss),
            "validation_loss": _number(self.validation),
            "best": _number(self.best),
            "worse": self.worse,
            "guard": self.guard.note(),
            "scale": asdict(self.scale),
        }

    def take(self, saved: checkpoint.Saved) -> None:
        """Go on from a checkpoint."""
        note = saved.note
        self.step, self.loss = saved.step, float(note["loss"] if note["loss"] is not None else math.nan)
        self.validation = math.nan if note.get("validation_loss") is None else float(note["validation_loss"])
        self.best = math.inf if note.get("best") is None else float(note["best"])
        self.worse = int(note.get("worse", 0))
        self.guard = Guard.of(note.get("guard", {}))
        self.scale = LossScale(**note["scale"]) if note.get("scale") else self.scale


@dataclass(slots=True)
class Run:
    """What all parts of the loop need. saved: step of the newest checkpoint, -1 for none."""

    config: RunConfig
    prepared: Prepared
    optimizer: torch.optim.Optimizer
    output: Path
    monitor: Monitor
    group: Group
    progress: Progress
    saved: int = -1
    parameters: list[torch.nn.Parameter] = field(default_factory=list)


def begin(config: RunConfig, prepared: Prepared, output: Path, monitor: Monitor, group: Group) -> Run:
    """A run before its first step, with a new optimizer."""
    optimizer = optim.make(prepared.student.trainable(), config.optimizer)
    progress = Progress(Guard(), LossScale.first(prepared.compute.dtype))
    this = Run(config, prepared, optimizer, output, monitor, group, progress)
    this.parameters = [parameter for _, parameter in prepared.student.trainable()]
    return this


def save(this: Run) -> None:
    """Write a checkpoint. Rank 0 writes; the others wait, so that none runs into a failure of the first one's disk a step later."""
    progress, section = this.progress, this.config.checkpoints
    note = {**this.prepared.identity, **progress.note()}
    path = checkpoint.save(
        this.output,
        progress.step,
        this.prepared.student,
        this.optimizer,
        note,
        this.group,
        keep=section.keep,
        best=section.best,
    )
    this.saved = progress.step
    if this.group.first:
        this.monitor.event("checkpoint", step=progress.step, path=str(path))


def resume(this: Run) -> None:
    """Load the newest whole checkpoint in rank 0's output folder, if any. Raises UserError when data or model have changed."""
    whole: list[checkpoint.Saved] = []
    wrong = ""
    if this.group.first:
        whole = checkpoint.list_checkpoints(this.output)
        while whole and (why := checkpoint.damage(whole[-1])):
            this.monitor.event("message", text=f"{whole[-1].path.name} is damaged ({why}) and is passed over.")
            wrong = wrong or f"{whole[-1].path.name}: {why}"
            whole.pop()
    newest, wrong = this.group.told((whole[-1] if whole else None, wrong))
    if newest is None and not wrong:
        return
    if newest is None:
        raise UserError(
            f"All checkpoints of this run are damaged; {wrong}.",
            "Start a new run, or put the folder back from a backup.",
        )
    identity = this.prepared.identity
    for key, what in SAME:
        if newest.note.get(key) != identity[key]:
            raise UserError(
                f"{newest.path.name} cannot be resumed from: the {what} has changed since.",
                "Put it back as it was, or start a new run.",
            )
    load(this, newest)
    this.saved = newest.step
    this.monitor.event("message", text=f"Going on after step {newest.step:,}.", step=newest.step)


def load(this: Run, saved: checkpoint.Saved) -> None:
    """Go on from a checkpoint of rank 0's. Every process must call it."""
    with checkpoint.at_hand(saved, this.output, this.group) as here:
        checkpoint.restore(here, this.prepared.student, this.optimizer)
    this.progress.take(saved)


def rewind(this: Run, what: str) -> None:
    """Go back to the newest checkpoint and pass over the rows since then. Raises UserError when there is none."""
    step = this.progress.step + 1
    newest = checkpoint.list_checkpoints(this.output)[-1:]
    saved = next(iter(this.group.told(newest)), None)
    if saved is None:
        raise stopped_by(what, step, this.output)
    guard = this.progress.guard
    guard.rewind(step, saved.step, what)
    rewinds, offset = guard.rewinds, guard.offset
    this.optimizer.zero_grad(set_to_none=True)
    load(this, saved)
    this.progress.guard.rewinds, this.progress.guard.offset = rewinds, offset
    this.monitor.event(
        "message",
        text=f"At step {step:,} {what}: going back to step {saved.step:,} and leaving out the rows since then.",
        step=saved.step,
    )


def stopped_by(what: str, step: int, output: Path) -> UserError:
    """The end of a run that would spoil its weights."""
    older = checkpoint.list_checkpoints(output)
    kept = f" The checkpoint of step {older[-1].step:,} is intact." if older else ""
    return UserError(
        f"{what[0].upper()}{what[1:]} at step {step:,}, so the run was stopped.{kept}",
        "Lower optimizer.learning_rate (a third of it), lengthen optimizer.warmup, or set precision.dtype to fp32.",
    )


def _number(value: float) -> float | None:
    """JSON has no numbers that are not finite."""
    return value if math.isfinite(value) else None
