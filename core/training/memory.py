"""Bytes and floating-point operations of a run, in closed form from the model's shape.

Notation: h hidden, I intermediate, q heads x head size, k key-value heads x head size, H heads, L layers, V vocabulary,
P parameters, A trained parameters (of the adapter, or all), r rank, T tokens of a micro-batch, w bytes of a number in the
arithmetic (2 for bf16 and fp16, 4 for fp32).

Saved for the backward pass, bytes a token and layer, counted with torch's saved-tensor hooks over Llama and Qwen2 blocks
of transformers 5.23 with PEFT 0.21 (seven shapes each, fitted to 0.03 percent):

    adapter, 16 bit   24 h + 8 I + 4 k + 14 r + 4 H          all weights, 16 bit   30 h + 8 I + 4 k + 4 H
    adapter, fp32     24 h + 16 I + 8 k + 28 r + 4 H         all weights, fp32     32 h + 16 I + 8 k + 4 H
    packed, more      2 w (q - k) + w x width                keys and values copied to every head, and a mask a layer

Everything else follows from what the engine allocates; each function says from what. Against the counted peaks of a 7B
model in notes/training.md section 6 the total is within 2.5 percent (tests/core/training/test_memory.py). What it cannot
know is scratch space of libraries and fragmentation: `overhead` is an allowance for those, on a CPU taken from eight runs
of the starter (within 10 percent of the peaks of their processes, 20 percent with activation checkpointing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.models import ModelShape
from core.training.config import RunConfig

GPU_LOGITS: Final = 512 << 20
CPU_LOGITS: Final = 8 << 20
"""The engine's budget for a chunk of logits (`core.engine.compute.Compute.logits_budget`)."""
PROCESS: Final = 530 << 20
"""Main memory of a worker with torch, transformers and PEFT imported and nothing loaded."""
CONTEXT: Final = 700 << 20
"""GPU memory of a CUDA context with its libraries' workspaces, half a gigabyte to one."""
GPU_HOLES: Final = 0.06
CPU_HOLES: Final = 0.30
"""Share of what is in use that lies in holes of the allocator: torch's own on a GPU, the C library's on a CPU."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one process holds at once. rows: of a micro-batch. width: tokens of its longest row. packed: rows hold several
    samples. gpu: where."""

    rows: int
    width: int
    packed: bool
    gpu: bool

    @property
    def tokens(self) -> int:
        """Tokens of a micro-batch, with padding."""
        return self.rows * self.width


def number_bytes(config: RunConfig) -> int:
    """Bytes of a number in the arithmetic."""
    return 4 if config.precision.dtype == "fp32" else 2


def adapted(config: RunConfig, shape: ModelShape) -> int:
    """Parameters of the adapter: rank x (inputs + outputs) of each adapted layer (Hu et al. 2021)."""
    targets = config.method.targets
    return sum(
        config.method.rank * (linear.inputs + linear.outputs) * linear.count
        for linear in shape.linears
        if targets == "all-linear" or linear.name in targets
    )


def trained(config: RunConfig, shape: ModelShape) -> int:
    """Parameters that the optimizer changes."""
    return shape.parameters if config.method.kind == "full" else adapted(config, shape)


def saved_per_token(config: RunConfig, shape: ModelShape, load: Load) -> float:
    """Bytes a token and layer that the forward pass keeps for the backward pass, without activation checkpointing."""
    size = number_bytes(config)
    apart = 0
    if load.packed:
        apart = size * (2 * (shape.heads - shape.kv_heads) * shape.head_dim + load.width)
    half = size == 2
    wide = 8 * shape.intermediate + 4 * shape.kv_heads * shape.head_dim
    hidden = 24 * shape.hidden
    rank = 14 * config.method.rank
    if config.method.kind == "full":
        hidden, rank = (30 if half else 32) * shape.hidden, 0
    return hidden + (1 if half else 2) * (wide + rank) + 4 * shape.heads + apart


def parts(config: RunConfig, shape: ModelShape, load: Load) -> dict[str, int]:
    """Bytes of one process by what they are for, and their total, at the moment when most is held.

    weights       w P when frozen. 4 P when trained, and 2 P more in 16 bit: autocast keeps a copy of what it multiplies.
    adapter       4 A, fp32 as PEFT makes it, and 2 A in 16 bit
    gradients     4 A             optimizer  8 A, AdamW's two moments in fp32
    activations   L x saved x T; with checkpointing w L h T (each layer's input) + one layer's saved x T
    logits        the larger of: two chunks of logits in fp32, with the states before and after them, 2 w h T, and the
                  gradient of a trained head, 4 V h; or, later, the gradients inside one layer, 4 w I T, and when
                  packed 4 w T x width for its mask
    overhead      allowance for the process, or the CUDA context, and for fragmentation
    """
    full = config.method.kind == "full"
    size, tokens, changed = number_bytes(config), load.tokens, trained(config, shape)
    copies = 2 if size == 2 else 0
    saved = saved_per_token(config, shape, load) * tokens
    if config.parallel.activation_checkpointing == "none":
        activations = shape.layers * saved
    else:
        activations = size * shape.layers * shape.hidden * tokens + saved
    chunk = min(4 * tokens * shape.vocab, GPU_LOGITS if load.gpu else CPU_LOGITS)
    chunk = max(chunk, 4 * shape.vocab)
    head = 2 * chunk + 2 * size * shape.hidden * tokens + (4 * shape.vocab * shape.hidden if full else 0)
    inside = 4 * size * tokens * (shape.intermediate + (load.width if load.packed else 0))
    memory = {
        "weights": shape.parameters * (4 + copies if full else size),
        "adapter": 0 if full else changed * (4 + copies),
        "gradients": 4 * changed,
        "optimizer": 8 * changed,
        "activations": round(activations),
        "logits": round(max(head, inside)),
    }
    fixed, holes = (CONTEXT, GPU_HOLES) if load.gpu else (PROCESS, CPU_HOLES)
    memory["overhead"] = round(fixed + holes * sum(memory.values()))
    return {**memory, "total": sum(memory.values())}


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


def checkpoint_bytes(config: RunConfig, shape: ModelShape, tokenizer: int) -> int:
    """One checkpoint on disk: trained weights and AdamW's two moments in fp32, and the tokenizer's files."""
    return 12 * trained(config, shape) + tokenizer
