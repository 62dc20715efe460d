"""Cross-entropy with its gradient in the place of the logits: plain, smoothed, capped, and held near zero."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.cross_entropy import cross_entropy
from kernels.reference import Terms
from tests.kernels.numerics import DEVICE, assert_no_worse, random

TERMS = {
    "plain": Terms(),
    "smoothed": Terms(smoothing=0.1),
    "z-loss": Terms(z_loss=0.01),
    "capped": Terms(softcap=3.0),
    "all": Terms(0.2, 0.02, 5.0),
}


def targets_of(rows: int, vocabulary: int) -> Tensor:
    generator = torch.Generator().manual_seed(rows)
    targets = torch.randint(0, vocabulary, (rows,), generator=generator)
    targets[-1] = vocabulary - 1
    return targets.to(DEVICE)


class Own(torch.autograd.Function):
    """The operation as one that autograd can ask, so that its gradient is judged like any other."""

    @staticmethod
    def forward(ctx, logits, targets, terms):  # type: ignore[no-untyped-def]
        loss, gradient = cross_entropy(logits.clone(), targets, terms, wants_gradient=True)
        ctx.save_for_backward(gradient)
        ctx.dtype = logits.dtype
        return loss

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        return (ctx.saved_tensors[0].to(grad.dtype) * grad).to(ctx.dtype), None, None


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
@pytest.mark.parametrize(("rows", "vocabulary"), [(1, 64), (17, 100), (5, 1000)])
def test_loss_and_gradient_are_as_good_as_torchs(rows: int, vocabulary: int, terms: Terms, dtype: torch.dtype) -> None:
    targets = targets_of(rows, vocabulary)
    (logits,) = random((rows, vocabulary), seed=vocabulary)
    assert_no_worse(
        lambda a: Own.apply(a, targets, terms),
        lambda a: reference.cross_entropy(a, targets, terms).sum(),
        [8 * logits],
        dtype,
    )


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_the_gradient_is_the_derivative_of_the_loss(terms: Terms) -> None:
    targets = targets_of(4, 9).cpu()
    (logits,) = random((4, 9))
    assert torch.autograd.gradcheck(lambda a: Own.apply(a, targets, terms), [logits.requires_grad_()])


def test_a_vocabulary_wider_than_a_block_is_walked_in_blocks(by_triton: None) -> None:
    targets = targets_of(2, 20_001)
    logits = random((2, 20_001))[0].float().to(DEVICE)
    loss, gradient = cross_entropy(logits.clone(), targets, Terms(), wants_gradient=True)
    leaf = logits.requires_grad_()
    wanted = reference.cross_entropy(leaf, targets).sum()
    torch.testing.assert_close(loss, wanted.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(wanted, leaf)[0])


def test_logits_far_apart_neither_overflow_nor_give_a_number_that_is_none(way: str) -> None:
    logits = torch.tensor([[3e4, -3e4, 0.0], [-3e4, -3e4, -3e4]], device=DEVICE)
    targets = torch.tensor([1, 2], device=DEVICE)
    loss, gradient = cross_entropy(logits.clone(), targets, Terms(), wants_gradient=True)
    torch.testing.assert_close(loss, reference.cross_entropy(logits, targets).sum())
    assert gradient is not None
    assert gradient.isfinite().all()


def test_without_a_gradient_none_is_made(way: str) -> None:
    logits = random((3, 40))[0].float().to(DEVICE)
    targets = targets_of(3, 40)
    before = logits.clone()
    loss, gradient = cross_entropy(logits, targets, Terms(), wants_gradient=False)
    assert gradient is None
    torch.testing.assert_close(loss, reference.cross_entropy(before, targets).sum())
