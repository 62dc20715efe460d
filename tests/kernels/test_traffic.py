"""No program moves more bytes than its formula must: every number of 2 bytes is read once and written once.

What belongs to a row or to all rows (a weight, a root, cosines) is counted apart, as `besides`. How long that takes is for `make bench-gpu`.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels.cross_entropy import cross_entropy
from kernels.reference import PLAIN
from kernels.rms_norm import add_rms_norm, rms_norm
from kernels.rope import rope
from kernels.swiglu import again, swiglu
from tests.kernels.numerics import DEVICE
from tests.kernels.traffic import counted

pytestmark = [
    pytest.mark.skipif(DEVICE.type != "cpu", reason="counted in Triton's interpreter"),
    pytest.mark.usefixtures("by_triton"),
]
TOKENS, WIDTH = 6, 96
ROW = TOKENS * WIDTH


def half(*shape: int, grad: bool = False) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1)).half().requires_grad_(grad)


def test_a_norm_reads_and_writes_a_row_once_and_reads_two_on_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = half(TOKENS, WIDTH, grad=True), half(WIDTH)
    besides = 2 * WIDTH + 4 * TOKENS
    with counted(monkeypatch) as forward:
        out = rms_norm(x, weight, 1e-6)
    assert forward.once == 4 * ROW + besides
    with counted(monkeypatch) as backward:
        out.backward(half(TOKENS, WIDTH))
    assert backward.once == 6 * ROW + besides


def test_a_sum_costs_a_norm_two_rows_more_and_not_six(monkeypatch: pytest.MonkeyPatch) -> None:
    x, residual, weight = half(TOKENS, WIDTH, grad=True), half(TOKENS, WIDTH, grad=True), half(WIDTH)
    besides = 2 * WIDTH + 4 * TOKENS
    with counted(monkeypatch) as forward:
        out, total = add_rms_norm(x, residual, weight, 1e-6)
    assert forward.once == 8 * ROW + besides
    with counted(monkeypatch) as backward:
        torch.autograd.backward((out, total), (half(TOKENS, WIDTH), half(TOKENS, WIDTH)))
    assert backward.once == 8 * ROW + besides


def test_queries_and_keys_are_read_and_written_once_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    q, k = half(TOKENS, 4, 16, grad=True), half(TOKENS, 2, 16, grad=True)
    cos, sin = half(TOKENS, 16), half(TOKENS, 16)
    numbers, besides = q.numel() + k.numel(), 2 * 2 * TOKENS * 16
    with counted(monkeypatch) as forward:
        turned = rope(q, k, cos, sin)
    assert forward.once == forward.moved == 4 * numbers + besides
    with counted(monkeypatch) as backward:
        torch.autograd.backward(turned, (half(TOKENS, 4, 16), half(TOKENS, 2, 16)))
    assert backward.once == backward.moved == 4 * numbers + besides


def test_a_gate_moves_three_numbers_forward_five_back_and_one_more_for_its_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, up = half(TOKENS, WIDTH, grad=True), half(TOKENS, WIDTH, grad=True)
    with counted(monkeypatch) as forward:
        out = swiglu(gate, up)
    assert forward.once == forward.moved == 6 * ROW
    with counted(monkeypatch) as backward:
        out.backward(half(TOKENS, WIDTH))
    assert backward.once == backward.moved == 10 * ROW
    with counted(monkeypatch) as with_product:
        again(half(TOKENS, WIDTH), gate.detach(), up.detach())
    assert with_product.moved == 12 * ROW


def test_logits_are_read_twice_and_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = torch.arange(TOKENS)
    with counted(monkeypatch) as traffic:
        cross_entropy(half(TOKENS, WIDTH), targets, PLAIN, wants_gradient=True)
    hits = (8 + 2 + 4) * TOKENS  # a target, its logit, and the loss of a row
    assert traffic.moved == 6 * ROW + hits
