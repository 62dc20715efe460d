"""Root-mean-square normalisation of rows, alone or of a sum of two rows, with a weight that may be frozen.

Formula (Zhang and Sennrich 2019), for every row x of n numbers, with r = 1 / sqrt(mean(x^2) + eps) and n(x) = x r:

    y  = w round(n(x))                     round: to x's format, as Llama does before it multiplies by w
    y  = round(n(x) (1 + w))               the same with `one`, as Gemma does: one rounding, and a weight around zero
    dx = r (w dy - n(x) mean(w dy n(x)))   dw = sum over rows of dy n(x), only where it is wanted; 1 + w for w with `one`

`add_rms_norm` is the same of s = x + residual, which it returns too, because the next layer adds to it: then dx = d residual = what stands
above + ds, and s is read and written once less than by two operations.

Everything between is fp32 (fp64 for fp64). Kept for the backward pass: x (or s) itself, which its neighbours keep anyway, and r.
Bytes of a [T, n] tensor of 2-byte numbers: forward 4 T n, backward 6 T n, with the addition 8 T n each. No second derivative.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from kernels import tile
from kernels.registry import register
from kernels.tile import jit, tl


def rms_norm(x: Tensor, weight: Tensor, eps: float, *, one: bool = False) -> Tensor:
    """x: [..., width], weight: [width] -> [..., width] in the format that x and weight have together; x's with `one`."""
    found: Tensor = _RmsNorm.apply(x, weight, eps, one)  # type: ignore[no-untyped-call]
    return found


def add_rms_norm(
    x: Tensor, residual: Tensor, weight: Tensor, eps: float, *, one: bool = False
) -> tuple[Tensor, Tensor]:
    """x, residual: [..., width] of one format -> (the norm of their sum, their sum)."""
    found: tuple[Tensor, Tensor] = _AddRmsNorm.apply(x, residual, weight, eps, one)  # type: ignore[no-untyped-call]
    return found


def _result_type(x: Tensor, weight: Tensor, one: bool) -> torch.dtype:
    return x.dtype if one else torch.result_type(x, weight)


def _precise(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32


def _forward(x: Tensor, weight: Tensor, eps: float, one: bool) -> tuple[Tensor, Tensor]:
    if tile.runs_on(x):
        out, inverse, _ = _launch_forward(x, None, weight, eps, one)
        return out, inverse
    precise = x.to(_precise(x.dtype))
    square = torch.linalg.vector_norm(precise, dim=-1, keepdim=True).square_()
    inverse = square.div_(x.shape[-1]).add_(eps).rsqrt_()
    normed = precise * inverse
    if one:
        return (normed * (weight.to(normed.dtype) + 1.0)).to(x.dtype), inverse
    return weight * normed.to(x.dtype), inverse


def _add_forward(x: Tensor, residual: Tensor, weight: Tensor, eps: float, one: bool) -> tuple[Tensor, Tensor, Tensor]:
    if tile.runs_on(x):
        out, inverse, total = _launch_forward(x, residual, weight, eps, one)
        assert total is not None
        return out, inverse, total
    total = x + residual
    out, inverse = _forward(total, weight, eps, one)
    return out, inverse, total


forward_op = register("rms_norm(Tensor x, Tensor weight, float eps, bool one) -> (Tensor, Tensor)", _forward)
add_forward_op = register(
    "add_rms_norm(Tensor x, Tensor residual, Tensor weight, float eps, bool one) -> (Tensor, Tensor, Tensor)",
    _add_forward,
)


def _backward(
    grad: Tensor, above: Tensor | None, x: Tensor, weight: Tensor, inverse: Tensor, one: bool, wants_weight: bool
) -> tuple[Tensor, Tensor | None]:
    """d_x, and d_weight where it is wanted. above: a gradient that reaches the normalised rows by another way."""
    if tile.runs_on(x):
        return _launch_backward(grad, above, x, weight, inverse, one, wants_weight)
    normed = x.to(inverse.dtype) * inverse
    d_weight = (grad * normed).flatten(0, -2).sum(0).to(weight.dtype) if wants_weight else None
    scale = weight.to(inverse.dtype) + 1.0 if one else weight
    scaled = grad.to(inverse.dtype) * scale
    along = torch.linalg.vecdot(scaled, normed).unsqueeze(-1).div_(x.shape[-1])
    d_x = torch.addcmul(scaled, normed, along, value=-1.0).mul_(inverse)
    return (d_x if above is None else d_x.add_(above)).to(x.dtype), d_weight


class _RmsNorm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, one: bool) -> Tensor:
        out: Tensor
        out, inverse = forward_op(x, weight, eps, one)
        ctx.save_for_backward(x, weight, inverse)
        ctx.one = one
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight, inverse = ctx.saved_tensors
        d_x, d_weight = _backward(grad_outputs[0], None, x, weight, inverse, ctx.one, ctx.needs_input_grad[1])
        return d_x, d_weight, None, None


class _AddRmsNorm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, residual: Tensor, weight: Tensor, eps: float, one: bool) -> tuple[Tensor, Tensor]:
        out, inverse, total = add_forward_op(x, residual, weight, eps, one)
        ctx.save_for_backward(total, weight, inverse)
        ctx.one = one
        return out, total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        total, weight, inverse = ctx.saved_tensors
        grad, above = grad_outputs
        d_x, d_weight = _backward(grad, above, total, weight, inverse, ctx.one, ctx.needs_input_grad[2])
        return d_x, d_x, d_weight, None, None


@jit
def _forward_program(
    x: tl.tensor,
    residual: tl.tensor,
    weight: tl.tensor,
    out: tl.tensor,
    inverse: tl.tensor,
    total: tl.tensor,
    width: tl.tensor,
    eps: tl.tensor,
    ADD: tl.constexpr,
    ONE: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """One row a program."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, BLOCK)
    inside = place < width
    value = tl.load(x + row * width + place, mask=inside, other=0.0)
    if ADD:
        more = tl.load(residual + row * width + place, mask=inside, other=0.0)
        value = (value.to(tl.float32) + more.to(tl.float32)).to(total.dtype.element_ty)
        tl.store(total + row * width + place, value, mask=inside)
    precise = value.to(tl.float32)
    r = tl.rsqrt(tl.sum(precise * precise, axis=0) / width + tl.cast(eps, tl.float32))
    scale = tl.load(weight + place, mask=inside, other=0.0).to(tl.float32)
    if ONE:
        found = precise * r * (scale + 1.0)
    else:
        found = (precise * r).to(x.dtype.element_ty).to(tl.float32) * scale
    tl.store(out + row * width + place, found.to(out.dtype.element_ty), mask=inside)
    tl.store(inverse + row, r)


@jit
def _backward_program(
    grad: tl.tensor,
    above: tl.tensor,
    x: tl.tensor,
    weight: tl.tensor,
    inverse: tl.tensor,
    d_x: tl.tensor,
    d_weight: tl.tensor,
    rows: tl.tensor,
    width: tl.tensor,
    ADD: tl.constexpr,
    ONE: tl.constexpr,
    WEIGHT: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Every so-manieth row a program; with WEIGHT, its share of the weight's gradient as a row of d_weight."""
    first = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, BLOCK)
    inside = place < width
    scale = tl.load(weight + place, mask=inside, other=0.0).to(tl.float32)
    if ONE:
        scale += 1.0
    share = tl.zeros([BLOCK], dtype=tl.float32)
    for row in range(first, rows, tl.num_programs(0)):
        at = row * width + place
        r = tl.load(inverse + row)
        normed = tl.load(x + at, mask=inside, other=0.0).to(tl.float32) * r
        given = tl.load(grad + at, mask=inside, other=0.0).to(tl.float32)
        if WEIGHT:
            share += given * normed
        scaled = given * scale
        along = tl.sum(scaled * normed, axis=0) / width
        found = (scaled - normed * along) * r
        if ADD:
            found += tl.load(above + at, mask=inside, other=0.0).to(tl.float32)
        tl.store(d_x + at, found.to(d_x.dtype.element_ty), mask=inside)
    if WEIGHT:
        tl.store(d_weight + first * width + place, share, mask=inside)


def _launch_forward(
    x: Tensor, residual: Tensor | None, weight: Tensor, eps: float, one: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    flat, width = x.contiguous(), x.shape[-1]
    out = torch.empty(x.shape, dtype=_result_type(x, weight, one), device=x.device)
    inverse = torch.empty((*x.shape[:-1], 1), dtype=torch.float32, device=x.device)
    more = None if residual is None else residual.contiguous()
    total = None if residual is None else torch.empty_like(flat)
    block = tile.cover(width)
    if flat.numel():
        _forward_program[(flat.numel() // width,)](
            flat, flat if more is None else more, weight.contiguous(), out, inverse, flat if total is None else total,
            width, eps, ADD=more is not None, ONE=one, BLOCK=block, num_warps=tile.warps(block),
        )  # fmt: skip
    return out, inverse, total


def _launch_backward(
    grad: Tensor, above: Tensor | None, x: Tensor, weight: Tensor, inverse: Tensor, one: bool, wants_weight: bool
) -> tuple[Tensor, Tensor | None]:
    flat, width = x.contiguous(), x.shape[-1]
    rows = flat.numel() // width if width else 0
    d_x = torch.empty_like(flat)
    block = tile.cover(width)
    programs = min(rows, tile.processors(x) * (2 if wants_weight else 16))
    shares = torch.empty((programs, width) if wants_weight else (1,), dtype=torch.float32, device=x.device)
    if rows:
        given = grad.contiguous()
        _backward_program[(programs,)](
            given, given if above is None else above.contiguous(), flat, weight.contiguous(), inverse, d_x, shares, rows,
            width, ADD=above is not None, ONE=one, WEIGHT=wants_weight, BLOCK=block, num_warps=tile.warps(block),
        )  # fmt: skip
    return d_x.view(x.shape), shares.sum(0).to(weight.dtype) if wants_weight else None
