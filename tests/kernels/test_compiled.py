"""torch.compile meets every operation without breaking its graph, and changes no number; also where targets are ignored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from kernels.linear_cross_entropy import linear_cross_entropy
from tests.kernels.numerics import DEVICE, outcome, random
from tests.kernels.operations import OPERATIONS, TARGETS

pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
"""What torch's own compiler does when it meets an operation of ours."""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing compiled for one test is met by another."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_compiled_operation_is_one_graph_with_the_same_numbers(name: str) -> None:
    operation, shapes = OPERATIONS[name]
    values = [value.to(DEVICE, torch.float32) for value in random(*shapes, seed=3)]
    compiled = torch.compile(operation, backend="aot_eager", fullgraph=True)
    for got, wanted in zip(outcome(compiled, values), outcome(operation, values), strict=True):
        torch.testing.assert_close(got, wanted)


def test_ignored_targets_stay_ignored_when_nobody_says_which_rows_count() -> None:
    def loss(hidden: Tensor, weight: Tensor) -> Tensor:
        return linear_cross_entropy(hidden, weight, TARGETS)

    values = [value.to(DEVICE, torch.float32) for value in random((4, 8), (6, 8), seed=3)]
    compiled = torch.compile(loss, backend="aot_eager")
    for got, wanted in zip(outcome(compiled, values), outcome(loss, values), strict=True):
        torch.testing.assert_close(got, wanted)
