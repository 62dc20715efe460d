"""What a run will take, before it starts: memory, time, disk, and how its processes will share the model.

`estimate` is closed form and instant, for a dialog that follows the keyboard; `forecast` adds what only this machine's
disk knows: speed and memory of earlier runs. It is a forecast: nothing is loaded, no step is tried.
"""

from __future__ import annotations

import math
import shutil
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.jobs.events import last_events
from core.jobs.folder import read_job
from core.jobs.status import list_jobs
from core.models import Model, ModelShape, inspect
from core.training import calibration, machine, memory, strategy, trained
from core.training.calibration import Calibration
from core.training.config import RunConfig
from core.training.config_file import from_mapping, to_mapping
from core.training.dataset import DataShape, measure
from core.training.planned import Plan
from core.training.remarks import remarks

PACKED_FULL = 0.95
"""Share of a packed sequence that best-fit packing fills, about."""
COMMON_SHARE = 0.9
"""Share of a GPU's memory that is counted on where several machines must come to the same choice."""
PF_DAY = 1e15 * 86_400
"""Operations in a petaflop/s-day."""


def _never(_config: RunConfig, _closed: int) -> Calibration:
    return Calibration()


def estimate(
    config: RunConfig,
    shape: ModelShape,
    data: DataShape,
    on: machine.Machine,
    *,
    tokenizer: int = 0,
    calibrated: Callable[[RunConfig, int], Calibration] = _never,
) -> Plan:
    """The plan of `config` on this machine, without time and without a look at the disk.

    tokenizer: bytes of its files. calibrated: what earlier runs say of a configuration whose mode is written out, and of its closed form.
    """

    def total(tried: RunConfig) -> int:
        closed = memory.parts(tried, shape, load_of(tried, data, on))["total"]
        return round(closed * calibrated(tried, closed).factor)

    choice = strategy.choose(config, lambda tried: _fits(tried, total(tried), shape, on))
    parallel = {
        key: value
        for key, value in to_mapping(choice.config)["parallel"].items()
        if value != to_mapping(config)["parallel"][key]
    }
    config = choice.config
    rows, within = config.batch.micro * config.batch.accumulation, data.tokens_within(config.data.max_length)
    sequences = _sequences(config, data, within)
    steps = config.budget.steps or 1
    if config.budget.epochs is not None:
        steps = max(1, math.ceil(config.budget.epochs * sequences / rows))
    epochs = steps * rows / sequences
    tokens = round(epochs * within)
    load = load_of(config, data, on)
    closed = memory.parts(config, shape, load)
    known = calibrated(config, closed["total"])
    parts = known.apply(closed)
    low, high = known.between(parts["total"])
    flops = tokens * memory.flops_per_token(config, shape, data.mean_context(config.data.max_length))
    plan = Plan(
        memory=parts,
        low=low,
        high=high,
        measured=known.runs,
        closed=closed["total"],
        tokens=tokens,
        flops=flops,
        pf_days=flops / PF_DAY,
        tokens_per_parameter=tokens / shape.parameters,
        steps=steps,
        epochs=epochs,
        trainable=trained.trained(config, shape),
        seconds=None,
        mode=memory.spread_of(config).mode,
        why=choice.why,
        parallel=parallel,
        fits=_fits(config, parts["total"], shape, on),
        free=on.free,
        main_memory=_main_memory(config, shape, load) if on.gpus else 0,
        validation_bytes=_validation(config, shape, data, load),
        checkpoint_bytes=trained.checkpoint_bytes(config, shape, tokenizer),
        device=on.device,
        load=load,
        warnings=(),
    )
    return replace(plan, warnings=tuple(remarks(config, shape, data, plan, on)))


def forecast(config: RunConfig, base: Model, snapshot: Path, jobs: Path) -> Plan:
    """`estimate` for what lies on this disk, with the time and the memory that earlier runs on this machine suggest.

    Raises UserError when base or snapshot cannot be read.
    """
    root = base.base or base.path
    own = base.path / "tokenizer.json"
    words = own if own.is_file() else root / "tokenizer.json"
    gpus = config.parallel.gpus
    on, shape = machine.look(() if gpus == "any" else gpus), inspect(root)
    plan = estimate(
        config,
        shape,
        measure(snapshot, words.parent),
        on,
        tokenizer=words.stat().st_size if words.is_file() else 0,
        calibrated=lambda tried, closed: calibration.calibrate(jobs, calibration.key(tried, shape, on.device), closed),
    )
    speed = measured_speed(jobs, speed_key(settled(config, plan), root, on.device))
    free = shutil.disk_usage(jobs).free
    section = config.checkpoints
    kept = section.keep if section.every else 1
    kept += 1 if section.best and config.validation.every and section.every else 0
    needed = plan.checkpoint_bytes * (kept + 1)  # the next one is written before the oldest goes
    warnings = plan.warnings
    if needed > free:
        warnings = (
            f"Checkpoints need {needed / 2**30:.1f} GiB, but only {free / 2**30:.1f} GiB are free on this disk.",
            *warnings,
        )
    return replace(plan, seconds=plan.tokens / speed if speed else None, warnings=warnings)


def settled(config: RunConfig, plan: Plan) -> RunConfig:
    """The configuration with what the plan has chosen for "auto" written out: what the engine is to do."""
    values = to_mapping(config)
    return from_mapping({**values, "parallel": {**values["parallel"], **plan.parallel}})


def load_of(config: RunConfig, data: DataShape, on: machine.Machine) -> memory.Load:
    """What one process holds at once: its micro-batch at its longest."""
    within = data.tokens_within(config.data.max_length)
    longest = min(data.longest, config.data.max_length)
    sharing = config.parallel.world // config.parallel.tensor
    mine = math.ceil(config.batch.micro * config.batch.accumulation / sharing)
    return memory.Load(
        rows=min(config.batch.micro, _sequences(config, data, within), mine),
        width=min(config.data.max_length, within) if config.data.packing else longest,
        packed=config.data.packing,
        gpu=on.gpus > 0,
        batches=math.ceil(mine / config.batch.micro),
        bf16=on.bf16,
        flat=config.may_be_flat,
    )


def speed_key(config: RunConfig, root: Path, device: str) -> dict[str, Any]:
    """What two runs must share for the speed of one to tell that of the other. config: with its mode written out."""
    parallel = config.parallel
    return {
        "base_root": str(root),
        "device": device,
        "kind": config.method.kind,
        "dtype": config.precision.dtype,
        "processes": parallel.world,
        "mode": parallel.mode,
        "reshard": parallel.reshard,
        "offload": parallel.offload,
        "tensor": parallel.tensor,
        "activation_checkpointing": parallel.activation_checkpointing,
        "kernels": config.kernels,
        "compile": parallel.compile,
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


def _fits(config: RunConfig, total: int, shape: ModelShape, on: machine.Machine) -> bool | None:
    """Whether a total a process fits. A CPU's processes share main memory; machines that must agree look at the GPU's size."""
    if not on.free:
        return None
    if not on.gpus:
        return total * config.parallel.processes <= on.free
    room = on.free if config.parallel.nodes == 1 else int(COMMON_SHARE * on.memory)
    load = memory.Load(1, 1, packed=False, gpu=True)
    held = memory.offloaded(config, shape, load) * config.parallel.processes
    return total <= room and (not on.main or held <= on.main)


def _main_memory(config: RunConfig, shape: ModelShape, load: memory.Load) -> int:
    """Of the workers of this machine together: themselves, offloaded shards, and the whole model where rank 0 reads it first."""
    each = memory.PROCESS + memory.offloaded(config, shape, load)
    whole = 4 if config.method.kind == "full" else memory.number_bytes(config, load)
    return config.parallel.processes * each + (whole * shape.parameters if memory.spread_of(config).sharded else 0)


def _validation(config: RunConfig, shape: ModelShape, data: DataShape, load: memory.Load) -> int:
    if not (config.validation.every and data.validation):
        return 0
    rows = min(config.batch.micro, data.validation)
    width = min(data.validation_longest or data.longest, config.data.max_length)
    return memory.evaluation(config, shape, replace(load, rows=rows, width=width, packed=False))


def _sequences(config: RunConfig, data: DataShape, within: int) -> int:
    """Rows of one pass over the data, as the loop counts them."""
    if not config.data.packing:
        return data.samples
    return max(1, min(data.samples, math.ceil(within / (config.data.max_length * PACKED_FULL))))
