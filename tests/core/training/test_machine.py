"""The machine as the plan sees it."""

from __future__ import annotations

import pytest

from core.training import machine

TWO_KINDS = "NVIDIA H200, 143771, 140000\nNVIDIA H200, 143771, 9000\nNVIDIA L4, 23034, 22000\n"


def test_without_gpus_it_is_the_cpu_and_main_memory() -> None:
    found = machine.look()
    assert found.gpus == 0
    assert 0 < found.free <= found.memory
    assert "thread" in found.device


@pytest.mark.parametrize(
    ("only", "name", "memory", "free"),
    [
        ((), "NVIDIA H200", 23034, 9000),
        ((0,), "NVIDIA H200", 143771, 140000),
        ((1, 0), "NVIDIA H200", 143771, 9000),
        ((2,), "NVIDIA L4", 23034, 22000),
        ((7,), "NVIDIA H200", 23034, 9000),
    ],
    ids=["any", "the first", "two", "the small one", "one that is not there"],
)
def test_of_several_gpus_the_smallest_counts_that_may_be_used(
    only: tuple[int, ...], name: str, memory: int, free: int
) -> None:
    found = machine.of_gpus(TWO_KINDS, only)
    assert found is not None
    assert (found.device, found.gpus) == (name, 3)
    assert (found.memory, found.free) == (memory << 20, free << 20)


@pytest.mark.parametrize("said", ["", "\n", "No devices were found", "NVIDIA H200, [N/A], [N/A]"])
def test_what_is_no_list_of_gpus_is_none(said: str) -> None:
    assert machine.of_gpus(said, ()) is None
