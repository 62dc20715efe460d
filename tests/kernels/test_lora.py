"""The fused adapter layer: the same numbers as layer plus adapter, with nothing of the output's size besides the output."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import dropout

from kernels import reference
from kernels.lora import lora_linear
from tests.kernels.numerics import assert_no_worse, outcome, random

SHAPES = [(1, 64, 100), (17, 100, 64), (128, 123, 1000), (33, 1, 1)]


def layer(tokens: int, inputs: int, outputs: int, rank: int = 4) -> list[Tensor]:
    """x, weight, bias, a, b."""
    return random(
        (tokens, inputs), (outputs, inputs), (outputs,), (rank, inputs), (outputs, rank), seed=tokens + outputs
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("biased", [False, True])
def test_result_and_gradients_are_as_good_as_those_of_layer_plus_adapter(
    shape: tuple[int, int, int], dtype: torch.dtype, biased: bool
) -> None:
    x, weight, bias, a, b = layer(*shape)
    frozen, shift = weight.to(dtype), bias.to(dtype) if biased else None

    def through(operation: object) -> object:
        def run(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
            like = shift.to(x.dtype) if shift is not None else None
            return operation(x, frozen.to(x.dtype), like, a, b, 1.7)  # type: ignore[operator]

        return run

    assert_no_worse(through(lora_linear), through(reference.lora_linear), [x, a, b], dtype)  # type: ignore[arg-type]


def test_the_hand_derived_backward_is_the_derivative_of_the_forward() -> None:
    x, weight, bias, a, b = layer(5, 7, 6, rank=2)
    seen = random((5, 7), seed=9)[0]
    leaves = [value.requires_grad_() for value in (x, a, b, seen)]
    assert torch.autograd.gradcheck(lambda x, a, b, _: lora_linear(x, weight, bias, a, b, 0.6), leaves)
    assert torch.autograd.gradcheck(lambda x, a, b, d: lora_linear(x, weight, bias, a, b, 0.6, d), leaves)


def test_an_adapter_in_fp32_on_a_layer_in_bf16_gets_gradients_in_fp32() -> None:
    x, weight, _, a, b = layer(9, 16, 12)
    x, weight = x.bfloat16().requires_grad_(), weight.bfloat16()
    a, b = a.float().requires_grad_(), b.float().requires_grad_()
    out = lora_linear(x, weight, None, a, b, 2.0)
    gradients = torch.autograd.grad(out.sum(), (x, a, b))
    assert out.dtype == torch.bfloat16
    assert [gradient.dtype for gradient in gradients] == [torch.bfloat16, torch.float32, torch.float32]


def test_with_dropout_the_adapter_alone_sees_what_was_dropped() -> None:
    x, weight, _, a, b = layer(40, 16, 12)

    def through(operation: object) -> list[Tensor]:
        def run(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
            torch.manual_seed(3)
            return operation(x, weight, None, a, b, 2.0, dropout(x, 0.4))  # type: ignore[operator, no-any-return]

        return outcome(run, [x, a, b])

    for got, expected in zip(through(lora_linear), through(reference.lora_linear), strict=True):
        torch.testing.assert_close(got, expected)


def test_strided_expanded_and_empty_inputs_count_like_their_copies() -> None:
    x, weight, bias, a, b = layer(12, 16, 10)
    strange = [
        (x.T.contiguous().T, weight.T.contiguous().T, a, b),
        (x[:1].expand(12, 16), weight, a[:1].expand(4, 16), b),
        (x[::2], weight, a, b.T.contiguous().T),
        (x[:0], weight, a, b),
        (x.view(3, 4, 16), weight, a, b),
    ]
    for x, weight, a, b in strange:
        got = outcome(lambda x, a, b, w=weight: lora_linear(x, w, bias, a, b, 0.5), [x, a, b])
        copies = [value.contiguous() for value in (x, a, b)]
        plain = weight.contiguous()
        expected = outcome(lambda x, a, b, w=plain: reference.lora_linear(x, w, bias, a, b, 0.5), copies)
        for value, wanted in zip(got, expected, strict=True):
            torch.testing.assert_close(value, wanted)


def test_only_the_input_and_something_as_narrow_as_the_rank_is_kept() -> None:
    x, weight, _, a, b = (value.float() for value in layer(64, 32, 500))
    x.requires_grad_(), a.requires_grad_(), b.requires_grad_()
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        lora_linear(x, weight, None, a, b, 1.0)
    assert sorted(kept) == sorted([x.numel(), 64 * 4, weight.numel(), a.numel(), b.numel()])
