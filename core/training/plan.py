"""What a run will take, before it starts: memory, time, disk, and what a person should know about it.

`estimate` is closed form and instant, for a dialog that follows the keyboard; `forecast` adds what only this machine's
disk knows. It is a forecast: nothing is loaded, no step is tried.
"""

from __future__ import annotations

import math
import os
import shutil
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.jobs.events import last_events
from core.jobs.folder import read_job
from core.jobs.status import list_jobs
from core.models import Model, ModelShape, inspect
from core.training import machine, memory
from core.training.config import RunConfig
from core.training.dataset import DataShape, measure

PACKED_FULL = 0.95
"""Share of a packed sequence that best-fit packing fills, about."""
MANY_PASSES = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """memory: bytes a process by part, and their total. tokens, flops: of the whole run. seconds: None until one was measured.

    trainable: parameters that change. fits: None when the machine's free memory is unknown. free: bytes of it, a GPU or of
    main memory. checkpoint_bytes: one checkpoint with what resuming needs. warnings: sentences, the gravest first.
    """

    memory: Mapping[str, int]
    tokens: int
    flops: float
    steps: int
    epochs: float
    trainable: int
    seconds: float | None
    fits: bool | None
    free: int
    checkpoint_bytes: int
    device: str
    warnings: tuple[str, ...]


def estimate(config: RunConfig, shape: ModelShape, data: DataShape, on: machine.Machine, *, tokenizer: int = 0) -> Plan:
    """The plan of `config` on this machine, without time and without a look at the disk. tokenizer: bytes of its files."""
    rows = config.batch.micro * config.batch.accumulation
    within = data.tokens_within(config.data.max_length)
    sequences = _sequences(config, data, within)
    if config.budget.epochs is not None:
        steps = max(1, math.ceil(config.budget.epochs * sequences / rows))
    else:
        steps = config.budget.steps or 1
    epochs = steps * rows / sequences
    tokens = round(epochs * within)
    longest = min(data.longest, config.data.max_length)
    load = memory.Load(
        rows=min(config.batch.micro, sequences, math.ceil(rows / config.parallel.processes)),
        width=min(config.data.max_length, within) if config.data.packing else longest,
        packed=config.data.packing,
        gpu=on.gpus > 0,
    )
    context = data.mean_context(config.data.max_length)
    parts = memory.parts(config, shape, load)
    needed = parts["total"] * (1 if on.gpus else config.parallel.processes)
    plan = Plan(
        memory=parts,
        tokens=tokens,
        flops=tokens * memory.flops_per_token(config, shape, context),
        steps=steps,
        epochs=epochs,
        trainable=memory.trained(config, shape),
        seconds=None,
        fits=needed <= on.free if on.free else None,
        free=on.free,
        checkpoint_bytes=memory.checkpoint_bytes(config, shape, tokenizer),
        device=on.device,
        warnings=(),
    )
    return replace(plan, warnings=tuple(_warnings(config, shape, data, plan, on)))


def forecast(config: RunConfig, base: Model, snapshot: Path, jobs: Path) -> Plan:
    """`estimate` for what lies on this disk, with the time that earlier runs on this machine suggest.

    Raises UserError when base or snapshot cannot be read.
    """
    root = base.base or base.path
    own = base.path / "tokenizer.json"
    words = own if own.is_file() else root / "tokenizer.json"
    on = machine.look()
    size = words.stat().st_size if words.is_file() else 0
    plan = estimate(config, inspect(root), measure(snapshot, words.parent), on, tokenizer=size)
    speed = measured_speed(jobs, speed_key(config, root, on.device))
    free = shutil.disk_usage(jobs).free
    kept = config.checkpoints.keep if config.checkpoints.every else 1
    needed = plan.checkpoint_bytes * (kept + 1)  # the next one is written before the oldest goes
    warnings = plan.warnings
    if needed > free:
        warnings = (
            f"Checkpoints need {needed / 2**30:.1f} GiB, but only {free / 2**30:.1f} GiB are free on this disk.",
            *warnings,
        )
    return replace(plan, seconds=plan.tokens / speed if speed else None, warnings=warnings)


def speed_key(config: RunConfig, root: Path, device: str) -> dict[str, Any]:
    """What two runs must share for the speed of one to tell that of the other."""
    return {
        "base_root": str(root),
        "device": device,
        "kind": config.method.kind,
        "dtype": config.precision.dtype,
        "processes": config.parallel.processes,
        "activation_checkpointing": config.parallel.activation_checkpointing,
    }


def measured_speed(jobs: Path, key: Mapping[str, Any]) -> float | None:
    """Tokens a second, of all processes together, in the newest run with this key; None when there was none."""
    for info in list_jobs(jobs):
        if info.kind != "train" or not info.step:
            continue
        if read_job(info.folder).request.get("speed_key") != key:
            continue
        found = [event.get("tokens_per_second") for event in last_events(info.folder.events) if event["kind"] == "step"]
        speeds = [float(speed) for speed in found if isinstance(speed, int | float) and speed > 0]
        if speeds:
            return statistics.median(speeds)
    return None


def _sequences(config: RunConfig, data: DataShape, within: int) -> int:
    """Rows of one pass over the data, as the loop counts them."""
    if not config.data.packing:
        return data.samples
    return max(1, min(data.samples, math.ceil(within / (config.data.max_length * PACKED_FULL))))


def _warnings(config: RunConfig, shape: ModelShape, data: DataShape, plan: Plan, on: machine.Machine) -> list[str]:
    found = []
    processes, limit = config.parallel.processes, config.data.max_length
    if plan.fits is False:
        where = "on the GPU" if on.gpus else "in main memory"
        found.append(
            f"It will probably not fit: {plan.memory['total'] / 2**30:.1f} GiB a process, {on.free / 2**30:.1f} GiB are free "
            f"{where}. {_smaller(config)}"
        )
    if on.gpus and processes > on.gpus:
        found.append(f"{processes} processes are asked for, but there {_are(on.gpus)} {on.gpus} GPU{_s(on.gpus)}.")
    if not on.gpus and processes > (os.cpu_count() or 1):
        found.append(f"{processes} processes share {os.cpu_count()} CPU cores.")
    if shape.positions is not None and limit > shape.positions:
        found.append(f"The base has only {shape.positions:,} positions; the longest row must not exceed them.")
    cut = data.cut(limit)
    if cut:
        found.append(f"{cut:,} of {data.samples:,} samples are longer than {limit:,} tokens and will be cut.")
    if plan.epochs > MANY_PASSES:
        found.append(f"Every sample is seen {plan.epochs:.0f} times; the student may learn them by heart.")
    elif plan.epochs < 0.5:
        found.append(f"The run ends after {100 * plan.epochs:.0f} % of the samples.")
    if config.validation.every and not data.validation:
        found.append("The snapshot holds nothing back, so there will be no validation loss.")
    rate = config.optimizer.learning_rate
    if config.method.kind == "full" and rate > 1e-4:
        found.append(f"A learning rate of {rate:g} is high for all weights; 1e-5 to 5e-5 is usual.")
    if config.method.kind == "lora" and rate > 2e-3:
        found.append(f"A learning rate of {rate:g} is high for an adapter; 1e-4 to 3e-4 is usual.")
    return found


def _smaller(config: RunConfig) -> str:
    if config.batch.micro > 1:
        return "Lower batch.micro and raise batch.accumulation by as much."
    if config.parallel.activation_checkpointing == "none":
        return "Set parallel.activation_checkpointing to full."
    return "Shorten data.max_length, or take a smaller base."


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
