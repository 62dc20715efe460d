"""What holds for every operation, wherever it is computed: gradients are for one backward pass, add up, and change nothing that was given."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.kernels.numerics import DEVICE, outcome, random
from tests.kernels.operations import OPERATIONS


def leaves(name: str, *, seed: int = 3) -> list[Tensor]:
    _, shapes = OPERATIONS[name]
    return [value.to(DEVICE, torch.float32).requires_grad_() for value in random(*shapes, seed=seed)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_second_backward_pass_over_what_was_given_back_is_refused(name: str, way: str) -> None:
    operation, _ = OPERATIONS[name]
    out = operation(*leaves(name)).sum()
    out.backward()
    with pytest.raises(RuntimeError, match="second time"):
        out.backward()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_second_derivative_is_refused_instead_of_wrong(name: str, way: str) -> None:
    operation, _ = OPERATIONS[name]
    values = leaves(name)
    gradients = torch.autograd.grad(operation(*values).square().sum(), values, create_graph=True)
    with pytest.raises(RuntimeError, match=r"once_differentiable|does not require grad"):
        torch.stack([gradient.square().sum() for gradient in gradients]).sum().backward()


@pytest.mark.parametrize("name", OPERATIONS)
def test_four_passes_add_up_to_four_gradients(name: str, way: str) -> None:
    operation, _ = OPERATIONS[name]
    values = leaves(name)
    _, *once = outcome(operation, values)
    for value in values:
        value.grad = None
    for _ in range(4):
        out = operation(*values)
        above = torch.linspace(-1.3, 0.7, out.numel(), dtype=torch.float64, device=out.device).view_as(out).to(out)
        (0.25 * out).backward(above)
    for value, wanted in zip(values, once, strict=True):
        torch.testing.assert_close(value.grad, wanted)


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_that_was_given_is_changed(name: str, way: str) -> None:
    operation, _ = OPERATIONS[name]
    values = leaves(name)
    before = [value.detach().clone() for value in values]
    operation(*values).sum().backward()
    assert all(torch.equal(value, was) for value, was in zip(values, before, strict=True))
