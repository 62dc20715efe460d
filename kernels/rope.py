"""Rotary position embedding of queries and keys, in one go and not in place.

Formula (Su et al. 2021, halves as in Llama), for every head x = (x1, x2) of a token, with c = (c1, c2) and s = (s1, s2) of its position:

    y1 = x1 c1 - x2 s1        y2 = x2 c2 + x1 s2
    dx1 = dy1 c1 + dy2 s2     dx2 = dy2 c2 - dy1 s1

Tokens come first and heads second, as projections make them and as attention over documents wants them, so that nothing is transposed.
Computed in fp32 (fp64 for fp64) and rounded once. cos and sin get no gradient. Kept for the backward pass: cos and sin only.
Bytes for T tokens of q and k numbers of 2 bytes: 4 T (q + k) forward and again backward. No second derivative.
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


def rope(q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, positions: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """q: [tokens, heads, width], k: [tokens, key heads, width] -> both, turned, in the same shapes and formats.

    cos, sin: [tokens, width]; with positions [tokens] int64, a row for every position instead: [longest, width].
    """
    if positions is not None:
        cos, sin = cos[positions], sin[positions]
    found: tuple[Tensor, Tensor] = _Rope.apply(q, k, cos, sin)  # type: ignore[no-untyped-call]
    return found


def _turn(q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, back: bool) -> tuple[Tensor, Tensor]:
    if tile.runs_on(q):
        return _launch(q, k, cos, sin, back)
    return _turned(q, cos, sin, back), _turned(k, cos, sin, back)


forward_op = register("rope(Tensor q, Tensor k, Tensor cos, Tensor sin, bool back) -> (Tensor, Tensor)", _turn)


def _turned(x: Tensor, cos: Tensor, sin: Tensor, back: bool) -> Tensor:
    precise = torch.float64 if x.dtype == torch.float64 else torch.float32
    (x1, x2), (c1, c2), (s1, s2) = (part.to(precise).chunk(2, -1) for part in (x, cos[:, None], sin[:, None]))
    sign = -1.0 if back else 1.0
    s1, s2 = (s2, s1) if back else (s1, s2)
    first = torch.addcmul(x1 * c1, x2, s1, value=-sign)
    second = torch.addcmul(x2 * c2, x1, s2, value=sign)
    return torch.cat((first, second), -1).to(x.dtype)


class _Rope(Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(cos, sin)
        found: tuple[Tensor, Tensor] = forward_op(q, k, cos, sin, False)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        d_q, d_k = _turn(grad_outputs[0], grad_outputs[1], cos, sin, True)
        return d_q, d_k, None, None


@jit
def _turn_rows(
    x: tl.tensor,
    out: tl.tensor,
    token: tl.tensor,
    c1: tl.tensor,
    c2: tl.tensor,
    s1: tl.tensor,
    s2: tl.tensor,
    heads: tl.tensor,
    half: tl.tensor,
    HEADS: tl.constexpr,
    HALF: tl.constexpr,
) -> None:
    """All heads of one token."""
    head = tl.arange(0, HEADS)[:, None]
    place = tl.arange(0, HALF)[None, :]
    at = (token * heads + head) * (2 * half) + place
    inside = (head < heads) & (place < half)
    x1 = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    x2 = tl.load(x + at + half, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + at, (x1 * c1 - x2 * s1).to(out.dtype.element_ty), mask=inside)
    tl.store(out + at + half, (x2 * c2 + x1 * s2).to(out.dtype.element_ty), mask=inside)


@jit
def _program(
    q: tl.tensor,
    k: tl.tensor,
    cos: tl.tensor,
    sin: tl.tensor,
    q_out: tl.tensor,
    k_out: tl.tensor,
    q_heads: tl.tensor,
    k_heads: tl.tensor,
    half: tl.tensor,
    BACK: tl.constexpr,
    Q_HEADS: tl.constexpr,
    K_HEADS: tl.constexpr,
    HALF: tl.constexpr,
) -> None:
    """One token a program."""
    token = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, HALF)[None, :]
    inside = place < half
    at = token * (2 * half) + place
    c1 = tl.load(cos + at, mask=inside, other=0.0).to(tl.float32)
    c2 = tl.load(cos + at + half, mask=inside, other=0.0).to(tl.float32)
    s1 = tl.load(sin + at, mask=inside, other=0.0).to(tl.float32)
    s2 = tl.load(sin + at + half, mask=inside, other=0.0).to(tl.float32)
    if BACK:
        t1 = -s2
        t2 = -s1
    else:
        t1 = s1
        t2 = s2
    _turn_rows(q, q_out, token, c1, c2, t1, t2, q_heads, half, Q_HEADS, HALF)
    _turn_rows(k, k_out, token, c1, c2, t1, t2, k_heads, half, K_HEADS, HALF)


def _launch(q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, back: bool) -> tuple[Tensor, Tensor]:
    q, k, cos, sin = (part.contiguous() for part in (q, k, cos, sin))
    q_out, k_out = torch.empty_like(q), torch.empty_like(k)
    tokens, heads, width = q.shape
    blocks = tile.cover(heads, least=1), tile.cover(k.shape[1], least=1), tile.cover(width // 2)
    if tokens:
        _program[(tokens,)](
            q, k, cos, sin, q_out, k_out, heads, k.shape[1], width // 2, BACK=back,
            Q_HEADS=blocks[0], K_HEADS=blocks[1], HALF=blocks[2], num_warps=tile.warps(blocks[0] * blocks[2]),
        )  # fmt: skip
    return q_out, k_out
