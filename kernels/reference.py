"""The plain-torch meaning of every fused operation: the oracle of the tests, and what `kernels = "off"` runs.

Written for being read, not for speed or memory; nothing here is chunked, cached or in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

IGNORE = -100


@dataclass(frozen=True, slots=True)
class Terms:
    """What is added to a plain cross-entropy. smoothing: in [0, 1). z_loss: weight of logsumexp^2. softcap: 0 for none."""

    smoothing: float = 0.0
    z_loss: float = 0.0
    softcap: float = 0.0


PLAIN = Terms()


@dataclass(frozen=True, slots=True)
class Adapted:
    """A frozen linear layer and its adapter. weight: [outputs, inputs], a: [rank, inputs], b: [outputs, rank], bias: [outputs]."""

    weight: Tensor
    a: Tensor
    b: Tensor
    scaling: float
    bias: Tensor | None = None


def cross_entropy(logits: Tensor, targets: Tensor, terms: Terms = PLAIN) -> Tensor:
    """Loss of every row, with `terms`: [rows, vocabulary] and [rows] -> [rows], in fp32 (fp64 for fp64)."""
    precise = logits.to(torch.float64 if logits.dtype == torch.float64 else torch.float32)
    if terms.softcap:
        precise = terms.softcap * torch.tanh(precise / terms.softcap)
    plain = functional.cross_entropy(precise, targets, reduction="none", label_smoothing=terms.smoothing)
    return plain + terms.z_loss * precise.logsumexp(-1).square()


def linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, terms: Terms = PLAIN) -> Tensor:
    """Summed `cross_entropy` of `hidden @ weight.T` over the rows whose target is not `IGNORE`, a scalar.

    hidden: [rows, width]. weight: [vocabulary, width]. targets: [rows] int64. Materialises all logits: [rows, vocabulary].
    """
    kept = targets != IGNORE
    return cross_entropy((hidden @ weight.T)[kept], targets[kept], terms).sum()


def lora_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scaling: float, dropped: Tensor | None = None
) -> Tensor:
    """A linear layer plus its scaled adapter, which sees `dropped` if it is given: x [..., inputs] -> [..., outputs]."""
    seen = x if dropped is None else dropped
    return functional.linear(x, weight, bias) + scaling * functional.linear(functional.linear(seen, a), b)


def lora_mlp(x: Tensor, gate: Adapted, up: Adapted, down: Adapted) -> Tensor:
    """A SwiGLU block of three layers with adapters: x [..., width] -> [..., width]."""

    def layer(value: Tensor, adapted: Adapted) -> Tensor:
        return lora_linear(value, adapted.weight, None, adapted.a, adapted.b, adapted.scaling)

    return layer(functional.silu(layer(x, gate)) * layer(x, up), down)


def lora_qkv(x: Tensor, q: Adapted, k: Adapted, v: Adapted) -> tuple[Tensor, Tensor, Tensor]:
    """Three linear layers with adapters of one input."""
    found = [lora_linear(x, one.weight, one.bias, one.a, one.b, one.scaling) for one in (q, k, v)]
    return found[0], found[1], found[2]


def rms_norm(x: Tensor, weight: Tensor, eps: float, *, one: bool = False) -> Tensor:
    """Rows over their root mean square, in fp32 (fp64 for fp64), then times weight in the input's type; or, with `one`, times
    1 + weight before it is rounded."""
    precise = x if x.dtype == torch.float64 else x.float()
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + eps)
    if one:
        return (normed * (1.0 + weight.to(normed.dtype))).to(x.dtype)
    return weight * normed.to(x.dtype)


def rope(q: Tensor, k: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    """q, k: [tokens, heads, width], cos, sin: [tokens, width]: every head turned by its token's angles, halves against each other."""

    def turned(x: Tensor) -> Tensor:
        first, second = x.chunk(2, -1)
        return x * cos[:, None] + torch.cat((-second, first), -1) * sin[:, None]

    return turned(q), turned(k)


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) up, number by number."""
    return functional.silu(gate) * up


def int8_linear(
    x: Tensor, weight: Tensor, scale: Tensor, bias: Tensor | None = None, norm: Tensor | None = None, eps: float = 0.0
) -> Tensor:
    """A linear layer of whole numbers [outputs, inputs] and their scales [outputs], after an RMS norm where one is given."""
    seen = x if norm is None else rms_norm(x, norm, eps).to(x.dtype)
    return functional.linear(
        seen, weight.to(x.dtype) * scale.to(x.dtype)[:, None], None if bias is None else bias.to(x.dtype)
    )
