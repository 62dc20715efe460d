"""Bytes and floating-point operations of a run, in closed form from the model's shape.

Notation: h hidden, I intermediate, L layers, V vocabulary, P parameters, A trained parameters (of the adapter, or all), T tokens of a
micro-batch, w bytes of a number in the arithmetic (2 for bf16 and fp16, 4 for fp32), S processes that share a sharded model out, t
processes that share each layer. What a layer saves is in `core.training.activations`.

Everything else follows from what the engine allocates; `parts` says from what. Against `core.engine.count`, which walks the real
graph, the totals are within 5 percent (tests/core/engine/test_count.py). What neither knows is scratch space of libraries and
fragmentation: `overhead` is an allowance for those, on a CPU fitted to eight runs of the starter (within 10 percent); earlier runs on the
same machine correct it (`core.training.calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.models import ModelShape
from core.training import activations
from core.training.config import RunConfig
from core.training.trained import adapted, largest, optimizer_bytes, scratch_bytes, trained

GPU_LOGITS: Final = 512 << 20
CPU_LOGITS: Final = 8 << 20
"""The engine's budget for a chunk of logits (`core.engine.compute.Compute.logits_budget`)."""
PROCESS: Final = 620 << 20
"""Main memory of a worker with torch, transformers and PEFT imported, its data read, and no weight loaded."""
CONTEXT: Final = 700 << 20
"""GPU memory of a CUDA context with its libraries' workspaces, half a gigabyte to one."""
GPU_HOLES: Final = 0.06
CPU_HOLES: Final = 0.10
"""Share of what is in use that lies in holes of the allocator: torch's own on a GPU, the C library's on a CPU."""
CPU_SCRATCH: Final = 3.5
"""On a CPU, the holes that a layer's short-lived tensors leave, in activations of one layer."""
MESSAGE: Final = 64 << 20
"""Gradients that travel in one message between copies of the model (`core.engine.parallel.BUCKET`)."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one process holds at once. rows: of a micro-batch. width: tokens of its longest row. packed: rows hold several
    samples. gpu: where. batches: micro-batches a step, of this process. bf16: whether the device has it.
    flat: rows lie end to end, without padding and mask."""

    rows: int
    width: int
    packed: bool
    gpu: bool
    batches: int = 1
    bf16: bool = True
    flat: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of a micro-batch, with padding."""
        return self.rows * self.width


@dataclass(frozen=True, slots=True)
class Spread:
    """How the model lies over processes. shards: processes that share it out, 1 for whole copies. copies: processes whose
    gradients are added up. mode: single, ddp or fsdp."""

    mode: str
    shards: int
    copies: int

    @property
    def sharded(self) -> bool:
        """Whether no process holds all of it."""
        return self.mode == "fsdp"


def spread_of(config: RunConfig) -> Spread:
    """How the engine lays the model out; "auto" is taken for whole copies, as the engine takes it."""
    parallel = config.parallel
    if parallel.world == 1:
        return Spread("single", 1, 1)
    if parallel.mode == "fsdp":
        return Spread("fsdp", parallel.world // (parallel.replicas * parallel.tensor), parallel.world)
    return Spread("ddp", 1, parallel.world)


def number_bytes(config: RunConfig, load: Load) -> int:
    """Bytes of a number in the arithmetic; the engine computes in fp32 where a CPU has no bf16."""
    exact = config.precision.dtype == "fp32" or (config.precision.dtype == "bf16" and not load.bf16)
    return 4 if exact else 2


def logits_budget(load: Load) -> int:
    """Bytes of logits that the engine makes at a time."""
    return GPU_LOGITS if load.gpu else CPU_LOGITS


def parts(config: RunConfig, shape: ModelShape, load: Load) -> dict[str, int]:
    """Bytes of one process by what they are for, and their total, at the moment when most is held.

    weights       w P when frozen, 4 P when trained, shared out over S and t. Trained in 16 bit, autocast keeps a copy, 2 P more
    adapter       4 A, fp32 as PEFT makes it, shared out; in 16 bit a copy, 2 A
    optimizer     `optimizer_bytes` shared out, with `scratch_bytes` in its own step
    gathered      of a sharded model: two layers, and norm and head (with a tied embedding); without resharding all of it
    gradients     4 A, shared out; whole between micro-batches, for only the last one is added up over processes
    activations   L x kept x T, and where they are computed again those of one layer
    logits        a chunk in fp32 and in the format of the arithmetic, with the states before and after it and a trained head's gradient; with
                  kernels = "off" three times all of them; or a sharded layer's gradients on their way; or, between copies of the model, a message of gradients
    overhead      allowance for the process, or the CUDA context, and for fragmentation

    With offload the shards of weights, adapter, gradients and optimizer lie in main memory and are not counted here
    (`offloaded`).
    """
    states = _states(config, shape, load)
    moment = max(_moments(config, shape, load), key=lambda found: sum(found.values()))
    memory = {name: round(states.get(name, 0) + moment.get(name, 0)) for name in PARTS}
    if not spread_of(config).sharded:
        del memory["gathered"]
    memory["overhead"] = round(_overhead(config, shape, load, sum(memory.values())))
    return {**memory, "total": sum(memory.values())}


def _overhead(config: RunConfig, shape: ModelShape, load: Load, held: float) -> float:
    """What no count sees, beside `held` bytes of tensors."""
    if load.gpu:
        return CONTEXT + GPU_HOLES * held
    layer = activations.whole(config, shape, number_bytes(config, load), _more(config, shape, load)) * load.tokens
    return PROCESS + CPU_HOLES * held + CPU_SCRATCH * layer


def _more(config: RunConfig, shape: ModelShape, load: Load) -> float:
    """Bytes a token and layer that keeping samples apart costs, and dropout."""
    width = load.width if load.packed and not load.flat else 0
    size = number_bytes(config, load)
    dropped = activations.dropped(config, shape, size, gpu=load.gpu)
    return activations.apart(config, shape, size, width=width, flat=load.flat, gpu=load.gpu) + dropped


PARTS: Final = ("weights", "adapter", "gradients", "optimizer", "gathered", "activations", "logits")


def offloaded(config: RunConfig, shape: ModelShape, load: Load) -> int:
    """Bytes in main memory that a process of an offloaded run holds for good: its shards of everything."""
    if not (spread_of(config).sharded and config.parallel.offload):
        return 0
    size, shards = number_bytes(config, load), spread_of(config).shards
    full, changed = config.method.kind == "full", trained(config, shape)
    weights = (4 if full else size) * shape.parameters + (0 if full else 4 * changed)
    return round((weights + 4 * changed + optimizer_bytes(config, shape)) / shards)


def _states(config: RunConfig, shape: ModelShape, load: Load) -> dict[str, float]:
    """What is held all the time."""
    spread, full = spread_of(config), config.method.kind == "full"
    size, changed = number_bytes(config, load), trained(config, shape)
    held = {"gathered": _gathered(config, shape, size)} if spread.sharded else {}
    if spread.sharded and config.parallel.offload:
        return held
    split = shape.linear_parameters / config.parallel.tensor + shape.parameters - shape.linear_parameters
    shared = split / shape.parameters / spread.shards
    return {
        **held,
        "weights": (4 if full else size) * split / spread.shards,
        "adapter": 0 if full else 4 * changed / spread.shards,
        "optimizer": optimizer_bytes(config, shape) * (shared if full else 1 / spread.shards),
    }


def _gathered(config: RunConfig, shape: ModelShape, size: int) -> float:
    """Whole weights that a process of a sharded run holds at once, in the type they are gathered in."""
    adapter = 0 if config.method.kind == "full" else 4 * adapted(config, shape)
    layers = size * shape.linear_parameters / config.parallel.tensor + adapter
    head = size * shape.vocab * shape.hidden
    if not config.parallel.reshard:
        return layers + head * (1 if shape.tied else 2)
    return min(2, shape.layers) * layers / shape.layers + head


def _moments(config: RunConfig, shape: ModelShape, load: Load) -> list[dict[str, float]]:
    """What comes on top of the states, in the order of a step: after the layers, at the head, in the backward pass of the final norm, of the
    last layer, of the first and of the embedding, in the optimizer, and while gradients travel."""
    spread, full = spread_of(config), config.method.kind == "full"
    size, tokens, changed = number_bytes(config, load), load.tokens, trained(config, shape)
    tensor, offload = config.parallel.tensor, spread.sharded and config.parallel.offload
    again = config.parallel.activation_checkpointing
    more = _more(config, shape, load)
    head_weights = shape.vocab * shape.hidden

    kept = shape.layers * (
        activations.kept(config, shape, size, more) * tokens + activations.kept_a_layer(config, shape, size)
    )
    whole = activations.whole(config, shape, size, more) * tokens
    first = kept / shape.layers
    passing = max(activations.passing(config, shape, size) * tokens, activations.lengths(config, shape, size))
    computed = max(0.0, whole - first) + passing  # products that "selective" has kept are not made again
    stream, norm = (width * shape.hidden * tokens for width in _around(config, shape, size))
    mask = load.rows * load.width**2 if load.packed and not load.flat else 0

    whole_gradients = 4 * changed / (tensor if full else 1)
    shard_gradients = 0.0 if offload else 4 * changed / spread.shards / (tensor if full else 1)
    before = whole_gradients if load.batches > 1 else 0.0
    after = before + shard_gradients if spread.sharded else whole_gradients
    copied = 0.0 if size == 4 or (full and spread.sharded) else 2.0 * changed
    named = "weights" if full else "adapter"
    copies = {named: copied}
    later = copies if again == "none" else {named: 2.0 * head_weights if full and copied else 0.0}

    head = _head(config, shape, load) + 2 * size * shape.hidden * tokens
    layer = 4 * changed / shape.layers if not full else 4 * shape.linear_parameters / shape.layers
    arriving = 2.0 * layer if spread.sharded else 0.0

    heads = 4 * head_weights if full and not before else 0
    last = 0 if shape.tied or spread.sharded else heads  # an embedding of its own has its gradient after all layers
    message = min(4 * changed, max(MESSAGE, 4 * largest(config, shape))) if spread.mode == "ddp" else 0
    scratch = 0 if offload else scratch_bytes(config, shape, gpu=load.gpu) / spread.shards
    return [
        {"gradients": before, "activations": kept + stream + mask, **copies},
        {"gradients": before, "activations": kept + stream + mask, "logits": head, **later},
        {"gradients": before + heads, "activations": kept + norm + stream + mask, **later},
        {"gradients": before + heads, "activations": kept + computed + stream + mask, "logits": arriving, **later},
        {"gradients": after - last, "activations": first + computed + stream, "logits": arriving},
        {"gradients": after, "logits": 4 * head_weights * (2 if shape.tied else 1) if full else 0},
        {"gradients": after, "optimizer": scratch},
        {"gradients": after, "logits": message},
    ]


def _around(config: RunConfig, shape: ModelShape, size: int) -> tuple[int, int]:
    """Bytes a token and number of width: what embedding, final norm and the states before the head keep; and what that norm takes in its
    backward pass, while all layers still have what they keep."""
    ours, full = activations.fused(config, shape), config.method.kind == "full"
    kept = (4 if full else size) if ours else (8 if full else 4)
    return kept + size, (12 if ours else 16) + (size if size == 2 else 0)


def flops_per_token(config: RunConfig, shape: ModelShape, context: float) -> float:
    """Floating-point operations that one trained token costs.

    2 a weight for the forward pass and 2 for the gradient of what came before; 2 more for the gradient of the weight itself
    where it is trained, and 2 more for a second forward pass with activation checkpointing. Weights: all linear
    layers and the head, not the embedding. Attention over `context` tokens, causal: 2 L q context forward, twice that back.
    """
    weights = shape.linear_parameters + shape.vocab * shape.hidden
    extra = 0 if config.method.kind == "full" else adapted(config, shape)
    again = 1 if config.parallel.activation_checkpointing == "full" else 0
    learned = weights if config.method.kind == "full" else extra
    attention = 2.0 * shape.layers * shape.heads * shape.head_dim * context
    return (4.0 + 2.0 * again) * (weights + extra) + 2.0 * learned + (3.0 + again) * attention


def _head(config: RunConfig, shape: ModelShape, load: Load) -> int:
    """Bytes of logits, with the gradient of the states before them and that of a trained head."""
    rows = _rows_of_logits(config, shape, load)
    logits, states = rows * shape.vocab, number_bytes(config, load) * rows * shape.hidden
    learned = 4 * shape.vocab * shape.hidden if config.method.kind == "full" else 0
    if config.kernels == "off":  # before the head has a gradient
        return _chunk(config, load, logits)
    return max(_chunk(config, load, logits) + states + learned, 4 * logits + 2 * learned)


def _chunk(config: RunConfig, load: Load, logits: int) -> int:
    """Bytes that so many logits take: in fp32, and rounded before or after; with the model's own head three times in fp32, for
    their logarithms and their gradient."""
    rounded = 0 if number_bytes(config, load) == 4 else 2
    return logits * (12 if config.kernels == "off" else 4 + rounded)


def _rows_of_logits(config: RunConfig, shape: ModelShape, load: Load) -> int:
    """How many rows of logits exist at once: what a chunk may take, or all of them where the model's own head is used."""
    if config.kernels == "off":
        return load.tokens
    return min(load.tokens, max(1, logits_budget(load) // (4 * shape.vocab)))


def evaluation(config: RunConfig, shape: ModelShape, load: Load) -> int:
    """Bytes of one process while it measures the validation loss on batches like `load`: no activation outlives its layer."""
    size, full = number_bytes(config, load), config.method.kind == "full"
    copies = 0 if size == 4 or (full and spread_of(config).sharded) else 2 * trained(config, shape)
    rows = _rows_of_logits(config, shape, load)
    inside = size * load.tokens * (4 * shape.hidden + 3 * shape.intermediate / config.parallel.tensor)
    head = _chunk(config, load, rows * shape.vocab) + 2 * size * shape.hidden * load.tokens
    held = sum(_states(config, shape, load).values()) + copies + max(inside, head)
    return round(held + _overhead(config, shape, load, held))
