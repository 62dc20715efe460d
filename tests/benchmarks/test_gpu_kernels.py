"""The benchmark of single operations: every arm does the same work, what is missing is said, and shares are of what the formula needs."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.benchmarks import gpu_cases, gpu_kernels

CPU = torch.device("cpu")
NAMES = ["rms_norm", "add_rms_norm", "rope", "swiglu", "lora_mlp", "lora_qkv", "linear_cross_entropy"]


@pytest.fixture(scope="module")
def small() -> dict[str, gpu_cases.Case]:
    return {case.name: case for case in gpu_cases.cases(gpu_cases.TINY, 32, CPU, torch.float32)}


def test_every_operation_is_there(small: dict[str, gpu_cases.Case]) -> None:
    assert list(small) == NAMES
    assert all(bool(case.bytes) != bool(case.flops) for case in small.values())


@pytest.mark.parametrize("name", NAMES)
def test_ours_and_torch_do_the_same_work(name: str, small: dict[str, gpu_cases.Case]) -> None:
    found = gpu_kernels.measured(small[name], CPU, compiled=False, calls=2)
    assert found["ours"]["ms"] > 0
    assert found["torch"]["ms"] > 0


def test_an_arm_with_other_numbers_is_not_listed(small: dict[str, gpu_cases.Case]) -> None:
    wrong = replace(small["swiglu"], ours=lambda gate, up: 1.1 * small["swiglu"].ours(gate, up))
    assert gpu_kernels.measured(wrong, CPU, compiled=False, calls=1)["ours"] == "gives other numbers than torch"


def test_what_cannot_be_imported_is_said(small: dict[str, gpu_cases.Case], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "liger_kernel.ops.swiglu", None)
    assert gpu_kernels.arms(small["swiglu"], compiled=False)["Liger"] == "liger-kernel is not installed"


def test_shares_and_the_ratio_follow_from_the_time(small: dict[str, gpu_cases.Case]) -> None:
    case = replace(small["swiglu"], bytes=2_000_000)
    found: dict[str, Any] = {"ours": {"ms": 1.0}, "torch": {"ms": 3.0}, "Liger": "not here", "compiled": {"ms": 2.0}}
    gpu_kernels.with_ratios(case, found, copy=4e9, product=1e12)
    assert found["ours"]["GB/s"] == 2.0
    assert found["ours"]["share"] == 0.5
    assert found["faster than the best other"] == 2.0


def test_a_decode_product_is_measured_forward_alone_and_gives_torch_s_numbers_but_for_rounding() -> None:
    for case in gpu_cases.decode_cases(gpu_cases.TINY, CPU, torch.float32):
        found = gpu_kernels.measured(case, CPU, compiled=False, calls=2)
        assert found["ours"]["ms"] > 0
        assert found["torch"]["ms"] > 0


def test_adamw_goes_over_as_many_numbers_both_times() -> None:
    found = gpu_kernels.adamw(gpu_cases.TINY, 2, CPU, copy=1e9, calls=2)
    assert found["numbers"] == sum(rows * columns for rows, columns in gpu_cases.adapter_sizes(gpu_cases.TINY, 2))
    assert found["as they lie"]["ms"] > 0
    assert found["flat"]["share"] > 0


def test_what_writes_over_its_inputs_is_not_compared(small: dict[str, gpu_cases.Case]) -> None:
    assert gpu_kernels.arms(small["rope"], compiled=False)["Liger"] == "writes over its inputs"
