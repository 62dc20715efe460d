"""Root-mean-square normalisation of rows, with a weight that may be frozen.

Formula (Zhang and Sennrich 2019), for every row x of n numbers, with r = 1 / sqrt(mean(x^2) + eps) and n(x) = x r:

    y  = w round(n(x))                     round: to x's format, as Llama does before it multiplies by w
    dx = r (w dy - n(x) mean(w dy n(x)))   dw = sum over rows of dy n(x), only where it is wanted

Everything between is fp32 (fp64 for fp64). Kept for the backward pass: x itself, which its neighbours keep anyway, and r.
No second derivative.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from kernels.registry import register


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x: [..., width], weight: [width] -> [..., width] in the format that x and weight have together."""
    found: Tensor = _RmsNorm.apply(x, weight, eps)  # type: ignore[no-untyped-call]
    return found


def _precise(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32


def _forward(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    precise = x.to(_precise(x.dtype))
    square = torch.linalg.vector_norm(precise, dim=-1, keepdim=True).square_()
    inverse = square.div_(x.shape[-1]).add_(eps).rsqrt_()
    return weight * (precise * inverse).to(x.dtype), inverse


forward_op = register("rms_norm(Tensor x, Tensor weight, float eps) -> (Tensor, Tensor)", _forward)


class _RmsNorm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        out: Tensor
        out, inverse = forward_op(x, weight, eps)
        ctx.save_for_backward(x, weight, inverse)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight, inverse = ctx.saved_tensors
        grad = grad_outputs[0]
        normed = x.to(inverse.dtype) * inverse
        d_weight = d_x = None
        if ctx.needs_input_grad[1]:
            d_weight = (grad * normed).flatten(0, -2).sum(0).to(weight.dtype)
        if ctx.needs_input_grad[0]:
            scaled = grad.to(inverse.dtype) * weight
            along = torch.linalg.vecdot(scaled, normed).unsqueeze(-1).div_(x.shape[-1])
            d_x = torch.addcmul(scaled, normed, along, value=-1.0).mul_(inverse).to(x.dtype)
        return d_x, d_weight, None
