"""The training loop, read from top to bottom: what happens in a run, in the order in which it happens.

One optimizer step trains on batch.micro x batch.accumulation sequences, for any number of processes: they share them out,
so that one process and two give the same losses. The loss is the mean over all trained tokens of the step, counted before the
first backward pass, so that accumulation is the same computation as a larger batch. It refuses to go on with a number that is not finite.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from core.engine import checkpoint, data, model, optim
from core.engine.parallel import Group
from core.engine.prepare import Monitor, Prepared, prepare
from core.errors import UserError
from core.training.config import RunConfig

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
    config: RunConfig, base: Path, snapshot: Path, output: Path, *, run: str, monitor: Monitor, group: Group
) -> Result:
    """Train, and write checkpoints into `output`, from which a second call with the same arguments goes on.

    base: a model folder or a checkpoint. snapshot: a folder with train.jsonl and validation.jsonl. Raises UserError.
    """
    prepared = prepare(config, base, snapshot, run, monitor, group.rank)
    student, compute = prepared.student, prepared.compute
    size = config.batch.micro * config.batch.accumulation
    steps = total_steps(config, len(prepared.train.members))
    parameters = [parameter for _, parameter in student.trainable()]
    optimizer = optim.adamw(
        student.trainable(),
        learning_rate=config.optimizer.learning_rate,
        weight_decay=config.optimizer.weight_decay,
    )
    if group.first:
        checkpoint.sweep(output)
    start, loss = resume(output, prepared, optimizer, monitor)
    validation_loss = math.nan
    if start in (0, steps):
        validation_loss = validate(prepared, start, config, monitor, group)
    monitor.progress(start, steps)
    stopped = False
    saved = done = start

    for step in range(start, steps):
        began = time.perf_counter()
        chosen = prepared.train.at(step, size)
        trained = prepared.train.targets(chosen)
        rate = config.optimizer.learning_rate * optim.factor(
            step, steps, schedule=config.optimizer.schedule, rise=config.optimizer.warmup_steps(steps)
        )
        optim.set_learning_rate(optimizer, rate)

        student.model.train()
        summed = torch.zeros((), dtype=torch.float64, device=compute.device)
        for micro in data.share(chosen, group.rank, group.size, config.batch.micro):
            seed_dropout(config.seed, step, micro)
            batch = prepared.train.collate(micro, pad_id(student)).to(compute.device)
            micro_loss = student.loss(batch, compute)
            (micro_loss / trained).backward()  # type: ignore[no-untyped-call]
            summed += micro_loss.detach()  # read once a step: each read would wait for the GPU
        group.add_gradients(parameters)
        loss = group.total(summed.item()) / trained
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, config.optimizer.clip or math.inf))
        check_finite(step + 1, loss, norm, output)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done = step + 1

        tokens = sum(prepared.train.length(sequence) for sequence in chosen)
        seconds = time.perf_counter() - began
        monitor.event(
            "step",
            step=done,
            loss=round(loss, 6),
            lr=rate,
            grad_norm=round(norm, 6),
            tokens=tokens,
            tokens_per_second=round(tokens / seconds, 1),
        )
        monitor.progress(done, steps)
        if config.validation.every and (done % config.validation.every == 0 or done == steps):
            validation_loss = validate(prepared, done, config, monitor, group)
        stopped = group.any(monitor.should_stop())
        asked = group.any(monitor.checkpoint_requested())
        if stopped or asked or done == steps or (config.checkpoints.every and done % config.checkpoints.every == 0):
            save(output, done, loss, prepared, optimizer, config, monitor, group)
            saved = done
        if stopped:
            break

    if saved != done:
        save(output, done, loss, prepared, optimizer, config, monitor, group)
    paths = tuple(item.path for item in checkpoint.list_checkpoints(output))
    return Result(done, loss, None if math.isnan(validation_loss) else validation_loss, paths, stopped)


def validate(prepared: Prepared, step: int, config: RunConfig, monitor: Monitor, group: Group) -> float:
    """Mean loss over the trained tokens of the validation sequences, or of so many spread over them; nan without any."""
    held = prepared.validation
    if held is None:
        return math.nan
    every = math.ceil(len(held.members) / VALIDATION_SEQUENCES)
    chosen = sorted(range(0, len(held.members), every), key=held.length)
    prepared.student.model.eval()
    summed = 0.0
    with torch.no_grad():
        for micro in data.share(chosen, group.rank, group.size, config.batch.micro):
            batch = held.collate(micro, pad_id(prepared.student)).to(prepared.compute.device)
            summed += prepared.student.loss(batch, prepared.compute).item()
    loss = group.total(summed) / held.targets(chosen)
    monitor.event("validation", step=step, loss=round(loss, 6), sequences=len(chosen))
    return loss


def save(
    output: Path,
    step: int,
    loss: float,
    prepared: Prepared,
    optimizer: torch.optim.Optimizer,
    config: RunConfig,
    monitor: Monitor,
    group: Group,
) -> None:
    """Rank 0 writes; the others wait, so that none runs into a failure of the first one's disk a step later."""
    if group.first:
        path = checkpoint.save(
            output, step, prepared.student, optimizer, {**prepared.identity, "loss": loss}, keep=config.checkpoints.keep
        )
        monitor.event("checkpoint", step=step, path=str(path))
    group.wait()


def resume(output: Path, prepared: Prepared, optimizer: torch.optim.Optimizer, monitor: Monitor) -> tuple[int, float]:
    """Load the newest checkpoint in `output`, if any; its step and loss, or 0 and nan. Raises UserError when data or model have changed."""
    found = checkpoint.list_checkpoints(output)
    if not found:
        return 0, math.nan
    newest = found[-1]
    for key, what in (("start_hash", "base model"), ("data_hash", "training data"), ("template_hash", "chat template")):
        if newest.note.get(key) != prepared.identity[key]:
            raise UserError(
                f"{newest.path.name} cannot be resumed from: the {what} has changed since.",
                "Put it back as it was, or start a new run.",
            )
    checkpoint.restore(newest, prepared.student, optimizer)
    monitor.event("message", text=f"Going on after step {newest.step:,}.", step=newest.step)
    return newest.step, float(newest.note["loss"])


def total_steps(config: RunConfig, sequences: int) -> int:
    """budget.steps, or as many steps as budget.epochs passes over the data take."""
    if config.budget.epochs is not None:
        return max(1, math.ceil(config.budget.epochs * sequences / (config.batch.micro * config.batch.accumulation)))
    assert config.budget.steps is not None
    return config.budget.steps


def seed_dropout(seed: int, step: int, sequences: Sequence[int]) -> None:
    """Random numbers of a micro-batch from what it is, not from what ran before: resuming needs no generator state."""
    torch.manual_seed(hash((seed, step, *sequences)) & (2**63 - 1))


def check_finite(step: int, loss: float, norm: float, output: Path) -> None:
    """Stop before a weight is spoilt. Raises UserError."""
    if math.isfinite(loss) and math.isfinite(norm):
        return
    what = "loss" if not math.isfinite(loss) else "gradient norm"
    older = checkpoint.list_checkpoints(output)
    kept = f" The checkpoint of step {older[-1].step:,} is intact." if older else ""
    raise UserError(
        f"The {what} became {loss if what == 'loss' else norm} at step {step:,}, so the run was stopped.{kept}",
        "Lower optimizer.learning_rate (a third of it), lengthen optimizer.warmup, or set precision.dtype to fp32.",
    )


def pad_id(student: model.Student) -> int:
    """Any id will do: padding is never attended to and never trained."""
    return int(student.tokenizer.pad_token_id or 0)
