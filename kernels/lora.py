"""A linear layer and its low-rank adapter in one: neither the adapter's output nor its scaled copy ever exists.

Formula (Hu et al. 2022), with x [tokens, inputs], W [outputs, inputs], A [rank, inputs], B [outputs, rank] and the scaling s:

    y  = x W^T + s (d A^T) B^T + bias          d = x, or x after dropout
    dx = dy W + [d = x] s (dy B) A             dd = s (dy B) A
    dA = s (dy B)^T d                          dB = s dy^T (d A^T)          W and bias are frozen

Everything is bracketed so that it stays at the rank; the adapter is added to the output by the product itself (beta = 1). Kept for the backward
pass: x, d and d A^T. Products are computed in x's format, whatever the adapter's; gradients come out in the adapter's.
The forward pass is an operation of its own, so that whoever recomputes activations can keep its result whole. No second
derivative, and no gradient of W: a model whose own weights are trained has no adapter.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from kernels.registry import register


def lora_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    a: Tensor,
    b: Tensor,
    scaling: float,
    dropped: Tensor | None = None,
) -> Tensor:
    """x: [..., inputs], weight: [outputs, inputs], a: [rank, inputs], b: [outputs, rank] -> [..., outputs] in x's dtype.

    weight and bias have x's dtype. dropped: what the adapter sees instead of x.
    """
    found: Tensor = _LoraLinear.apply(x, weight, bias, a, b, scaling, dropped)  # type: ignore[no-untyped-call]
    return found


def _forward(
    x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scaling: float, dropped: Tensor
) -> tuple[Tensor, Tensor]:
    inner = dropped @ a.T
    return project(x, weight, inner, b, scaling, bias), inner


forward_op = register(
    "lora_linear(Tensor x, Tensor weight, Tensor? bias, Tensor a, Tensor b, float scaling, Tensor dropped) -> (Tensor, Tensor)",
    _forward,
)


def project(x: Tensor, weight: Tensor, inner: Tensor, b: Tensor, scaling: float, bias: Tensor | None = None) -> Tensor:
    """x @ weight.T + scaling (inner @ b.T) + bias for x [tokens, inputs] and inner [tokens, rank]."""
    out = x @ weight.T
    out.addmm_(inner, b.T, alpha=scaling)
    return out if bias is None else out.add_(bias)


def adapter_gradients(
    grad: Tensor, x: Tensor, inner: Tensor, b: Tensor, scaling: float
) -> tuple[Tensor, Tensor, Tensor]:
    """For a gradient [tokens, outputs]: s grad B [tokens, rank], dA and dB, in grad's dtype."""
    d_inner = (grad @ b).mul_(scaling)
    return d_inner, d_inner.T @ x, (inner.T @ grad).mul_(scaling).T


class _LoraLinear(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        a: Tensor,
        b: Tensor,
        scaling: float,
        dropped: Tensor | None,
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        seen = flat if dropped is None else dropped.reshape(flat.shape)
        low_a, low_b = a.to(x.dtype), b.to(x.dtype)
        with torch.autocast(x.device.type, enabled=False):
            out, inner = forward_op(flat, weight, bias, low_a, low_b, scaling, seen)
        ctx.save_for_backward(seen, inner, weight, low_a, low_b)
        ctx.given = scaling, a.dtype, b.dtype, x.shape, dropped is not None
        found: Tensor = out.view(*x.shape[:-1], weight.shape[0])
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        seen, inner, weight, a, b = ctx.saved_tensors
        scaling, a_dtype, b_dtype, shape, apart = ctx.given
        grad = grad_outputs[0].reshape(-1, weight.shape[0])
        d_inner, d_a, d_b = adapter_gradients(grad, seen, inner, b, scaling)
        d_x = d_dropped = None
        if ctx.needs_input_grad[0]:
            d_x = grad @ weight
            if not apart:
                d_x.addmm_(d_inner, a)
            d_x = d_x.view(shape)
        if apart and ctx.needs_input_grad[6]:
            d_dropped = (d_inner @ a).view(shape)
        return d_x, None, None, d_a.to(a_dtype), d_b.to(b_dtype), None, d_dropped
