"""The GPU benchmark measures the same work in every arm: tried on a CPU with two small layers."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import torch

from core.engine.compute import Compute
from tests.benchmarks import gpu_training


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:transformers")
def test_our_arm_and_theirs_come_to_the_same_loss() -> None:
    compute = Compute(torch.device("cpu"), torch.float32)
    found = [
        gpu_training.tried(case, compute) for case in gpu_training.cases(tiny=True) if case.arm in gpu_training.ARMS[:2]
    ]
    assert len(found) == 4
    assert [each["loss"] for each in found] == pytest.approx([found[0]["loss"]] * 4, abs=2e-4)
    assert all(each["tokens_per_second"] > 0 for each in found)


def test_what_cannot_be_imported_is_left_out_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", None)
    liger = next(case for case in gpu_training.cases(tiny=True) if case.arm == "Liger")
    compute = Compute(torch.device("cpu"), torch.float32)
    assert "left_out" in gpu_training.tried(liger, compute)


def test_the_dearest_and_most_telling_cases_come_first() -> None:
    cases = gpu_training.cases(tiny=False)
    assert len(cases) == 3 * 3 * 2 * 5
    assert [case.size for case in cases[:30]] == ["7B"] * 30
    assert cases[0].name == "7B, ours, 4 rows, recomputed"


def test_ours_is_put_beside_the_quickest_peer_that_was_measured() -> None:
    figures = {
        "device": "a GPU",
        "7B, ours, 4 rows, kept": {"tokens_per_second": 3000, "peak_gib": 30.0},
        "7B, transformers + PEFT, 4 rows, kept": {"tokens_per_second": 1000, "peak_gib": 20.0},
        "7B, Liger, 4 rows, kept": {"tokens_per_second": 2000, "peak_gib": 40.0},
        "7B, compiled, 4 rows, kept": {"left_out": "out of memory"},
        "7B, ours, 1 rows, kept": {"left_out": "no time was left"},
    }
    assert gpu_training.ratios(figures) == {
        "7B, ours, 4 rows, kept: to the best peer": {"tokens_per_second": 1.5, "peak": 0.75}
    }
