"""Output head and cross-entropy in one: the logits of a whole batch never exist at once.

Formula, for every row i whose target t is not `IGNORE`:

    z = hidden_i @ weight.T        loss = sum_i (logsumexp(z) - (1 - s) z_t - s mean(z))
    dz = softmax(z) - (1 - s) onehot(t) - s / V
    dhidden_i = dz @ weight        dweight = sum_i dz^T hidden_i

with s the label smoothing (Szegedy et al. 2016) and V the vocabulary.

Ignored rows are dropped before anything is multiplied: completion-only training ignores more than half of them.
The rest is walked in chunks whose fp32 logits fit a byte budget; the gradient of a chunk is made while its logits are
at hand, so that the backward pass is one multiplication by the incoming gradient. A frozen head costs no dweight.
The loss is summed in fp32 whatever the input's type (fp64 for fp64, so that gradcheck means something).
No bias, no second derivative.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from kernels.reference import IGNORE

BUDGET = 256 * 2**20


def linear_cross_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, *, budget: int = BUDGET, label_smoothing: float = 0.0
) -> Tensor:
    """Summed cross-entropy of `hidden @ weight.T` against `targets`: a scalar in fp32 (fp64 for fp64 input).

    hidden: [rows, width], weight: [vocabulary, width] of one dtype. targets: [rows] int64, `IGNORE` rows count nothing.
    budget: bytes of logits in memory at a time, at the least one row. Zero rows to count give 0 and zero gradients.
    """
    loss: Tensor = _LinearCrossEntropy.apply(hidden, weight, targets, budget, label_smoothing)  # type: ignore[no-untyped-call]
    return loss


def rows_per_chunk(vocabulary: int, budget: int, element: int = 4) -> int:
    """How many rows of logits fit into `budget` bytes; never less than one."""
    return max(1, budget // (vocabulary * element))


class _LinearCrossEntropy(Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, budget: int, smoothing: float) -> Tensor:
        precise = torch.float64 if hidden.dtype == torch.float64 else torch.float32
        wants_hidden, wants_weight = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        kept = (targets != IGNORE).nonzero().squeeze(1)
        rows, answers = hidden[kept], targets[kept]
        size = rows_per_chunk(weight.shape[0], budget, precise.itemsize)
        loss = torch.zeros((), dtype=precise, device=hidden.device)
        d_rows = torch.empty_like(rows) if wants_hidden else None
        d_weight = torch.zeros(weight.shape, dtype=precise, device=weight.device) if wants_weight else None
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, len(kept), size):
                part, answer = rows[start : start + size], answers[start : start + size]
                logits = (part @ weight.T).to(precise)
                normaliser = logits.logsumexp(-1, keepdim=True)
                loss += (normaliser - (1.0 - smoothing) * logits.gather(1, answer[:, None])).sum()
                if smoothing:
                    loss -= smoothing * logits.mean(-1).sum()
                if d_rows is None and d_weight is None:
                    continue
                d_logits = logits.sub_(normaliser).exp_()
                d_logits.scatter_add_(1, answer[:, None], d_logits.new_full((len(answer), 1), smoothing - 1.0))
                if smoothing:
                    d_logits -= smoothing / weight.shape[0]
                if d_rows is not None:
                    d_rows[start : start + size] = d_logits.to(weight.dtype) @ weight
                if d_weight is not None:
                    d_weight += d_logits.T @ part.to(precise)
        ctx.save_for_backward(kept, d_rows, d_weight)
        ctx.shapes = hidden.shape, hidden.dtype, weight.dtype
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        (grad,) = grad_outputs
        kept, d_rows, d_weight = ctx.saved_tensors
        shape, hidden_dtype, weight_dtype = ctx.shapes
        d_hidden = None
        if d_rows is not None:
            d_hidden = torch.zeros(shape, dtype=hidden_dtype, device=d_rows.device)
            d_hidden[kept] = (d_rows.to(grad.dtype) * grad).to(
                hidden_dtype
            )  # half precision would round or overflow `grad`
        if d_weight is not None:
            d_weight = (d_weight * grad).to(weight_dtype)
        return d_hidden, d_weight, None, None, None
