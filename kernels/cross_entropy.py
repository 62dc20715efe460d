"""Cross-entropy of rows of logits together with its gradient, which takes the logits' place where a GPU computes.

Formula, for a row of V logits a and its target t, with c the cap (0 for none), s the label smoothing, l the weight of the z-loss:

    z    = c tanh(a / c), or a                                      (Gemma Team 2024)
    L    = logsumexp(z)
    loss = L - (1 - s) z_t - s mean(z) + l L^2                      (Szegedy et al. 2016; Chowdhery et al. 2022)
    da   = ((1 + 2 l L) softmax(z) - (1 - s) onehot(t) - s / V) (1 - (z / c)^2, or 1)

The caller owns the logits and must not use them again. Sums are fp32 whatever the logits' format (fp64 for fp64); on a GPU a row is read twice and
written once: 6 V bytes for numbers of 2 bytes. Targets are all real: whoever calls has dropped ignored rows. It is a part of
`kernels.linear_cross_entropy` and no differentiable operation of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kernels import tile
from kernels.reference import Terms
from kernels.tile import jit, tl


def cross_entropy(
    logits: Tensor, targets: Tensor, terms: Terms, *, wants_gradient: bool
) -> tuple[Tensor, Tensor | None]:
    """logits: [rows, vocabulary], targets: [rows] int64 -> (their summed loss, its gradient in fp32 or the logits' format)."""
    if tile.runs_on(logits):
        losses = _launch(logits, targets, terms, wants_gradient)
        return losses.sum(), logits if wants_gradient else None
    vocabulary = logits.shape[1]
    precise = logits.to(torch.float64 if logits.dtype == torch.float64 else torch.float32)
    del logits  # the caller keeps none either, so that rounded and precise ones are there together for a moment only
    z = torch.tanh(precise / terms.softcap).mul_(terms.softcap) if terms.softcap else precise
    slope = 1.0 - (z / terms.softcap).square_() if terms.softcap and wants_gradient else None
    most = z.amax(-1, keepdim=True)
    z.sub_(most)
    answers = z.gather(1, targets[:, None])
    mean = z.mean(-1, keepdim=True) if terms.smoothing else 0.0
    exponentials = z.exp_()
    total = exponentials.sum(-1, keepdim=True)
    losses = total.log() - (1.0 - terms.smoothing) * answers - terms.smoothing * mean
    normaliser = total.log() + most
    loss = (losses + terms.z_loss * normaliser.square()).sum()
    if not wants_gradient:
        return loss, None
    gradient = exponentials.mul_((1.0 + 2.0 * terms.z_loss * normaliser) / total)
    gradient.scatter_add_(1, targets[:, None], gradient.new_full((len(targets), 1), terms.smoothing - 1.0))
    if terms.smoothing:
        gradient -= terms.smoothing / vocabulary
    return loss, gradient if slope is None else gradient.mul_(slope)


@jit
def _capped(a: tl.tensor, cap: tl.tensor) -> tl.tensor:
    """cap tanh(a / cap), by the sigmoid, for tanh is no function of every Triton."""
    return cap * (2.0 * tl.sigmoid(2.0 * a / cap) - 1.0)


@jit
def _program(
    logits: tl.tensor,
    targets: tl.tensor,
    losses: tl.tensor,
    vocabulary: tl.tensor,
    smoothing: tl.tensor,
    z_loss: tl.tensor,
    softcap: tl.tensor,
    CAP: tl.constexpr,
    GRADIENT: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """One row a program: the first pass sums exponentials (Milakov and Gimelshein 2018), the second writes the gradient."""
    row = tl.program_id(0).to(tl.int64)
    start = logits + row * vocabulary
    cap = tl.cast(softcap, tl.float32)
    smooth = tl.cast(smoothing, tl.float32)
    weight = tl.cast(z_loss, tl.float32)
    target = tl.load(targets + row)
    hit = tl.load(start + target).to(tl.float32)
    if CAP:
        hit = _capped(hit, cap)
    place = tl.arange(0, BLOCK)
    largest = tl.full([BLOCK], float("-inf"), dtype=tl.float32)
    exponentials = tl.zeros([BLOCK], dtype=tl.float32)
    plain = tl.zeros([BLOCK], dtype=tl.float32)
    for at in range(0, vocabulary, BLOCK):
        inside = at + place < vocabulary
        z = tl.load(start + at + place, mask=inside, other=0.0).to(tl.float32)
        if CAP:
            z = _capped(z, cap)
        plain += tl.where(inside, z, 0.0)
        z = tl.where(inside, z, float("-inf"))
        higher = tl.maximum(largest, z)
        shift = tl.where(higher == float("-inf"), 0.0, higher)
        exponentials = exponentials * tl.exp(largest - shift) + tl.exp(z - shift)
        largest = higher
    most = tl.max(largest, axis=0)
    total = tl.sum(exponentials * tl.exp(largest - most), axis=0)
    normaliser = most + tl.log(total)
    loss = tl.log(total) - (1.0 - smooth) * (hit - most) - smooth * (tl.sum(plain, axis=0) / vocabulary - most)
    tl.store(losses + row, loss + weight * normaliser * normaliser)
    if GRADIENT:
        factor = 1.0 + 2.0 * weight * normaliser
        for at in range(0, vocabulary, BLOCK):
            inside = at + place < vocabulary
            z = tl.load(start + at + place, mask=inside, other=float("-inf")).to(tl.float32)
            if CAP:
                z = _capped(z, cap)
            found = tl.exp(z - most) * (factor / total) - smooth / vocabulary
            found = tl.where(at + place == target, found - (1.0 - smooth), found)
            if CAP:
                found *= 1.0 - (z / cap) * (z / cap)
            tl.store(start + at + place, found.to(logits.dtype.element_ty), mask=inside)


def _launch(logits: Tensor, targets: Tensor, terms: Terms, wants_gradient: bool) -> Tensor:
    rows, vocabulary = logits.shape
    losses = torch.empty(rows, dtype=torch.float32, device=logits.device)
    block = min(8192, tile.cover(vocabulary))
    if rows:
        _program[(rows,)](
            logits, targets, losses, vocabulary, terms.smoothing, terms.z_loss, terms.softcap,
            CAP=terms.softcap > 0, GRADIENT=wants_gradient, BLOCK=block, num_warps=tile.warps(block),
        )  # fmt: skip
    return losses
