"""A linear layer whose weights are whole numbers from -127 to 127, for the one row of a decode step, which reads every weight once.

Formula (weight-only, symmetric, a scale an output), for a row x of n numbers and an output i:

    s_i = max_j |W_ij| / 127     Q_ij = round(W_ij / s_i)
    y_i = s_i sum_j Q_ij x_j + b_i
    y_i = s_i r sum_j Q_ij g_j x_j + b_i     r = 1 / sqrt(mean(x^2) + eps)     with `norm` g: the norm before the layer, in the same pass

A decode step costs what reading the weights costs: n bytes an output here, 2 n in bf16. The norm is free, for a program reads all of x
anyway, but does not round what it has normed. More than one row is a product with the weights made again in x's format; on a CPU
torch's own program for 8-bit weights serves as long as it is the faster one. The roundings of Q cost 0.8 percent
of a result's size (random weights, 896 to 3,584 inputs). No gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kernels import tile
from kernels.registry import register
from kernels.rms_norm import forward_op as rms_norm_op
from kernels.tile import jit, tl

OUTPUTS = 4
"""Outputs a program: with rows of thousands of bytes so many reads are under way at once."""
LARGEST = 2048
FEW = 16
"""Rows up to which torch's 8-bit program beats a product with weights made again, on a CPU."""
WHOLE = 32
"""Torch's 8-bit program reads rows in steps of 16 numbers, also beyond their end, and then crashes."""
HALVES = (torch.bfloat16, torch.float16)


@dataclass(frozen=True, slots=True)
class Int8:
    """weight: [outputs, inputs] int8. scale: [outputs] fp32. bias: [outputs] or None."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None = None


def quantized(weight: Tensor, bias: Tensor | None = None) -> Int8:
    """A layer's weights [outputs, inputs] rounded to 8 bits; a row of zeros stays one."""
    precise = weight.detach().float()
    scale = precise.abs().amax(1) / 127.0
    steps = torch.where(scale > 0, scale, 1.0)
    return Int8((precise / steps[:, None]).round_().to(torch.int8), scale, bias)


def int8_linear(x: Tensor, layer: Int8, norm: Tensor | None = None, eps: float = 0.0) -> Tensor:
    """x: [..., inputs] -> [..., outputs] in x's format. norm: the weight [inputs] of an RMS norm that x still has to pass."""
    found: Tensor = forward_op(x, layer.weight, layer.scale, layer.bias, norm, eps)
    return found


def _forward(x: Tensor, weight: Tensor, scale: Tensor, bias: Tensor | None, norm: Tensor | None, eps: float) -> Tensor:
    flat = x.reshape(-1, x.shape[-1])
    if len(flat) == 1 and tile.runs_on(x):
        out = _launch(flat, weight, scale, bias, norm, eps)
    else:
        if norm is not None:
            flat = rms_norm_op(flat, norm, eps, False)[0].to(x.dtype)
        if len(flat) <= FEW and x.device.type == "cpu" and x.dtype in HALVES and x.shape[-1] % WHOLE == 0:
            out = torch.ops.aten._weight_int8pack_mm(flat.contiguous(), weight, scale.to(x.dtype))
        else:
            out = flat @ (weight.to(x.dtype) * scale.to(x.dtype)[:, None]).T
        if bias is not None:
            out = out + bias.to(out.dtype)
    return out.view(*x.shape[:-1], len(weight))


forward_op = register(
    "int8_linear(Tensor x, Tensor weight, Tensor scale, Tensor? bias, Tensor? norm, float eps) -> Tensor", _forward
)


@jit
def _program(
    x: tl.tensor,
    weight: tl.tensor,
    scale: tl.tensor,
    bias: tl.tensor,
    norm: tl.tensor,
    out: tl.tensor,
    inputs: tl.tensor,
    outputs: tl.tensor,
    eps: tl.tensor,
    BIAS: tl.constexpr,
    NORM: tl.constexpr,
    ROWS: tl.constexpr,
    SIZE: tl.constexpr,
) -> None:
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    real = row < outputs
    place = tl.arange(0, SIZE)
    sums = tl.zeros([ROWS, SIZE], dtype=tl.float32)
    squares = tl.zeros([SIZE], dtype=tl.float32)
    for at in range(0, inputs, SIZE):
        inside = at + place < inputs
        value = tl.load(x + at + place, mask=inside, other=0.0).to(tl.float32)
        if NORM:
            squares += value * value
            value *= tl.load(norm + at + place, mask=inside, other=0.0).to(tl.float32)
        whole = tl.load(
            weight + row[:, None] * inputs + (at + place)[None, :], mask=real[:, None] & inside[None, :], other=0
        )
        sums += whole.to(tl.float32) * value[None, :]
    found = tl.sum(sums, axis=1) * tl.load(scale + row, mask=real, other=0.0)
    if NORM:
        found *= tl.rsqrt(tl.sum(squares, axis=0) / inputs + tl.cast(eps, tl.float32))
    if BIAS:
        found += tl.load(bias + row, mask=real, other=0.0).to(tl.float32)
    tl.store(out + row, found.to(out.dtype.element_ty), mask=real)


def _launch(
    x: Tensor, weight: Tensor, scale: Tensor, bias: Tensor | None, norm: Tensor | None, eps: float
) -> Tensor:  # fmt: skip
    outputs, inputs = weight.shape
    out = torch.empty(1, outputs, dtype=x.dtype, device=x.device)
    size = min(LARGEST, tile.cover(inputs))
    if outputs:
        _program[(-(-outputs // OUTPUTS),)](
            x.contiguous(), weight, scale, x if bias is None else bias, x if norm is None else norm, out, inputs, outputs, eps,
            BIAS=bias is not None, NORM=norm is not None, ROWS=OUTPUTS, SIZE=size, num_warps=4,
        )  # fmt: skip
    return out
