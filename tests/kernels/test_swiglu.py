"""The gate of a feed-forward block: the plain numbers forward and back, and its product made again on the way back."""

from __future__ import annotations

import pytest
import torch

from kernels import reference
from kernels.swiglu import again, swiglu
from tests.kernels.numerics import DEVICE, assert_no_worse, random


@pytest.mark.parametrize(("tokens", "width"), [(1, 5), (17, 100), (128, 64), (3, 1000)])
def test_result_and_gradients_are_as_good_as_torchs(tokens: int, width: int, dtype: torch.dtype) -> None:
    assert_no_worse(swiglu, reference.swiglu, random((tokens, width), (tokens, width), seed=tokens), dtype)


def test_the_hand_derived_backward_is_the_derivative_of_the_forward() -> None:
    assert torch.autograd.gradcheck(swiglu, [value.requires_grad_() for value in random((4, 5), (4, 5))])


def test_the_product_is_made_again_beside_the_gradients(way: str) -> None:
    gate, up, above = (value.float().to(DEVICE) for value in random((6, 50), (6, 50), (6, 50)))
    gate.requires_grad_()
    up.requires_grad_()
    product = reference.swiglu(gate, up)
    wanted = torch.autograd.grad(product, (gate, up), above)
    found, *gradients = again(above.clone(), gate.detach(), up.detach())
    torch.testing.assert_close(found, product.detach())
    for got, right in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(got, right)


def test_transposed_expanded_and_empty_inputs_come_out_as_their_copies(way: str) -> None:
    gate, up = (value.float().to(DEVICE) for value in random((6, 10), (10, 6)))
    for pair in ((gate, up.T), (gate[:1].expand(6, 10), up.T), (gate[:0], up.T[:0])):
        torch.testing.assert_close(swiglu(*pair), reference.swiglu(*pair))


@pytest.mark.filterwarnings("ignore:overflow encountered in exp")  # of the interpreter: to infinity, as it should
def test_large_gates_neither_overflow_nor_vanish(way: str) -> None:
    gate = torch.tensor([-1e4, -90.0, 0.0, 90.0, 1e4], device=DEVICE, requires_grad=True)
    out = swiglu(gate, torch.ones_like(gate))
    torch.testing.assert_close(out, torch.nn.functional.silu(gate))
    (slope,) = torch.autograd.grad(out.sum(), gate)
    torch.testing.assert_close(slope, torch.tensor([0.0, 0.0, 0.5, 1.0, 1.0], device=DEVICE))
