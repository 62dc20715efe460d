"""Three projections of one input: the numbers of three layers with adapters, whatever has a bias."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.lora_qkv import lora_qkv
from kernels.reference import Adapted
from tests.kernels.numerics import DEVICE, assert_no_worse, outcome, random

SCALING = (1.5, 0.5, 2.0)
RANKS = (4, 2, 3)
Projections = Callable[..., tuple[Tensor, Tensor, Tensor]]


def three(tokens: int, width: int, wide: int, narrow: int) -> tuple[list[Tensor], list[Tensor]]:
    """x and the six halves of adapters of different ranks; three weights and three biases."""
    outputs = (wide, narrow, narrow)
    halves = [shape for rank, out in zip(RANKS, outputs, strict=True) for shape in ((rank, width), (out, rank))]
    frozen = random(*((out, width) for out in outputs), *((out,) for out in outputs), seed=tokens)
    return random((tokens, width), *halves, seed=width), frozen


def through(operation: Projections, frozen: list[Tensor], *, biased: bool) -> Callable[..., Tensor]:
    def run(x: Tensor, *halves: Tensor) -> Tensor:
        weights = [part.to(x) for part in frozen]
        layers = [
            Adapted(weights[i], halves[2 * i], halves[2 * i + 1], SCALING[i], weights[3 + i] if biased else None)
            for i in range(3)
        ]
        return torch.cat(operation(x, *layers), dim=-1)

    return run


@pytest.mark.parametrize("biased", [False, True], ids=["no bias", "biases"])
@pytest.mark.parametrize("shape", [(1, 64, 64, 32), (17, 33, 48, 10), (128, 64, 96, 16)])
def test_result_and_gradients_are_as_good_as_those_of_three_layers(
    shape: tuple[int, int, int, int], biased: bool, dtype: torch.dtype
) -> None:
    values, frozen = three(*shape)
    frozen = [part.to(DEVICE, dtype) for part in frozen]
    plain = through(reference.lora_qkv, frozen, biased=biased)
    assert_no_worse(through(lora_qkv, frozen, biased=biased), plain, values, dtype)


def test_the_hand_derived_backward_is_the_derivative_of_the_forward() -> None:
    values, frozen = three(5, 6, 8, 4)
    leaves = [value.requires_grad_() for value in values]
    assert torch.autograd.gradcheck(through(lora_qkv, frozen, biased=True), leaves)


def test_batches_strides_and_no_rows_at_all() -> None:
    values, frozen = three(12, 16, 8, 4)
    x, *halves = values
    for strange in (x.view(3, 4, 16), x.T.contiguous().T, x[:1].expand(12, 16), x[:0]):
        got = outcome(through(lora_qkv, frozen, biased=True), [strange, *halves])
        expected = outcome(through(reference.lora_qkv, frozen, biased=True), [strange.contiguous(), *halves])
        for value, wanted in zip(got, expected, strict=True):
            torch.testing.assert_close(value, wanted)


def test_adapters_in_fp32_on_weights_in_bf16_get_their_gradients_in_fp32() -> None:
    values, frozen = three(7, 16, 8, 4)
    leaves = [values[0].bfloat16().requires_grad_(), *(value.float().requires_grad_() for value in values[1:])]
    out = through(lora_qkv, frozen, biased=True)(*leaves)
    gradients = torch.autograd.grad(out.float().sum(), leaves)
    assert out.dtype == torch.bfloat16
    assert [gradient.dtype for gradient in gradients] == [torch.bfloat16, *6 * [torch.float32]]


def test_what_is_kept_is_the_input_and_what_is_as_narrow_as_the_ranks() -> None:
    tokens, width = 64, 32
    values, frozen = three(tokens, width, 40, 20)
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        lora_qkv(
            values[0].requires_grad_(),
            *(Adapted(frozen[i], values[1 + 2 * i], values[2 + 2 * i], 1.0, frozen[3 + i]) for i in range(3)),
        )
    of_tokens = sum(tensor.numel() for tensor in kept if tensor.shape[0] == tokens)
    assert of_tokens == tokens * (width + sum(RANKS))
