"""The training loop, read from top to bottom: what happens in a run, in the order in which it happens.

One optimizer step trains on batch.micro x batch.accumulation sequences, for any number of processes: they share them out,
so that one process and two give the same losses. The loss is the mean over all trained tokens of the step, counted before the
first backward pass, so that accumulation is the same computation as a larger batch. What the guard, a stop, a request or
the end of patience asks for is agreed by all processes at the same step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.engine import checkpoint, data, gradients, model, optim, sharding
from core.engine.answers import Exam
from core.engine.evaluations import Evaluations, Waypoint
from core.engine.measures import Meter
from core.engine.parallel import Group, share
from core.engine.prepare import Monitor, prepare
from core.engine.run import SAME, Run, begin, resume, rewind, save, stopped_by
from core.training.config import RunConfig
from core.training.evaluating import Frozen

VALIDATION_SEQUENCES = 128
"""How many are measured at most: a validation loss should cost a few steps, not a minute."""


@dataclass(frozen=True, slots=True)
class Result:
    """steps done, the last step's loss and the last validation loss (None without validation rows), checkpoints on disk."""

    steps: int
    final_loss: float
    validation: float | None
    checkpoints: tuple[Path, ...]
    stopped: bool


def train(
    config: RunConfig,
    base: Path,
    snapshot: Path,
    output: Path,
    *,
    run: str,
    monitor: Monitor,
    group: Group,
    origin: Mapping[str, Any] | None = None,
    problems: Frozen | None = None,
) -> Result:
    """Train, and write checkpoints into `output`, from which a second call with the same arguments goes on.

    base: a model folder or a checkpoint. snapshot: a folder with train.jsonl and validation.jsonl. origin: what else
    checkpoints are to tell of where they come from. problems: of the evaluations on the way. Raises UserError.
    """
    output.mkdir(parents=True, exist_ok=True)
    prepared = prepare(config, base, snapshot, run, monitor, group)
    prepared.identity.update(origin or {})
    this = begin(config, prepared, output, monitor, group)
    progress = this.progress
    group.agree({what: prepared.identity[key] for key, what in SAME})
    if group.first_here:
        checkpoint.sweep(output)
    resume(this)
    with (
        closing(Exam(prepared, snapshot, output, monitor, config.validation.answers, first=group.first)) as exam,
        closing(Evaluations(config, prepared, problems, output, monitor, group)) as evaluations,
    ):
        evaluations.go_on(progress.step)
        reason = steps_of(this, exam, evaluations)
        if this.saved != progress.step and progress.step:
            save(this)
        if reason != "stop":
            evaluations.finish()
    if reason in ("stop", "epoch"):
        monitor.stopped_early()  # also where only another machine was asked to stop
    if reason == "patience":
        monitor.event(
            "message",
            text=f"Stopped early: {progress.worse} validations in a row were no better than {progress.best:.4f}.",
        )
    paths = tuple(item.path for item in checkpoint.list_checkpoints(output))
    last = None if math.isnan(progress.validation) else progress.validation
    return Result(progress.step, progress.loss, last, paths, reason in ("stop", "epoch"))


def steps_of(this: Run, exam: Exam, evaluations: Evaluations) -> str:
    """All steps that are left; why the last one was the last: "" when all are done, else "stop", "epoch" or "patience"."""
    config, prepared, group, monitor, progress = this.config, this.prepared, this.group, this.monitor, this.progress
    size = config.batch.micro * config.batch.accumulation
    steps = total_steps(config, len(prepared.train.members))
    epoch = max(1, math.ceil(len(prepared.train.members) / size))
    meter = Meter(config, Path(prepared.identity["base"]), prepared.compute, group.size, prepared.train.mean_context())
    if progress.step in (0, steps):
        validate(this)
    monitor.progress(progress.step, steps)
    cut_short = evaluations.hold(waypoint(this), last=progress.step == steps)
    reason = "stop" if cut_short else ""

    while progress.step < steps and not reason:
        began = time.perf_counter()
        chosen = prepared.train.at(progress.step + progress.guard.offset, size)
        trained = prepared.train.targets(chosen)
        rate = config.optimizer.learning_rate * optim.factor(progress.step, steps, config.optimizer)
        optim.set_learning_rate(this.optimizer, rate)

        local = backward(this, chosen, trained)
        asked = [local, monitor.should_stop(), monitor.checkpoint_requested(), monitor.stop_after_epoch()]
        total, stop, save_now, after_epoch = group.sums(asked)
        loss = total / trained
        norm = gradients.norm(this.parameters, group) / progress.scale.value
        if not update(this, loss, norm):
            evaluations.back_to(progress.step)
            continue
        done = progress.step

        tokens = sum(prepared.train.length(sequence) for sequence in chosen)
        cost = meter.measure(tokens, trained, time.perf_counter() - began)
        monitor.event("step", step=done, loss=round(loss, 6), lr=rate, grad_norm=round(norm, 6), **cost)
        monitor.progress(done, steps)
        due = bool(config.checkpoints.every) and done % config.checkpoints.every == 0
        if done < steps:
            reason = "stop" if stop else "epoch" if after_epoch and done % epoch == 0 else ""
        if config.validation.every and (done % config.validation.every == 0 or done == steps or due):
            validate(this)
            exam.hold(done)
            if 0 < config.validation.patience <= progress.worse and done < steps:
                reason = reason or "patience"
        if evaluations.hold(waypoint(this), last=done == steps):
            reason = "stop"
        if reason or save_now or due or done == steps:
            save(this)
    return reason


def backward(this: Run, chosen: Sequence[int], trained: int) -> float:
    """Leave the gradient of a step's mean loss in the parameters, scaled up by the loss scale; this process's summed loss."""
    prepared, group, device = this.prepared, this.group, this.prepared.compute.device
    prepared.objective.train()
    summed = torch.zeros((), dtype=torch.float64, device=device)
    # Sharded gradients come as means over the processes that share the rows out, and a mean is not what is asked for.
    factor = this.progress.scale.value * (group.data_size if prepared.sharded else 1) / trained
    batches = batches_of(this, prepared.train, chosen, this.config.batch.micro)
    for number, (seed, batch) in enumerate(batches):
        torch.manual_seed(seed)
        if prepared.sharded:
            sharding.sync_gradients(prepared.objective, now=number == len(batches) - 1)
        micro_loss = prepared.objective(batch.to(device))
        (micro_loss * factor).backward()
        summed += micro_loss.detach()  # read once a step: each read would wait for the GPU
    if not prepared.sharded:
        group.add_gradients(this.parameters)
    return float(summed.item())


def batches_of(this: Run, rows: data.Sequences, chosen: Sequence[int], micro: int) -> list[tuple[int, data.Batch]]:
    """This process's micro-batches, each with the seed of its dropout: a number that depends on the rows and the step, not on
    what ran before, so that resuming needs no generator state. Sharded processes are all given equally many."""
    group = this.group
    found = [
        (_seed(this.config.seed, this.progress.step, part), _batch(this, rows, part))
        for part in share(chosen, group, micro)
    ]
    if this.prepared.sharded:
        most = math.ceil(math.ceil(len(chosen) / group.data_size) / micro)
        found += [(0, data.filler(flat=this.prepared.student.flat))] * (most - len(found))
    return found


def _batch(this: Run, rows: data.Sequences, part: Sequence[int]) -> data.Batch:
    student, longest = this.prepared.student, this.config.data.max_length
    fill = this.prepared.compute.likes_even_shapes
    lengths = [rows.length(sequence) for sequence in part]
    if student.flat:
        most = this.config.batch.micro * longest
        return rows.flatten(part, min(most, data.even(sum(lengths))) if fill else 0)
    return rows.collate(part, pad_id(student), min(longest, data.even(max(lengths))) if fill else 0)


def update(this: Run, loss: float, norm: float) -> bool:
    """Change the weights, or do what the guard says instead; False when the step is to be tried anew with other rows.

    Raises UserError when the run has to end.
    """
    progress, config = this.progress, this.config
    step = progress.step + 1
    if not math.isfinite(norm) and math.isfinite(loss) and progress.scale.overflowed():
        this.optimizer.zero_grad(set_to_none=True)
        return finish(this, loss)
    verdict, what = progress.guard.judge(loss, norm, config.guard)
    if verdict == "stop":
        raise stopped_by(what, step, this.output)
    if verdict == "rewind":
        rewind(this, what)
        return False
    if verdict == "skip":
        progress.guard.skip(step, what)
        this.monitor.event("message", text=f"Step {step:,} was left out: {what}.", step=step)
        this.optimizer.zero_grad(set_to_none=True)
        return finish(this, loss)
    if verdict == "note":
        this.monitor.event("message", text=f"At step {step:,} {what}.", step=step)
    apply(this, norm)
    progress.guard.went_well(loss)
    return finish(this, loss)


def apply(this: Run, norm: float) -> None:
    """Clip the gradients, whose norm without the loss scale is `norm`, and let the optimizer change the weights."""
    clip = this.config.optimizer.clip
    gradients.scale(this.parameters, (min(1.0, clip / (norm + 1e-6)) if clip else 1.0) / this.progress.scale.value)
    this.optimizer.step()
    this.optimizer.zero_grad(set_to_none=True)
    this.progress.scale.went_well()


def finish(this: Run, loss: float) -> bool:
    """Count a step as done."""
    this.progress.step += 1
    this.progress.loss = loss
    return True


def validate(this: Run) -> None:
    """Measure the mean loss over the trained tokens of the validation sequences, or of so many spread over them."""
    held, progress = this.prepared.validation, this.progress
    if held is None:
        return
    every = math.ceil(len(held.members) / VALIDATION_SEQUENCES)
    chosen = sorted(range(0, len(held.members), every), key=held.length)
    this.prepared.objective.eval()
    summed = 0.0
    with torch.no_grad():
        for _, batch in batches_of(this, held, chosen, this.config.batch.micro):
            summed += this.prepared.objective(batch.to(this.prepared.compute.device)).item()
    sharding.give_back(this.prepared.objective)
    progress.validation = this.group.total(summed) / held.targets(chosen)
    better = progress.validation < progress.best
    progress.best, progress.worse = (progress.validation, 0) if better else (progress.best, progress.worse + 1)
    this.monitor.event("validation", step=progress.step, loss=round(progress.validation, 6), sequences=len(chosen))


def waypoint(this: Run) -> Waypoint:
    """Which weights these are, as far as a run that was killed must tell them from others of the same step."""
    progress = this.progress
    loss = None if math.isnan(progress.loss) else progress.loss
    return Waypoint(progress.step, loss, progress.guard.rewinds, progress.guard.offset)


def total_steps(config: RunConfig, sequences: int) -> int:
    """budget.steps, or as many steps as budget.epochs passes over the data take."""
    if config.budget.epochs is not None:
        return max(1, math.ceil(config.budget.epochs * sequences / (config.batch.micro * config.batch.accumulation)))
    assert config.budget.steps is not None
    return config.budget.steps


def pad_id(student: model.Student) -> int:
    """Any id will do: padding is never attended to and never trained."""
    return int(student.tokenizer.pad_token_id or 0)


def _seed(seed: int, step: int, sequences: Sequence[int]) -> int:
    return hash((seed, step, *sequences)) & (2**63 - 1)
