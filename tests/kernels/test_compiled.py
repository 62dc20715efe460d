"""torch.compile meets every operation without breaking its graph, and changes no number; also where targets are ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from kernels.linear_cross_entropy import linear_cross_entropy
from kernels.lora import lora_linear
from kernels.lora_mlp import lora_mlp
from kernels.lora_qkv import lora_qkv
from kernels.reference import IGNORE, Adapted
from kernels.rms_norm import add_rms_norm, rms_norm
from kernels.rope import rope
from kernels.swiglu import swiglu
from tests.kernels.numerics import outcome, random

pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
"""What torch's own compiler does when it meets an operation of ours."""

COS, SIN, *WEIGHTS = (value.float() for value in random((4, 8), (4, 8), (8, 8), (8, 8), (8, 8), seed=5))
ADAPTERS = [(2, 8), (8, 2)] * 3
TARGETS, KEPT = torch.tensor([1, IGNORE, 3, IGNORE]), torch.tensor([0, 2])


def layers(halves: tuple[Tensor, ...]) -> list[Adapted]:
    """Three layers, each with its own weight and adapter."""
    return [Adapted(WEIGHTS[i], halves[2 * i], halves[2 * i + 1], 2.0) for i in range(3)]


OPERATIONS: dict[str, tuple[Callable[..., Tensor], list[tuple[int, ...]]]] = {
    "rms_norm": (lambda x, w: rms_norm(x, w, 1e-6), [(4, 8), (8,)]),
    "add_rms_norm": (lambda x, r, w: torch.stack(add_rms_norm(x, r, w, 1e-6)), [(4, 8), (4, 8), (8,)]),
    "rope": (lambda q, k: torch.cat(rope(q, k, COS, SIN), 1), [(4, 2, 8), (4, 1, 8)]),
    "swiglu": (swiglu, [(4, 8), (4, 8)]),
    "lora_linear": (lambda x, a, b: lora_linear(x, WEIGHTS[0], None, a, b, 2.0), [(4, 8), (2, 8), (8, 2)]),
    "lora_mlp": (lambda x, *halves: lora_mlp(x, *layers(halves)), [(4, 8), *ADAPTERS]),
    "lora_qkv": (lambda x, *halves: torch.cat(lora_qkv(x, *layers(halves)), 1), [(4, 8), *ADAPTERS]),
    "linear_cross_entropy": (lambda h, w: linear_cross_entropy(h, w, TARGETS, kept=KEPT), [(4, 8), (6, 8)]),
}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing compiled for one test is met by another."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_compiled_operation_is_one_graph_with_the_same_numbers(name: str) -> None:
    operation, shapes = OPERATIONS[name]
    values = [value.float() for value in random(*shapes, seed=3)]
    compiled = torch.compile(operation, backend="aot_eager", fullgraph=True)
    for got, wanted in zip(outcome(compiled, values), outcome(operation, values), strict=True):
        torch.testing.assert_close(got, wanted)


def test_ignored_targets_stay_ignored_when_nobody_says_which_rows_count() -> None:
    def loss(hidden: Tensor, weight: Tensor) -> Tensor:
        return linear_cross_entropy(hidden, weight, TARGETS)

    values = [value.float() for value in random((4, 8), (6, 8), seed=3)]
    compiled = torch.compile(loss, backend="aot_eager")
    for got, wanted in zip(outcome(compiled, values), outcome(loss, values), strict=True):
        torch.testing.assert_close(got, wanted)
