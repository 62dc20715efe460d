"""The three projections of attention with their adapters, in one: their input is multiplied by all three A at once, and so is its gradient.

Formula (Hu et al. 2022), with L_i(x) = x W_i^T + s_i (x A_i^T) B_i^T + bias_i for i in q, k, v, and A the three A_i on top of one another:

    c   = x A^T                             [tokens, 3 ranks], one product instead of three
    y_i = x W_i^T + s_i c_i B_i^T + bias_i
    D   = [s_q dy_q B_q | s_k dy_k B_k | s_v dy_v B_v]
    dx  = sum_i dy_i W_i + D A              dA = D^T x              dB_i = s_i (c_i^T dy_i)^T

Kept for the backward pass: x and c. The forward pass is an operation of its own, as in `kernels.lora`. No dropout (PEFT draws one mask for each
layer, so that there is no common input), no gradient of a W or a bias.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from kernels.lora import project
from kernels.reference import Adapted
from kernels.registry import register


def lora_qkv(x: Tensor, q: Adapted, k: Adapted, v: Adapted) -> tuple[Tensor, Tensor, Tensor]:
    """x: [..., width] -> [..., outputs of each] in x's dtype, which is that of the weights."""
    layers = (q, k, v)
    tensors = [tensor for layer in layers for tensor in (layer.weight, layer.bias, layer.a, layer.b)]
    found: tuple[Tensor, Tensor, Tensor] = _LoraQkv.apply(x, tuple(layer.scaling for layer in layers), *tensors)  # type: ignore[no-untyped-call]
    return found


def _forward(
    x: Tensor, weights: list[Tensor], biases: list[Tensor | None], a: Tensor, b: list[Tensor], scaling: list[float]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    inner = x @ a.T
    parts = torch.split(inner, [low.shape[1] for low in b], dim=1)
    q, k, v = (project(x, *given) for given in zip(weights, parts, b, scaling, biases, strict=True))
    return q, k, v, inner


forward_op = register(
    "lora_qkv(Tensor x, Tensor[] weights, Tensor?[] biases, Tensor a, Tensor[] b, float[] scaling)"
    " -> (Tensor, Tensor, Tensor, Tensor)",
    _forward,
)


class _LoraQkv(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, scaling: tuple[float, float, float], *tensors: Tensor | None
    ) -> tuple[Tensor, ...]:
        weights, biases, a, b = ([*tensors[i::4]] for i in range(4))
        flat = x.reshape(-1, x.shape[-1])
        low_a = torch.cat([part.to(x.dtype) for part in a])  # type: ignore[union-attr]
        low_b = [part.to(x.dtype) for part in b]  # type: ignore[union-attr]
        with torch.autocast(x.device.type, enabled=False):
            *found, inner = forward_op(flat, weights, biases, low_a, low_b, list(scaling))
        ctx.save_for_backward(flat, inner, low_a, *weights, *low_b)
        ctx.given = scaling, x.shape, [None if part is None else part.dtype for part in tensors]
        return tuple(out.view(*x.shape[:-1], out.shape[1]) for out in found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        x, inner, a, *rest = ctx.saved_tensors
        weights, b = rest[:3], rest[3:]
        scaling, shape, dtypes = ctx.given
        grads = [grad.reshape(-1, grad.shape[-1]) for grad in grad_outputs]
        ranks = [low.shape[1] for low in b]
        d_inner = torch.cat([(grad @ low).mul_(s) for grad, low, s in zip(grads, b, scaling, strict=True)], dim=1)
        d_a = torch.split(d_inner.T @ x, ranks)
        d_x = None
        if ctx.needs_input_grad[0]:
            d_x = grads[0] @ weights[0]
            for grad, weight in zip(grads[1:], weights[1:], strict=True):
                d_x.addmm_(grad, weight)
            d_x = d_x.addmm_(d_inner, a).view(shape)
        found: list[Tensor | None] = []
        for grad, part, s, low in zip(grads, torch.split(inner, ranks, dim=1), scaling, d_a, strict=True):
            found += [None, None, low, (part.T @ grad).mul_(s).T]
        return d_x, None, *(g if g is None else g.to(dtype) for g, dtype in zip(found, dtypes, strict=True))
