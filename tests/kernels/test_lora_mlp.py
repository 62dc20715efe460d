"""The fused feed-forward block: the same numbers as three layers with adapters, and half of what they keep."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.lora_mlp import lora_mlp
from kernels.reference import Adapted
from tests.kernels.numerics import DEVICE, assert_no_worse, outcome, random

SCALING = (1.5, 0.5, 2.0)


def block(tokens: int, width: int, wide: int, rank: int = 4) -> tuple[list[Tensor], list[Tensor]]:
    """x and the six halves of adapters; the three weights."""
    shapes = [(tokens, width)] + 2 * [(rank, width), (wide, rank)] + [(rank, wide), (width, rank)]
    return random(*shapes, seed=wide), random((wide, width), (wide, width), (width, wide), seed=tokens)


def through(operation: Callable[..., Tensor], weights: list[Tensor]) -> Callable[..., Tensor]:
    def run(x: Tensor, *halves: Tensor) -> Tensor:
        pairs = zip(halves[0::2], halves[1::2], weights, SCALING, strict=True)
        return operation(x, *(Adapted(weight.to(x.dtype), a, b, s) for a, b, weight, s in pairs))

    return run


@pytest.mark.parametrize("shape", [(1, 64, 100), (17, 33, 123), (128, 64, 176)])
def test_result_and_gradients_are_as_good_as_those_of_three_layers(
    shape: tuple[int, int, int], dtype: torch.dtype
) -> None:
    values, weights = block(*shape)
    weights = [weight.to(DEVICE, dtype) for weight in weights]
    assert_no_worse(through(lora_mlp, weights), through(reference.lora_mlp, weights), values, dtype)


def test_the_hand_derived_backward_is_the_derivative_of_the_forward() -> None:
    values, weights = block(5, 6, 9, rank=2)
    assert torch.autograd.gradcheck(through(lora_mlp, weights), [value.requires_grad_() for value in values])


def test_batches_strides_and_no_rows_at_all() -> None:
    values, weights = block(12, 16, 20)
    x, *halves = values
    for strange in (x.view(3, 4, 16), x.T.contiguous().T, x[:1].expand(12, 16), x[:0]):
        got = outcome(through(lora_mlp, weights), [strange, *halves])
        expected = outcome(through(reference.lora_mlp, weights), [strange.contiguous(), *halves])
        for value, wanted in zip(got, expected, strict=True):
            torch.testing.assert_close(value, wanted)


def test_no_input_is_changed_and_a_second_backward_pass_gives_the_same() -> None:
    values, weights = block(6, 8, 10)
    before = [value.clone() for value in values]
    leaves = [value.requires_grad_() for value in values]
    out = through(lora_mlp, weights)(*leaves)
    first = torch.autograd.grad(out.sum(), leaves, retain_graph=True)
    second = torch.autograd.grad(out.sum(), leaves)
    for value, was in zip(values, before, strict=True):
        assert torch.equal(value.detach(), was)
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def test_what_is_kept_is_the_input_gate_up_and_what_is_as_narrow_as_the_rank() -> None:
    tokens, width, wide, rank = 64, 32, 500, 4
    values, weights = block(tokens, width, wide, rank)
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        through(lora_mlp, weights)(*(value.requires_grad_() for value in values))
    of_tokens = sum(tensor.numel() for tensor in kept if tensor.shape[0] == tokens)
    assert of_tokens == tokens * (width + 2 * wide + 3 * rank)
