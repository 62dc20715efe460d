"""What a person should know of a run before it starts: sentences, the gravest first.

Nothing is refused here; what cannot run at all is refused by the configuration or by `core.training.launch`.
"""

from __future__ import annotations

import os

from core.models import ModelShape
from core.training.config import RunConfig
from core.training.dataset import DataShape
from core.training.machine import Machine
from core.training.planned import Plan

MANY_PASSES = 10.0


def remarks(config: RunConfig, shape: ModelShape, data: DataShape, plan: Plan, on: Machine) -> list[str]:
    """The sentences for this plan."""
    found = []
    processes, limit = config.parallel.processes, config.data.max_length
    if plan.fits is False:
        where = "on the GPU" if on.gpus else "in main memory"
        found.append(
            f"It will probably not fit: {plan.memory['total'] / 2**30:.1f} GiB a process, {on.free / 2**30:.1f} GiB are free "
            f"{where}. {_smaller(config)}"
        )
    if on.gpus and on.main and plan.main_memory > on.main:
        found.append(
            f"Main memory will probably not do: {plan.main_memory / 2**30:.1f} GiB are needed beside the GPUs, "
            f"{on.main / 2**30:.1f} GiB are free."
        )
    if plan.validation_bytes > plan.memory["total"]:
        found.append(
            f"Measuring the validation loss takes more memory than training: {plan.validation_bytes / 2**30:.1f} GiB a "
            "process. Lower batch.micro, or set validation.every = 0."
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
