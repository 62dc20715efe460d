"""Where Triton computes, and the sentence where it does not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch._subclasses import FakeTensorMode

from kernels import tile
from kernels.tile import TritonError

GPU = torch.device("cuda", 0)


class Refuses:
    """A program that cannot be started."""

    def __getitem__(self, _grid: object) -> Any:
        def launch(*_args: object) -> None:
            raise TritonError("first line\nFailed to find C compiler")

        return launch


def test_on_a_cpu_nothing_is_started() -> None:
    assert not tile.runs_on(torch.zeros(2))
    assert tile.why_not(torch.device("cpu")) == "there is no NVIDIA GPU"


def test_without_triton_that_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile, "triton", None)
    assert tile.why_not.__wrapped__(GPU) == "Triton is not installed"


def test_what_cannot_be_started_is_a_sentence_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile, "_count_up", Refuses())
    monkeypatch.setattr(torch, "zeros", lambda *_shape, device: torch.ones(1))
    assert tile.why_not.__wrapped__(GPU) == "Triton cannot start a program here: Failed to find C compiler"


def test_a_program_that_counts_wrong_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "zeros", lambda *_shape, device: torch.ones(1))  # and one more makes two
    assert tile.why_not.__wrapped__(GPU) == "Triton gives wrong numbers here"


def test_tensors_without_values_and_formats_it_has_not_go_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile, "why_not", lambda _device: "")
    with FakeTensorMode():
        assert not tile.runs_on(torch.zeros(2, device="cuda"))


@pytest.mark.parametrize(("width", "block"), [(1, 16), (16, 16), (17, 32), (4096, 4096), (4097, 8192)])
def test_a_block_is_the_next_power_of_two(width: int, block: int) -> None:
    assert tile.cover(width) == block
    assert 1 <= tile.warps(block) <= 16
