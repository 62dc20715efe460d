"""The GPU benchmark measures the same work in every arm: tried on a CPU with two small layers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import Qwen2Config

from core.engine.compute import Compute
from core.models.shape import shape_of
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


BARE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pydantic", "PySide6", "sqlite_utils", "datasets", "click", "openai"):
            raise ImportError(name, name=name)
sys.meta_path.insert(0, Missing())
import tests.benchmarks.gpu_decode, tests.benchmarks.gpu_kernels, tests.benchmarks.gpu_table
from tests.benchmarks import gpu_training
print(gpu_training.forecast_off(gpu_training.cases(tiny=True)[0], None, 1))
"""


def test_a_bare_gpu_machine_can_run_all_of_it_but_the_forecast() -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", BARE]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "not compared: pydantic is not installed"


def test_the_forecast_is_put_beside_the_peak() -> None:
    case = gpu_training.Case("0.5B", "ours", 4, again=False, length=2048)
    given = Qwen2Config(**gpu_training.QWEN["0.5B"]).to_dict() | {"architectures": ["Qwen2ForCausalLM"]}
    shape = shape_of(given, {}, Path("0.5B"))
    below, above = (gpu_training.forecast_off(case, shape, peak) for peak in (2**40, 2**30))
    assert isinstance(below, float)
    assert isinstance(above, float)
    assert -1 < below < 0 < above
