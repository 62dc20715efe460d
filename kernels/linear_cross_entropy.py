"""Output head and cross-entropy in one: the logits of a whole batch never exist at once.

Formula, for every row i whose target t is not `IGNORE`, with the loss and da of `kernels.cross_entropy`:

    a_i = hidden_i @ weight.T          loss = sum_i loss(a_i, t_i) / count
    dhidden_i = da_i @ weight / count  dweight = sum_i da_i^T hidden_i / count

Ignored rows are dropped before anything is multiplied: completion-only training ignores more than half of them. Which rows count is best told
(`kept`), for whoever made the targets knows it, and asking a GPU would wait for it; count may be a tensor for the same reason. The rest is walked in
chunks whose logits fit a byte budget, equally large but for the last; the gradient of a chunk is made while its logits are at hand, so
that the backward pass is one multiplication by the incoming gradient. A frozen head means two products and no dweight.
The loss is summed in fp32 whatever the input's type (fp64 for fp64, so that gradcheck means something).
No bias, no second derivative.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from kernels import tile
from kernels.cross_entropy import cross_entropy
from kernels.reference import IGNORE, PLAIN, Terms

BUDGET = 256 * 2**20


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    *,
    kept: Tensor | None = None,
    count: Tensor | float = 1.0,
    terms: Terms = PLAIN,
    budget: int = BUDGET,
) -> Tensor:
    """Cross-entropy of `hidden @ weight.T` against `targets`, summed and divided by count: a scalar in fp32 (fp64 for fp64 input).

    hidden: [rows, width], weight: [vocabulary, width] of one dtype. targets: [rows] int64, `IGNORE` rows count nothing.
    kept: [n] int64, the rows whose target is not `IGNORE`, on hidden's device. budget: bytes of logits in memory at a time, at the
    least one row. Zero rows to count give 0 and zero gradients.
    """
    if kept is None:
        kept = (targets != IGNORE).nonzero().squeeze(1)
    total: Tensor = _LinearCrossEntropy.apply(hidden, weight, targets, kept, terms, budget)  # type: ignore[no-untyped-call]
    return total / count


def rows_per_chunk(vocabulary: int, budget: int, element: int = 4) -> int:
    """How many rows of logits fit into `budget` bytes; never less than one."""
    return max(1, budget // (vocabulary * element))


class _LinearCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, kept: Tensor, terms: Terms, budget: int
    ) -> Tensor:
        precise = torch.float64 if hidden.dtype == torch.float64 else torch.float32
        wants_hidden, wants_weight = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        rows, answers = hidden[kept], targets[kept]
        element = hidden.itemsize if tile.runs_on(hidden) else precise.itemsize
        size = rows_per_chunk(weight.shape[0], budget, element)
        loss = torch.zeros((), dtype=precise, device=hidden.device)
        d_rows = torch.empty_like(rows) if wants_hidden else None
        d_weight = torch.zeros(weight.shape, dtype=precise, device=weight.device) if wants_weight else None
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, len(kept), size):
                part, answer = rows[start : start + size], answers[start : start + size]
                part_loss, d_logits = cross_entropy(
                    part @ weight.T, answer, terms, wants_gradient=wants_hidden or wants_weight
                )
                loss += part_loss
                if d_logits is None:
                    continue
                if d_rows is not None:
                    d_rows[start : start + size] = d_logits.to(weight.dtype) @ weight
                if d_weight is not None:
                    d_weight += d_logits.T @ part.to(d_logits.dtype)
                del d_logits  # or it would lie about while the next chunk is made
        ctx.save_for_backward(kept, d_rows, d_weight)
        ctx.shapes = hidden.shape, hidden.dtype, weight.dtype
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None, None]:
        (grad,) = grad_outputs
        kept, d_rows, d_weight = ctx.saved_tensors
        shape, hidden_dtype, weight_dtype = ctx.shapes
        d_hidden = None
        if d_rows is not None:
            d_hidden = torch.zeros(shape, dtype=hidden_dtype, device=d_rows.device)
            # half precision would round or overflow `grad`
            d_hidden[kept] = (d_rows.to(grad.dtype) * grad).to(hidden_dtype)
        if d_weight is not None:
            d_weight = (d_weight * grad).to(weight_dtype)
        return d_hidden, d_weight, None, None, None, None
