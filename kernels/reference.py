"""The plain-torch meaning of every fused operation: the oracle of the tests, and what `kernels = "off"` runs.

Written for being read, not for speed or memory; nothing here is chunked, cached or in place.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

IGNORE = -100


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
