"""What a run will take, in closed form: instant, without torch, for a dialog that follows the keyboard.

Memory of one process, in bytes (h hidden, I intermediate, L layers, V vocabulary, T tokens of a micro-batch, P parameters):

    weights      b * P                        b = 2 for 16-bit, 4 for fp32; all weights are fp32 when all are trained
    adapter      4 * P_lora                   PEFT keeps adapters in fp32
    gradients    4 * P_trained                optimizer 8 * P_trained (AdamW: two moments in fp32)
    activations  L * T * (8 I + 31 h) * b/2   saved for the backward pass; with checkpointing b L T h + 1.6 layers
    logits       3 * min(budget, 4 T V)       the head works in chunks (kernels.linear_cross_entropy)

The activation constants were fitted to a count of a 7B Llama-type model's real graph (258 KB a token and layer in bf16).
Compute is 4 N_frozen + 6 N_trained FLOP a token, plus 6 L h S for causal attention over S tokens.
It is a forecast: allocator, scratch and fragmentation add 5 to 10 percent.
"""

from __future__ import annotations

import math
import shutil
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.jobs.events import last_events
from core.jobs.folder import list_jobs, read_job
from core.models import Model, inspect
from core.models.shape import ModelShape
from core.training import machine
from core.training.config import RunConfig
from core.training.dataset import DataShape, measure

PACKED_FULL = 0.95
"""Share of a packed sequence that best-fit packing fills, about."""
GPU_BUDGET = 512 * 2**20
CPU_BUDGET = 8 * 2**20
MANY_PASSES = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """memory: bytes a process by part, and their total. tokens, flops: of the whole run. seconds: None until one was measured.

    fits: None when the machine's free memory is unknown. checkpoint_bytes: one checkpoint with what resuming needs.
    """

    memory: Mapping[str, int]
    tokens: int
    flops: float
    steps: int
    epochs: float
    seconds: float | None
    fits: bool | None
    free: int
    checkpoint_bytes: int
    device: str
    warnings: tuple[str, ...]


def estimate(config: RunConfig, shape: ModelShape, data: DataShape, on: machine.Machine) -> Plan:
    """The plan of `config` on this machine, without time (`forecast` adds it) and without a look at the disk."""
    rows = config.batch.micro * config.batch.accumulation
    sequences = _sequences(config, data)
    within = data.tokens_within(config.data.max_length)
    if config.budget.epochs is not None:
        steps = max(1, math.ceil(config.budget.epochs * sequences / rows))
    else:
        steps = config.budget.steps or 1
    tokens = round(steps * rows * within / sequences)
    memory = _memory(config, shape, data, gpu=on.gpus > 0)
    trained = _trained(config, shape)
    frozen = 0 if config.method.kind == "full" else shape.parameters
    length = config.data.max_length if config.data.packing else min(data.longest, config.data.max_length)
    flops = tokens * (4.0 * frozen + 6.0 * trained + 6.0 * shape.layers * shape.hidden * length)
    epochs = steps * rows / sequences
    saved = 4 * trained
    return Plan(
        memory=memory,
        tokens=tokens,
        flops=flops,
        steps=steps,
        epochs=epochs,
        seconds=None,
        fits=memory["total"] <= on.free if on.free else None,
        free=on.free,
        checkpoint_bytes=saved + 2 * saved,
        device=on.device,
        warnings=tuple(_warnings(config, shape, data, epochs)),
    )


def forecast(config: RunConfig, base: Model, snapshot: Path, jobs: Path) -> Plan:
    """`estimate` for what lies on this disk, with the time that earlier runs on this machine suggest.

    Raises UserError when base or snapshot cannot be read.
    """
    from dataclasses import replace

    root = base.base or base.path
    on = machine.look()
    plan = estimate(config, inspect(root), measure(snapshot, _tokenizer(base)), on)
    speed = measured_speed(jobs, root, config.method.kind, on.device)
    free = shutil.disk_usage(jobs).free
    needed = plan.checkpoint_bytes * (config.checkpoints.keep + 1)
    warnings = list(plan.warnings)
    if needed > free:
        warnings.append(
            f"Checkpoints need {needed / 2**30:.1f} GiB, but only {free / 2**30:.1f} GiB are free on this disk."
        )
    if plan.fits is False:
        warnings.append("It will probably not fit: lower the rows at a time or the longest row.")
    seconds = plan.tokens / (speed * config.parallel.processes) if speed else None
    return replace(plan, seconds=seconds, warnings=tuple(warnings))


def measured_speed(jobs: Path, base: Path, kind: str, device: str) -> float | None:
    """Tokens a second and process of the newest run with this base and method on this device; None when there was none."""
    for info in list_jobs(jobs):
        if info.kind != "train" or not info.step:
            continue
        request = read_job(info.folder).request
        method = request.get("config", {}).get("method", {}).get("kind")
        if (request.get("base_root"), method, request.get("device")) != (str(base), kind, device):
            continue
        speeds = [event["tokens_per_second"] for event in last_events(info.folder.events) if event["kind"] == "step"]
        if speeds:
            return float(statistics.median(speeds)) / max(1, info.processes)
    return None


def _tokenizer(base: Model) -> Path:
    own = base.path / "tokenizer.json"
    return base.path if own.is_file() or base.base is None else base.base


def _sequences(config: RunConfig, data: DataShape) -> int:
    """Rows of one pass over the data, as the loop counts them."""
    if not config.data.packing:
        return data.samples
    packed = data.tokens_within(config.data.max_length) / (config.data.max_length * PACKED_FULL)
    return max(1, min(data.samples, math.ceil(packed)))


def _trained(config: RunConfig, shape: ModelShape) -> int:
    """Parameters that change: all, or rank * (inputs + outputs) for each adapted linear layer."""
    if config.method.kind == "full":
        return shape.parameters
    targets = config.method.targets
    return sum(
        config.method.rank * (linear.inputs + linear.outputs) * linear.count
        for linear in shape.linears
        if targets == "all-linear" or linear.name in targets
    )


def _memory(config: RunConfig, shape: ModelShape, data: DataShape, *, gpu: bool) -> dict[str, int]:
    full = config.method.kind == "full"
    width = 4 if config.precision.dtype == "fp32" else 2
    trained = _trained(config, shape)
    longest = config.data.max_length if config.data.packing else min(data.longest, config.data.max_length)
    tokens = config.batch.micro * longest
    layer = tokens * (8 * shape.intermediate + 31 * shape.hidden) * width / 2
    if config.parallel.activation_checkpointing == "none":
        activations = shape.layers * layer
    else:
        activations = width * shape.layers * tokens * shape.hidden + 1.6 * layer
    budget = GPU_BUDGET if gpu else CPU_BUDGET
    memory = {
        "weights": shape.parameters * (4 if full else width),
        "adapter": 0 if full else 4 * trained,
        "gradients": 4 * trained,
        "optimizer": 8 * trained,
        "activations": round(activations),
        "logits": 3 * min(budget, 4 * tokens * shape.vocab),
    }
    return {**memory, "total": sum(memory.values())}


def _warnings(config: RunConfig, shape: ModelShape, data: DataShape, epochs: float) -> list[str]:
    found = []
    cut = data.cut(config.data.max_length)
    if cut:
        found.append(
            f"{cut:,} of {data.samples:,} samples are longer than {config.data.max_length:,} tokens and will be cut."
        )
    if shape.positions is not None and config.data.max_length > shape.positions:
        found.append(f"The base has only {shape.positions:,} positions; the longest row must not exceed them.")
    if epochs > MANY_PASSES:
        found.append(f"Every sample is seen {epochs:.0f} times; the student may learn them by heart.")
    if config.validation.every and not data.validation:
        found.append("The snapshot holds nothing back, so there will be no validation loss.")
    return found
