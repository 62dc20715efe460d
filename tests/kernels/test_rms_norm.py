"""The fused norm: the numbers of the plain one, and a gradient for the weight only where one is wanted."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.rms_norm import rms_norm
from tests.kernels.numerics import assert_no_worse, outcome, random

EPS = 1e-6


def ours(x: Tensor, weight: Tensor) -> Tensor:
    return rms_norm(x, weight, EPS)


def plain(x: Tensor, weight: Tensor) -> Tensor:
    return reference.rms_norm(x, weight, EPS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("rows", [1, 17, 128])
@pytest.mark.parametrize("width", [64, 100, 123, 1000])
def test_result_and_gradients_are_as_good_as_torchs(rows: int, width: int, dtype: torch.dtype) -> None:
    assert_no_worse(ours, plain, random((rows, width), (width,), seed=rows), dtype)


def test_the_hand_derived_backward_is_the_derivative_of_the_forward() -> None:
    assert torch.autograd.gradcheck(ours, [value.requires_grad_() for value in random((5, 7), (7,))])


def test_a_frozen_weight_gets_no_gradient() -> None:
    x, weight = random((5, 7), (7,))
    rms_norm(x.requires_grad_(), weight, EPS).sum().backward()
    assert x.grad is not None
    assert weight.grad is None


def test_a_weight_in_fp32_makes_a_result_in_fp32_as_in_llama() -> None:
    x, weight = random((5, 8), (8,))
    values = [x.bfloat16(), weight.float()]
    for got, expected in zip(outcome(ours, values), outcome(plain, values), strict=True):
        assert got.dtype == expected.dtype
        torch.testing.assert_close(got, expected, rtol=2**-7, atol=2**-7)
    assert ours(*values).dtype == torch.float32


def test_rows_of_zeros_batches_strides_and_no_rows() -> None:
    x, weight = random((12, 16), (16,))
    for strange in (x.view(3, 4, 16), x.T.contiguous().T, x[:1].expand(12, 16), x[::2], x[:0], torch.zeros_like(x)):
        got, expected = outcome(ours, [strange, weight]), outcome(plain, [strange.contiguous(), weight])
        for value, wanted in zip(got, expected, strict=True):
            torch.testing.assert_close(value, wanted)


def test_no_input_is_changed() -> None:
    x, weight = random((6, 8), (8,))
    before = x.clone(), weight.clone()
    ours(x.requires_grad_(), weight.requires_grad_()).sum().backward()
    assert torch.equal(x.detach(), before[0])
    assert torch.equal(weight.detach(), before[1])
