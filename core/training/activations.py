"""What a layer keeps from its forward to its backward pass, in bytes a token, by coefficients that were counted.

Counted with `core.engine.count` over Llama and Qwen2 blocks of transformers 5.23 with PEFT 0.21 as the engine sets it up (its casting left
to autocast), twelve random shapes each; the fit is exact. h hidden, I intermediate, k key-value heads x head size, q heads x head size,
r rank, H heads; w bytes of a number in the arithmetic. Fused: with our operations in the place of PEFT's and transformers' chains
(`kernels.attach`), which is what runs unless `RunConfig.may_be_fused` says no; plain: without.

    nothing recomputed   adapter, 16 bit      fused   8 h +  4 I      plain  12 h +  8 I      and   4 k +  4 q + 14 r + 4 H + 8
    (but for what is     adapter, fp32               16 h +  8 I             16 h + 16 I            8 k +  8 q + 28 r + 4 H + 8
    said below)          DoRA, 16 bit                16 h + 14 I             20 h + 16 I           12 k +  8 q + 14 r + 4 H + 8
                         DoRA, fp32                  32 h + 28 I             32 h + 32 I           24 k + 16 q + 28 r + 4 H + 8
                         all weights, 16 bit         18 h +  6 I             26 h +  8 I            4 k +  4 q        + 4 H + 8
                         all weights, fp32           16 h + 12 I             24 h + 16 I            8 k +  8 q        + 4 H + 8
                         packed, more         2 w (q - k) + w x width                   keys and values copied to every head, a mask a layer
                         end to end: 2 w (q - k) on a GPU, w q on a CPU where o_proj wants its input
    selective            adapter, 16 bit      fused   6 h + 4 I + 4 k + 4 q + 14 r + 4 H      fp32  12 h +  8 I +  8 k +  8 q + 28 r + 4 H
                         adapter, 16 bit      plain  10 h + 8 I + 8 k + 6 q + 14 r + 4 H      fp32  20 h + 16 I + 16 k + 12 q + 28 r + 4 H
                         DoRA                 as a plain adapter, and w (weights of the layer + r x inputs) a layer: its norms are products too
                         all weights, 16 bit          8 h + 4 I + 4 k + 4 q        + 4 H      fp32  12 h +  8 I +  8 k +  8 q        + 4 H
    full                 adapter w h          all weights 4 h                                 the layer's input alone

A feed-forward block is fused only where each of its three layers has an adapter without dropout: else its gate alone is, and it keeps w I more.
An adapter on some layers only keeps less: of a layer without one neither the input, unless another wants it, nor the inner product
(w r less), nor what DoRA makes of its output (2 w outputs); of "selective" not its second output, which a fused layer has not.
Dropout keeps of every adapted layer a copy of its input and which numbers were dropped (a byte each on a GPU, w on a CPU), but no
longer the input that the adapters share; of "selective" DoRA then has one output more.

So "selective" saves an adapter little: PEFT's own products are kept too, and fused operations keep little else; with all weights it halves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.models import Linear, ModelShape
from core.training.config import RunConfig


@dataclass(frozen=True, slots=True)
class Saved:
    """Bytes a token: factors of hidden, intermediate, key-value width, query width, rank and heads, and what a token takes besides."""

    hidden: float
    intermediate: float
    keys: float
    queries: float
    rank: float
    heads: float
    token: float = 0

    def of(self, shape: ModelShape, rank: int, tensor: int) -> float:
        """Bytes a token and layer. tensor: processes that share each layer's heads and feed-forward part."""
        wide = self.intermediate * shape.intermediate + self.heads * shape.heads
        wide += self.keys * shape.kv_heads * shape.head_dim + self.queries * shape.heads * shape.head_dim
        return self.hidden * shape.hidden + wide / tensor + self.rank * rank + self.token


FUSED: Final = True
PLAIN: Final = False
NOTHING: Final = {
    ("lora", 2, FUSED): Saved(8, 4, 4, 4, 14, 4, 8), ("lora", 4, FUSED): Saved(16, 8, 8, 8, 28, 4, 8),
    ("lora", 2, PLAIN): Saved(12, 8, 4, 4, 14, 4, 8), ("lora", 4, PLAIN): Saved(16, 16, 8, 8, 28, 4, 8),
    ("dora", 2, FUSED): Saved(16, 14, 12, 8, 14, 4, 8), ("dora", 4, FUSED): Saved(32, 28, 24, 16, 28, 4, 8),
    ("dora", 2, PLAIN): Saved(20, 16, 12, 8, 14, 4, 8), ("dora", 4, PLAIN): Saved(32, 32, 24, 16, 28, 4, 8),
    ("full", 2, FUSED): Saved(18, 6, 4, 4, 0, 4, 8), ("full", 4, FUSED): Saved(16, 12, 8, 8, 0, 4, 8),
    ("full", 2, PLAIN): Saved(26, 8, 4, 4, 0, 4, 8), ("full", 4, PLAIN): Saved(24, 16, 8, 8, 0, 4, 8),
}  # fmt: skip
SELECTIVE: Final = {
    ("lora", 2, FUSED): Saved(6, 4, 4, 4, 14, 4), ("lora", 4, FUSED): Saved(12, 8, 8, 8, 28, 4),
    ("lora", 2, PLAIN): Saved(10, 8, 8, 6, 14, 4), ("lora", 4, PLAIN): Saved(20, 16, 16, 12, 28, 4),
    ("dora", 2, FUSED): Saved(10, 8, 8, 6, 14, 4), ("dora", 4, FUSED): Saved(20, 16, 16, 12, 28, 4),
    ("dora", 2, PLAIN): Saved(10, 8, 8, 6, 14, 4), ("dora", 4, PLAIN): Saved(20, 16, 16, 12, 28, 4),
    ("full", 2, FUSED): Saved(8, 4, 4, 4, 0, 4), ("full", 4, FUSED): Saved(12, 8, 8, 8, 0, 4),
    ("full", 2, PLAIN): Saved(8, 4, 4, 4, 0, 4), ("full", 4, PLAIN): Saved(12, 8, 8, 8, 0, 4),
}  # fmt: skip
BLOCK: Final = frozenset({"gate_proj", "up_proj", "down_proj"})
"""The layers of a feed-forward block that can be fused."""
TOGETHER: Final = (frozenset({"q_proj", "k_proj", "v_proj"}), frozenset({"gate_proj", "up_proj"}))
"""Layers that read the same input, as wide as the model."""
ROWS: Final = frozenset({"o_proj", "down_proj"})
"""Layers whose input is shared out where processes share each layer."""


def apart(config: RunConfig, shape: ModelShape, size: int, *, width: int, flat: bool, gpu: bool) -> float:
    """Bytes a token and layer that keeping samples apart costs. width: of a row with several under a mask, 0 for none. flat: rows lie end to
    end: a GPU copies keys and values to every head, a CPU joins the answers of single documents (what it keeps of
    short ones in fp32 is not counted)."""
    queries, keys = (heads * shape.head_dim / config.parallel.tensor for heads in (shape.heads, shape.kv_heads))
    if flat and gpu:
        return size * 2 * (queries - keys)
    if flat:
        return 0.0 if "o_proj" in _unread(config, shape) else size * queries
    copied = 2 * size * (queries - keys) if shape.kv_heads > 1 else 0  # one head's are looked at from all places
    return copied + size * width if width else 0.0


def dropped(config: RunConfig, shape: ModelShape, size: int, *, gpu: bool) -> float:
    """Bytes a token and layer that dropout costs: for each adapter a copy of its input, and which numbers were dropped."""
    if not _drops(config):
        return 0.0
    each = size + (1 if gpu else size)
    return each * sum(_inputs(linear, config) * linear.count / shape.layers for linear in _adapted(config, shape))


def whole(config: RunConfig, shape: ModelShape, size: int, more: float) -> float:
    """Bytes a token and layer when nothing is computed again. size: bytes of a number in the arithmetic. more: see `apart` and `dropped`."""
    ours = fused(config, shape)
    found = NOTHING[_method(config), size, ours].of(shape, config.method.rank, config.parallel.tensor)
    if ours and _method(config) == "lora" and not block_fused(config, shape):
        found += size * shape.intermediate
    return found + more - _spared(config, shape, size)


def kept(config: RunConfig, shape: ModelShape, size: int, more: float) -> float:
    """Bytes a token and layer that stay from the forward to the backward pass."""
    again, method, ours = config.parallel.activation_checkpointing, _method(config), fused(config, shape)
    if again == "none":
        return whole(config, shape, size, more)
    if again == "full":
        return float((4 if method == "full" else size) * shape.hidden)
    found = SELECTIVE[method, size, ours].of(shape, config.method.rank, config.parallel.tensor)
    second = 0 if ours and method == "lora" else 1  # outputs of an adapter beside that of its layer
    found -= sum(size * (second * linear.outputs + config.method.rank) for linear in _unadapted(config, shape))
    if method == "dora" and _drops(config):
        found += sum(size * linear.outputs for linear in _adapted(config, shape))
    return found


def kept_a_layer(config: RunConfig, shape: ModelShape, size: int) -> float:
    """Bytes a layer that stay however few the tokens are: what DoRA multiplies to know the length of its rows."""
    if _method(config) != "dora" or config.parallel.activation_checkpointing != "selective":
        return 0.0
    rank = config.method.rank
    numbers = sum(linear.inputs * (linear.outputs + rank) * linear.count for linear in _adapted(config, shape))
    return size * numbers / shape.layers


def passing(config: RunConfig, shape: ModelShape, size: int) -> float:
    """Bytes a token that the backward pass of a feed-forward block takes for a moment, while all that its layer has kept is still there.

    Counted like the rest, but a maximum of several moments: right to about the width of the model.
    """
    wide = shape.intermediate / config.parallel.tensor
    if block_fused(config, shape):
        return size * 3 * wide
    if _method(config) == "dora" and size == 2:
        return size * (7 * wide - shape.hidden)  # lengths are fp32, and so is what they are multiplied with
    if config.method.kind == "lora" and not BLOCK & {linear.name for linear in _adapted(config, shape)}:
        return size * (3 * wide - shape.hidden)
    masks = shape.hidden if _drops(config) and not fused(config, shape) else 0
    return size * (2 * wide - shape.hidden + masks)


def lengths(config: RunConfig, shape: ModelShape, size: int) -> float:
    """Bytes that DoRA takes for a moment to know the length of its rows: PEFT sends a unit matrix through the widest adapter, in fp32 and
    in the format of the arithmetic."""
    if _method(config) != "dora":
        return 0.0
    widest = max((linear.inputs for linear in _adapted(config, shape)), default=0)
    return float((4 + (size if size == 2 else 0)) * widest**2)


def fused(config: RunConfig, shape: ModelShape) -> bool:
    """Whether our operations stand in the layers: there are none for Gemma's norms and blocks, nor for models that are no such gated ones."""
    gated = {linear.name for linear in shape.linears} >= BLOCK and not shape.architecture.startswith("Gemma")
    return config.may_be_fused and gated


def block_fused(config: RunConfig, shape: ModelShape) -> bool:
    """Whether the feed-forward blocks are one operation each."""
    if not fused(config, shape) or _method(config) != "lora" or _drops(config):
        return False
    return {linear.name for linear in _adapted(config, shape)} >= BLOCK


def _method(config: RunConfig) -> str:
    return "dora" if config.method.kind == "lora" and config.method.dora else config.method.kind


def _drops(config: RunConfig) -> bool:
    return config.method.kind == "lora" and config.method.dropout > 0


def _adapted(config: RunConfig, shape: ModelShape) -> list[Linear]:
    """The linear layers with an adapter."""
    targets = config.method.targets
    if config.method.kind == "full":
        return []
    return [linear for linear in shape.linears if targets == "all-linear" or linear.name in targets]


def _unadapted(config: RunConfig, shape: ModelShape) -> list[Linear]:
    """The linear layers without one, in a run that trains adapters."""
    adapted = _adapted(config, shape)
    return [linear for linear in shape.linears if linear not in adapted] if adapted else []


def _unread(config: RunConfig, shape: ModelShape) -> set[str]:
    """Names of the linear layers that do not need their input again: no weight of theirs is trained, or they keep a copy."""
    return {linear.name for linear in (shape.linears if _drops(config) else _unadapted(config, shape))}


def _inputs(linear: Linear, config: RunConfig) -> float:
    """How wide the input of a layer is on each process."""
    return linear.inputs / (config.parallel.tensor if linear.name in ROWS else 1)


def _spared(config: RunConfig, shape: ModelShape, size: int) -> float:
    """Bytes a token and layer that are not kept because no adapter asks for them."""
    unadapted = _unadapted(config, shape)
    made = 2 if _method(config) == "dora" else 0
    spared = float(sum(size * (config.method.rank + made * linear.outputs) for linear in unadapted))
    unread = _unread(config, shape)
    spared += size * shape.hidden * sum(together <= unread for together in TOGETHER)
    return spared + (size * shape.intermediate / config.parallel.tensor if "down_proj" in unread else 0)
