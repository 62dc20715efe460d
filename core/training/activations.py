"""What a layer keeps from its forward to its backward pass, in bytes a token, by coefficients that were counted.

Counted with `core.engine.count` over Llama and Qwen2 blocks of transformers 5.23 with PEFT 0.21 as the engine sets it up (its casting left
to autocast), eleven random shapes each, and fitted exactly up to a few bytes (0.1 percent). h hidden, I intermediate, k key-value heads x head
size, q heads x head size, r rank, H heads; with a trained head size of the arithmetic w (2 or 4 bytes):

    nothing recomputed   adapter, 16 bit      12 h +  8 I + 4 k + 4 q + 14 r + 4 H      fp32  16 h + 16 I +  8 k +  8 q + 28 r + 4 H
                         DoRA, 16 bit         20 h + 16 I + 12 k + 8 q + 14 r + 6 H     fp32  32 h + 32 I + 24 k + 16 q + 28 r + 6 H
                         all weights, 16 bit  26 h +  8 I + 4 k + 4 q + 4 H             fp32  24 h + 16 I +  8 k +  8 q + 4 H
                         packed, more         2 w (q - k) + w x width                   keys and values copied to every head, a mask a layer
                         end to end: 2 w (q - k) on a GPU, w q on a CPU
    selective            adapter, 16 bit      10 h +  8 I + 8 k + 6 q + 14 r + 4 H      fp32  20 h + 16 I + 16 k + 12 q + 28 r + 4 H
                         all weights, 16 bit   8 h +  4 I + 4 k + 4 q + 4 H             fp32  12 h +  8 I +  8 k +  8 q + 4 H
                         DoRA, more           w (weights of the layer + r x inputs) a layer: its norms are products too
    full                 adapter w h          all weights 4 h                           the layer's input alone

An adapter on some layers only keeps less: of a layer without one neither the input, unless another wants it, nor the inner product
(w r less), and of "selective" not its second output.

So "selective" saves an adapter little or nothing, since PEFT's own products are kept too; with all weights it halves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.models import Linear, ModelShape
from core.training.config import RunConfig


@dataclass(frozen=True, slots=True)
class Saved:
    """Bytes a token: factors of hidden, intermediate, key-value width, query width, rank and heads."""

    hidden: float
    intermediate: float
    keys: float
    queries: float
    rank: float
    heads: float

    def of(self, shape: ModelShape, rank: int, tensor: int) -> float:
        """Bytes a token and layer. tensor: processes that share each layer's heads and feed-forward part."""
        wide = self.intermediate * shape.intermediate + self.heads * shape.heads
        wide += self.keys * shape.kv_heads * shape.head_dim + self.queries * shape.heads * shape.head_dim
        return self.hidden * shape.hidden + wide / tensor + self.rank * rank


NOTHING: Final = {
    ("lora", 2): Saved(12, 8, 4, 4, 14, 4), ("lora", 4): Saved(16, 16, 8, 8, 28, 4),
    ("dora", 2): Saved(20, 16, 12, 8, 14, 6), ("dora", 4): Saved(32, 32, 24, 16, 28, 6),
    ("full", 2): Saved(26, 8, 4, 4, 0, 4), ("full", 4): Saved(24, 16, 8, 8, 0, 4),
}  # fmt: skip
SELECTIVE: Final = {
    ("lora", 2): Saved(10, 8, 8, 6, 14, 4), ("lora", 4): Saved(20, 16, 16, 12, 28, 4),
    ("full", 2): Saved(8, 4, 4, 4, 0, 4), ("full", 4): Saved(12, 8, 8, 8, 0, 4),
}  # fmt: skip


def apart(config: RunConfig, shape: ModelShape, size: int, *, width: int, flat: bool, gpu: bool) -> float:
    """Bytes a token and layer that keeping samples apart costs. width: of a row with several under a mask, 0 for none. flat: rows lie end to
    end: a GPU copies keys and values to every head, a CPU joins the answers of single documents (what it keeps of
    short ones in fp32 is not counted)."""
    queries, keys = (heads * shape.head_dim / config.parallel.tensor for heads in (shape.heads, shape.kv_heads))
    if flat:
        return size * (2 * (queries - keys) if gpu else queries)
    return 2 * size * (queries - keys) + size * width if width else 0.0


def whole(config: RunConfig, shape: ModelShape, size: int, more: float) -> float:
    """Bytes a token and layer when nothing is computed again. size: bytes of a number in the arithmetic. more: see `apart`."""
    method = "dora" if config.method.kind == "lora" and config.method.dora else config.method.kind
    found = NOTHING[method, size].of(shape, config.method.rank, config.parallel.tensor)
    return found + more - _spared(config, shape, size)


def _plain(config: RunConfig, shape: ModelShape) -> list[Linear]:
    """The linear layers that have no adapter, in a run that trains adapters on others."""
    targets = config.method.targets
    if config.method.kind == "full" or config.method.dora or targets == "all-linear":
        return []
    return [linear for linear in shape.linears if linear.name not in targets]


def _spared(config: RunConfig, shape: ModelShape, size: int) -> float:
    """Bytes a token and layer that are not kept because no adapter asks for them."""
    plain = {linear.name for linear in _plain(config, shape)}
    spared = float(size * config.method.rank * len(plain))
    for together in ({"q_proj", "k_proj", "v_proj"}, {"gate_proj", "up_proj"}):
        if together <= plain:
            spared += size * shape.hidden
    return spared + (size * shape.intermediate if "down_proj" in plain else 0)


def kept(config: RunConfig, shape: ModelShape, size: int, more: float) -> float:
    """Bytes a token and layer that stay from the forward to the backward pass."""
    again = config.parallel.activation_checkpointing
    if again == "none":
        return whole(config, shape, size, more)
    if again == "full":
        return float((4 if config.method.kind == "full" else size) * shape.hidden)
    spared = sum(size * (linear.outputs + config.method.rank) for linear in _plain(config, shape))
    return SELECTIVE[config.method.kind, size].of(shape, config.method.rank, config.parallel.tensor) - spared


def kept_a_layer(config: RunConfig, shape: ModelShape, size: int) -> float:
    """Bytes a layer that stay however few the tokens are: what DoRA multiplies to know the length of its rows."""
    if not (config.method.kind == "lora" and config.method.dora):
        return 0.0
    if config.parallel.activation_checkpointing != "selective":
        return 0.0
    inputs = sum(linear.inputs * linear.count for linear in shape.linears)
    return size * (shape.linear_parameters + config.method.rank * inputs) / shape.layers
