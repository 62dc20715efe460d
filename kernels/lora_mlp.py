"""A gated feed-forward block (SwiGLU) with an adapter on each of its three layers, in one: between them only gate and up are kept.

Formula (Shazeer 2020, Hu et al. 2022), with L_i(x) = x W_i^T + s_i (x A_i^T) B_i^T for i in gate, up, down:

    g = L_gate(x)    u = L_up(x)    z = silu(g) u    y = L_down(z)
    dz = dy W_d + s_d (dy B_d) A_d
    du = dz silu(g)    dg = dz u silu'(g)            silu'(g) = sigmoid(g) (1 + g (1 - sigmoid(g)))
    dx = dg W_g + s_g (dg B_g) A_g + du W_u + s_u (du B_u) A_u

Kept for the backward pass: x, g, u and the three inner products (rank wide); z is computed again. What a chain of layers keeps besides
(silu(g), z and copies for the adapters) is what a longer context would need. The forward pass is an operation of its own, as in
`kernels.lora`. No biases, no dropout, no gradient of a W.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from kernels.lora import adapter_gradients, project
from kernels.reference import Adapted
from kernels.registry import register
from kernels.swiglu import again, gated


def lora_mlp(x: Tensor, gate: Adapted, up: Adapted, down: Adapted) -> Tensor:
    """x: [..., width] -> [..., width] in x's dtype, which is that of the weights."""
    layers = (gate, up, down)
    tensors = [tensor for layer in layers for tensor in (layer.weight, layer.a, layer.b)]
    found: Tensor = _LoraMlp.apply(x, tuple(layer.scaling for layer in layers), *tensors)  # type: ignore[no-untyped-call]
    return found


def _forward(x: Tensor, tensors: list[Tensor], scaling: list[float]) -> tuple[Tensor, ...]:
    w_gate, a_gate, b_gate, w_up, a_up, b_up, w_down, a_down, b_down = tensors
    inner_gate, inner_up = x @ a_gate.T, x @ a_up.T
    gate = project(x, w_gate, inner_gate, b_gate, scaling[0])
    up = project(x, w_up, inner_up, b_up, scaling[1])
    hidden = gated(gate, up)
    inner_down = hidden @ a_down.T
    return project(hidden, w_down, inner_down, b_down, scaling[2]), gate, up, inner_gate, inner_up, inner_down


forward_op = register(
    "lora_mlp(Tensor x, Tensor[] tensors, float[] scaling) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    _forward,
)


class _LoraMlp(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scaling: tuple[float, float, float], *tensors: Tensor) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        low = [tensor.to(x.dtype) for tensor in tensors]
        with torch.autocast(x.device.type, enabled=False):
            out, *kept = forward_op(flat, low, list(scaling))
        ctx.save_for_backward(flat, *kept, *low)
        ctx.given = scaling, x.shape, [tensor.dtype for tensor in tensors]
        found: Tensor = out.view(x.shape)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Any, ...]:
        x, gate, up, inner_gate, inner_up, inner_down, *tensors = ctx.saved_tensors
        w_gate, a_gate, b_gate, w_up, a_up, b_up, w_down, a_down, b_down = tensors
        scaling, shape, dtypes = ctx.given
        grad = grad_outputs[0].reshape(-1, w_down.shape[0])

        d_inner = (grad @ b_down).mul_(scaling[2])
        hidden, d_gate, d_up = again((grad @ w_down).addmm_(d_inner, a_down), gate, up)
        d_a_down, d_b_down = d_inner.T @ hidden, (inner_down.T @ grad).mul_(scaling[2]).T
        del hidden

        d_inner_gate, d_a_gate, d_b_gate = adapter_gradients(d_gate, x, inner_gate, b_gate, scaling[0])
        d_inner_up, d_a_up, d_b_up = adapter_gradients(d_up, x, inner_up, b_up, scaling[1])
        d_x = None
        if ctx.needs_input_grad[0]:
            d_x = (d_gate @ w_gate).addmm_(d_up, w_up)
            d_x = d_x.addmm_(d_inner_gate, a_gate).addmm_(d_inner_up, a_up).view(shape)
        found = (None, d_a_gate, d_b_gate, None, d_a_up, d_b_up, None, d_a_down, d_b_down)
        return d_x, None, *(g if g is None else g.to(dtype) for g, dtype in zip(found, dtypes, strict=True))
