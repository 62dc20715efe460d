"""The fused head: the same numbers as the plain one, without its memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from kernels import reference
from kernels.linear_cross_entropy import linear_cross_entropy, rows_per_chunk
from kernels.reference import IGNORE, Terms
from tests.kernels.numerics import DEVICE, assert_no_worse

ROWS = [1, 17, 128]
VOCABULARIES = [64, 100, 123, 1000]


def inputs(
    rows: int, vocabulary: int, dtype: torch.dtype = torch.float64, *, ignored: float = 0.4
) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(rows * 1000 + vocabulary)
    hidden = torch.randn(rows, 24, generator=generator, dtype=dtype)
    weight = torch.randn(vocabulary, 24, generator=generator, dtype=dtype)
    targets = torch.randint(0, vocabulary, (rows,), generator=generator)
    targets[torch.rand(rows, generator=generator) < ignored] = IGNORE
    return hidden, weight, targets


def gradients(function: Any, hidden: Tensor, weight: Tensor, targets: Tensor, scale: float = 1.0) -> tuple[Tensor, ...]:
    h, w = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
    loss = function(h, w, targets)
    (loss * scale).backward()
    assert h.grad is not None
    assert w.grad is not None
    return loss.detach(), h.grad, w.grad


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_loss_and_gradients_are_those_of_the_plain_operation_whatever_the_chunk(rows: int, vocabulary: int) -> None:
    values = inputs(rows, vocabulary)
    expected = gradients(reference.linear_cross_entropy, *values, scale=0.37)
    for chunk in (1, 3, rows):
        budget = chunk * vocabulary * 8

        def fused(h: Tensor, w: Tensor, t: Tensor, budget: int = budget) -> Tensor:
            return linear_cross_entropy(h, w, t, budget=budget)

        for got, wanted in zip(gradients(fused, *values, scale=0.37), expected, strict=True):
            torch.testing.assert_close(got, wanted)


TERMS = Terms(smoothing=0.1, z_loss=0.02, softcap=4.0)


@pytest.mark.parametrize("terms", [Terms(), TERMS], ids=["plain", "all terms"])
@pytest.mark.parametrize(("rows", "vocabulary"), [(1, 64), (17, 100), (40, 123)])
def test_result_and_gradients_are_as_good_as_torchs(
    rows: int, vocabulary: int, terms: Terms, dtype: torch.dtype
) -> None:
    *values, targets = inputs(rows, vocabulary)
    targets = targets.to(DEVICE)
    assert_no_worse(
        lambda h, w: linear_cross_entropy(h, w, targets, terms=terms, budget=16 * vocabulary * 4),
        lambda h, w: reference.linear_cross_entropy(h, w, targets, terms),
        [value / 3 for value in values],
        dtype,
    )


def test_whoever_knows_which_rows_count_and_how_many_there_are_makes_nobody_wait() -> None:
    hidden, weight, targets = inputs(30, 64)
    kept = (targets != IGNORE).nonzero().squeeze(1)
    count = torch.tensor(7.0, dtype=torch.float64)
    expected = gradients(lambda h, w, t: reference.linear_cross_entropy(h, w, t) / 7, hidden, weight, targets)
    with Called() as called:
        found = gradients(
            lambda h, w, t: linear_cross_entropy(h, w, t, kept=kept, count=count), hidden, weight, targets
        )
    for got, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(got, wanted)
    assert not {name for name in called.names if "nonzero" in name or "local_scalar" in name or "item" in name}


def test_four_parts_add_up_to_the_whole() -> None:
    hidden, weight, targets = inputs(40, 64)
    whole = gradients(lambda h, w, t: linear_cross_entropy(h, w, t, count=40), hidden, weight, targets)
    leaves = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
    for part in range(4):
        rows = slice(10 * part, 10 * part + 10)
        linear_cross_entropy(leaves[0][rows], leaves[1], targets[rows], count=40).backward()
    for leaf, wanted in zip(leaves, whole[1:], strict=True):
        assert leaf.grad is not None
        torch.testing.assert_close(leaf.grad, wanted)


def test_the_hand_derived_backward_is_the_derivative_of_the_forward() -> None:
    hidden, weight, targets = inputs(7, 11)
    assert torch.autograd.gradcheck(
        lambda h, w: linear_cross_entropy(h, w, targets, budget=2 * 11 * 8, terms=TERMS),
        (hidden.requires_grad_(), weight.requires_grad_()),
    )


@pytest.mark.parametrize("rows", [0, 5])
def test_nothing_to_count_gives_zero_and_zero_gradients(rows: int) -> None:
    hidden, weight, targets = inputs(rows, 32)
    loss, d_hidden, d_weight = gradients(linear_cross_entropy, hidden, weight, torch.full_like(targets, IGNORE))
    assert loss == 0
    assert not d_hidden.any()
    assert not d_weight.any()


def test_the_last_token_of_the_vocabulary_can_be_a_target() -> None:
    hidden, weight, targets = inputs(9, 50, ignored=0)
    targets[:] = 49
    torch.testing.assert_close(
        linear_cross_entropy(hidden, weight, targets), reference.linear_cross_entropy(hidden, weight, targets)
    )


def test_transposed_and_expanded_inputs_count_like_their_copies() -> None:
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(24, 10, generator=generator, dtype=torch.float64).T
    weight = torch.randn(24, 40, generator=generator, dtype=torch.float64).T
    targets = torch.tensor([3]).expand(10)
    torch.testing.assert_close(
        linear_cross_entropy(hidden, weight, targets),
        reference.linear_cross_entropy(hidden.contiguous(), weight.contiguous(), targets.clone()),
    )


def test_a_frozen_head_gets_no_gradient_and_costs_no_buffer_for_one() -> None:
    hidden, weight, targets = inputs(20, 1000, torch.float32)
    with Largest() as seen:
        linear_cross_entropy(hidden.requires_grad_(), weight, targets, budget=4000).backward()
    assert weight.grad is None
    assert seen.elements < weight.numel()


def test_the_logits_of_the_whole_batch_never_exist() -> None:
    hidden, weight, targets = inputs(128, 1000, torch.float32, ignored=0)
    with Largest() as seen:
        linear_cross_entropy(hidden.requires_grad_(), weight, targets, budget=8 * 1000 * 4).backward()
    assert seen.elements <= 8 * 1000
    with Largest() as plain:
        reference.linear_cross_entropy(hidden, weight, targets)
    assert plain.elements == 128 * 1000


def test_bf16_input_is_summed_in_fp32() -> None:
    hidden, weight, targets = inputs(2000, 64, torch.bfloat16, ignored=0)
    loss = linear_cross_entropy(hidden, weight, targets)
    exact = reference.linear_cross_entropy(hidden.double(), weight.double(), targets)
    assert loss.dtype == torch.float32
    plain = (
        torch.nn.functional.cross_entropy(hidden @ weight.T, targets, reduction="sum").double() - exact
    ).abs()  # what bf16 sums come to
    assert (loss.double() - exact).abs() < exact * 2e-3
    assert (loss.double() - exact).abs() < plain


def test_a_budget_smaller_than_a_row_still_takes_one_row() -> None:
    assert rows_per_chunk(150_000, 1) == 1
    assert rows_per_chunk(1000, 40_000) == 10


class Largest(TorchDispatchMode):
    """The number of elements of the largest tensor that any operation made (not merely looked at)."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        known = {value.untyped_storage().data_ptr() for value in args if isinstance(value, Tensor)}
        for value in result if isinstance(result, tuple | list) else (result,):
            if isinstance(value, Tensor) and value.untyped_storage().data_ptr() not in known:
                self.elements = max(self.elements, value.numel())
        return result


class Called(TorchDispatchMode):
    """The names of all operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))
