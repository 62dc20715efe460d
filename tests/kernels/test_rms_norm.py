"""The fused norm: the numbers of the plain one, alone and of a sum, and a gradient for the weight only where one is wanted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.rms_norm import add_rms_norm, rms_norm
from tests.kernels.numerics import assert_no_worse, outcome, random

EPS = 1e-6


def ours(x: Tensor, weight: Tensor) -> Tensor:
    return rms_norm(x, weight, EPS)


def plain(x: Tensor, weight: Tensor) -> Tensor:
    return reference.rms_norm(x, weight, EPS)


def sums(*, one: bool) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """The norm of a sum and the sum itself as one tensor, fused and plain."""

    def fused(x: Tensor, residual: Tensor, weight: Tensor) -> Tensor:
        return torch.stack(add_rms_norm(x, residual, weight, EPS, one=one))

    def apart(x: Tensor, residual: Tensor, weight: Tensor) -> Tensor:
        total = x + residual
        return torch.stack((reference.rms_norm(total, weight, EPS, one=one), total))

    return fused, apart


@pytest.mark.parametrize("rows", [1, 17, 128])
@pytest.mark.parametrize("width", [64, 100, 123, 1000])
def test_result_and_gradients_are_as_good_as_torchs(rows: int, width: int, dtype: torch.dtype) -> None:
    assert_no_worse(ours, plain, random((rows, width), (width,), seed=rows), dtype)


@pytest.mark.parametrize(("rows", "width"), [(1, 64), (17, 123)])
def test_a_weight_around_zero_is_added_to_one_and_rounded_once(rows: int, width: int, dtype: torch.dtype) -> None:
    assert_no_worse(
        lambda x, w: rms_norm(x, w, EPS, one=True),
        lambda x, w: reference.rms_norm(x, w, EPS, one=True),
        random((rows, width), (width,), seed=rows),
        dtype,
    )


@pytest.mark.parametrize("one", [False, True], ids=["weight", "one and the weight"])
@pytest.mark.parametrize(("rows", "width"), [(1, 64), (17, 123), (40, 1000)])
def test_a_sum_is_normed_and_both_pass_their_gradients_on(rows: int, width: int, one: bool, dtype: torch.dtype) -> None:
    fused, apart = sums(one=one)
    assert_no_worse(fused, apart, random((rows, width), (rows, width), (width,), seed=rows), dtype)


def test_the_hand_derived_backwards_are_the_derivatives_of_the_forwards() -> None:
    for one in (False, True):
        values = [value.requires_grad_() for value in random((5, 7), (5, 7), (7,))]
        assert torch.autograd.gradcheck(lambda x, w, one=one: rms_norm(x, w, EPS, one=one), [values[0], values[2]])
        assert torch.autograd.gradcheck(sums(one=one)[0], values)


def test_a_frozen_weight_gets_no_gradient(way: str) -> None:
    x, weight = (value.float() for value in random((5, 7), (7,)))
    rms_norm(x.requires_grad_(), weight, EPS).sum().backward()
    assert x.grad is not None
    assert weight.grad is None


def test_a_weight_in_fp32_makes_a_result_in_fp32_as_in_llama(way: str) -> None:
    x, weight = random((5, 8), (8,))
    values = [x.half(), weight.float()]
    for got, expected in zip(outcome(ours, values), outcome(plain, values), strict=True):
        assert got.dtype == expected.dtype
        torch.testing.assert_close(got, expected, rtol=2**-7, atol=2**-7)
    assert ours(*values).dtype == torch.float32


def test_rows_of_zeros_batches_strides_and_no_rows(way: str) -> None:
    x, weight = (value.float() for value in random((12, 16), (16,)))
    for strange in (x.view(3, 4, 16), x.T.contiguous().T, x[:1].expand(12, 16), x[::2], x[:0], torch.zeros_like(x)):
        got, expected = outcome(ours, [strange, weight]), outcome(plain, [strange.contiguous(), weight])
        for value, wanted in zip(got, expected, strict=True):
            torch.testing.assert_close(value, wanted)


def test_a_gradient_that_is_one_number_for_all_is_taken(way: str) -> None:
    x, weight = (value.float().requires_grad_() for value in random((6, 16), (16,)))
    above = torch.tensor(0.7).expand(6, 16)
    got = torch.autograd.grad(ours(x, weight), (x, weight), above)
    for value, wanted in zip(got, torch.autograd.grad(plain(x, weight), (x, weight), above), strict=True):
        torch.testing.assert_close(value, wanted)
