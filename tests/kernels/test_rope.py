"""Turned heads: the numbers of the plain formula, both at once, back again, and nothing in place."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.rope import rope
from tests.kernels.numerics import DEVICE, assert_no_worse, random


def angles(tokens: int, width: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    cos, sin = random(
        (tokens, width), (tokens, width), seed=9
    )  # halves that differ: nothing may take one for the other
    return cos.to(DEVICE, dtype), sin.to(DEVICE, dtype)


def flat(pair: tuple[Tensor, Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in pair])


@pytest.mark.parametrize(
    ("tokens", "heads", "key_heads", "width"),
    [(1, 4, 2, 8), (17, 3, 1, 64), (5, 4, 4, 10), (40, 12, 2, 128), (128, 1, 1, 2)],
)
def test_result_and_gradients_are_as_good_as_torchs(
    tokens: int, heads: int, key_heads: int, width: int, dtype: torch.dtype
) -> None:
    cos, sin = angles(tokens, width, dtype)
    assert_no_worse(
        lambda q, k: flat(rope(q, k, cos.to(q.dtype), sin.to(q.dtype))),
        lambda q, k: flat(reference.rope(q, k, cos.to(q.dtype), sin.to(q.dtype))),
        random((tokens, heads, width), (tokens, key_heads, width), seed=tokens),
        dtype,
    )


def test_the_hand_derived_backward_is_the_derivative_of_the_forward() -> None:
    cos, sin = random((5, 6), (5, 6))
    values = [value.requires_grad_() for value in random((5, 2, 6), (5, 1, 6))]
    assert torch.autograd.gradcheck(lambda q, k: rope(q, k, cos, sin), values)


def test_positions_choose_their_rows(way: str) -> None:
    cos, sin = angles(9, 8, torch.float32)
    q, k = (value.float().to(DEVICE) for value in random((6, 2, 8), (6, 1, 8)))
    positions = torch.tensor([0, 1, 2, 0, 1, 8], device=DEVICE)  # of three documents
    got = rope(q, k, cos, sin, positions)
    for value, wanted in zip(got, reference.rope(q, k, cos[positions], sin[positions]), strict=True):
        torch.testing.assert_close(value, wanted)


def test_heads_before_tokens_expanded_and_no_tokens_come_out_as_their_copies(way: str) -> None:
    cos, sin = angles(6, 8, torch.float32)
    q, k = (value.float().to(DEVICE) for value in random((2, 6, 8), (6, 1, 8)))
    for strange in (q.transpose(0, 1), q[:1].transpose(0, 1).expand(6, 2, 8)):
        torch.testing.assert_close(rope(strange, k, cos, sin), reference.rope(strange, k, cos, sin))
    nothing = rope(q.transpose(0, 1)[:0], k[:0], cos[:0], sin[:0])
    assert [part.shape for part in nothing] == [(0, 2, 8), (0, 1, 8)]
