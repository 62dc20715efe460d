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
class Adapted:
    """A frozen linear layer and its adapter. weight: [outputs, inputs], a: [rank, inputs], b: [outputs, rank]."""

    weight: Tensor
    a: Tensor
    b: Tensor
    scaling: float


def linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Sum over rows of -log softmax(hidden @ weight.T)[target], in fp32 (fp64 for fp64 input).

    hidden: [rows, width]. weight: [vocabulary, width]. targets: [rows] int64, `IGNORE` rows count nothing.
    Materialises all logits: [rows, vocabulary].
    """
    precise = torch.float64 if hidden.dtype == torch.float64 else torch.float32
    logits = (hidden @ weight.T).to(precise)
    return functional.cross_entropy(
        logits, targets, ignore_index=IGNORE, reduction="sum", label_smoothing=label_smoothing
    )


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


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Rows over their root mean square, in fp32 (fp64 for fp64), then times weight in the input's type."""
    precise = x if x.dtype == torch.float64 else x.float()
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + eps)
    return weight * normed.to(x.dtype)
