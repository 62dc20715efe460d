"""What earlier runs measured makes the next forecast narrower, if they were like it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.jobs import JobFolder
from core.jobs.events import EventWriter
from core.training import calibration, memory
from core.training.calibration import Calibration, calibrate

KEY = {"device": "a CPU", "base": "LlamaForCausalLM", "method": "lora"}
MIB = 2**20


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """`run(closed=..., held=[...])`: the folder of a run that was forecast so and held so much at its steps."""

    def make(closed: int, held: list[int], key: dict[str, str] = KEY, *, on_gpu: bool = False) -> JobFolder:
        request = {"forecast": closed, "calibration": {"key": key, "closed": closed}, "on_gpu": on_gpu}
        folder = jobs.create(tmp_path, "train", request, title="run")
        writer = EventWriter(folder.events)
        for step, size in enumerate(held, 1):
            writer.write("step", step=step, memory=size)
            writer.write("progress", done=step, total=len(held))
        writer.close()
        return folder

    return make


def test_without_a_run_there_is_a_range(tmp_path: Path) -> None:
    found = calibrate(tmp_path, KEY, 1000 * MIB)
    low, high = found.between(1000 * MIB)
    assert (found.factor, found.runs) == (1.0, 0)
    assert low < 1000 * MIB < high


def test_runs_like_it_make_the_range_narrow(run: Any, tmp_path: Path) -> None:
    for held in (1150, 1200, 1300):
        run(1000 * MIB, [900 * MIB, held * MIB])
    found = calibrate(tmp_path, KEY, 1100 * MIB)
    assert (found.factor, found.runs) == (1.2, 3)
    wide, narrow = Calibration().between(1000), found.between(1000)
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 2


def test_a_run_of_another_kind_or_size_says_nothing(run: Any, tmp_path: Path) -> None:
    run(1000 * MIB, [1200 * MIB])
    assert calibrate(tmp_path, {**KEY, "method": "full"}, 1000 * MIB).runs == 0
    assert calibrate(tmp_path, KEY, 3000 * MIB).runs == 0
    assert calibrate(tmp_path, KEY, 500 * MIB).runs == 0


def test_a_run_without_steps_says_nothing(run: Any, tmp_path: Path) -> None:
    folder = run(1000 * MIB, [])
    assert calibration.measured(folder) is None
    assert calibrate(tmp_path, KEY, 1000 * MIB).runs == 0
    assert calibration.sentence(folder) == "Memory: forecast 0.98 GiB a process"


def test_forecast_and_measurement_stand_side_by_side(run: Any) -> None:
    folder = run(2048 * MIB, [1024 * MIB, 3072 * MIB])
    assert calibration.sentence(folder) == "Memory: forecast 2.00 GiB, measured 3.00 GiB a process"


def test_a_gpu_holds_its_context_besides_what_torch_reserves(run: Any) -> None:
    assert calibration.measured(run(2048 * MIB, [1000 * MIB], on_gpu=True)) == 1000 * MIB + memory.CONTEXT


def test_more_than_forecast_is_put_down_to_overhead_and_less_too_as_far_as_that_goes() -> None:
    parts = {"weights": 80, "overhead": 20, "total": 100}
    assert Calibration(1.5, 1).apply(parts) == {"weights": 80, "overhead": 70, "total": 150}
    assert Calibration(0.9, 1).apply(parts) == {"weights": 80, "overhead": 10, "total": 90}
    assert Calibration(0.5, 1).apply(parts) == {"weights": 40, "overhead": 10, "total": 50}
