"""Event files beside our own log: what is written, when a file begins anew, and the refusal without the package."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.engine import tensorboard, train_job
from core.errors import UserError
from core.jobs.folder import create
from core.jobs.worker import WorkerContext
from tests.core.engine.conftest import Notes, config

WITHOUT = importlib.util.find_spec("tensorboard") is None


@dataclass
class Recorder:
    """Stands in for the writers of TensorBoard, one after another. files: (step it begins at, its scalars)."""

    files: list[tuple[int, list[tuple[str, float, int]]]] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)
    closed: int = 0

    def __call__(self, folder: Path, step: int) -> Recorder:
        self.folders.add(folder)
        self.files.append((step, []))
        return self

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        self.files[-1][1].append((tag, scalar_value, global_step))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


def step(number: int, **more: object) -> dict[str, Any]:
    return {"step": number, "loss": 2.0, "lr": 1e-4, "grad_norm": 0.5, "tokens": 64, **more}


def test_every_event_is_passed_on_and_its_numbers_are_written(tmp_path: Path) -> None:
    notes, recorder = Notes(stop_after=3), Recorder()
    with tensorboard.beside(notes, tmp_path, wanted=True, first=True, writer=recorder) as monitor:
        monitor.event("message", text="Loading")
        monitor.event("validation", step=0, loss=3.0, sequences=4)
        monitor.event("step", **step(1, tokens_per_second=10.0, trained_per_second=4.0, memory=1 << 20))
        monitor.event("answers", step=1, parsed=0.75, compiled=0.5, count=4, path="answers-1.json")
        monitor.event("checkpoint", step=1, path="checkpoint-000001")
        monitor.progress(1, 6)
        assert not monitor.should_stop()
        monitor.event("step", **step(2))
        assert monitor.should_stop()
    assert [event["kind"] for event in notes.events] == [
        "message", "validation", "step", "answers", "checkpoint", "progress", "step",
    ]  # fmt: skip
    ((begins, scalars),) = recorder.files
    assert (begins, recorder.folders, recorder.closed) == (0, {tmp_path / "tensorboard"}, 1)
    assert scalars == [
        ("validation/loss", 3.0, 0),
        ("train/loss", 2.0, 1), ("train/learning_rate", 1e-4, 1), ("train/grad_norm", 0.5, 1),
        ("speed/tokens_per_second", 10.0, 1), ("speed/trained_per_second", 4.0, 1), ("machine/memory_bytes", 1 << 20, 1),
        ("answers/parsed", 0.75, 1), ("answers/compiled", 0.5, 1),
        ("train/loss", 2.0, 2), ("train/learning_rate", 1e-4, 2), ("train/grad_norm", 0.5, 2),
    ]  # fmt: skip


def test_a_run_that_goes_back_begins_a_new_file_there(tmp_path: Path) -> None:
    recorder = Recorder()
    with tensorboard.beside(Notes(), tmp_path, wanted=True, first=True, writer=recorder) as monitor:
        for number in (5, 6, 7, 6, 7):
            monitor.event("step", **step(number))
    assert [begins for begins, _ in recorder.files] == [5, 6]
    assert recorder.closed == 2


def test_a_failing_run_still_writes_what_it_held_back(tmp_path: Path) -> None:
    recorder = Recorder()

    def fail() -> None:
        with tensorboard.beside(Notes(), tmp_path, wanted=True, first=True, writer=recorder) as monitor:
            monitor.event("step", **step(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert recorder.closed == 1


@pytest.mark.parametrize(("wanted", "first"), [(False, True), (True, False)])
def test_who_does_not_write_keeps_the_monitor(tmp_path: Path, wanted: bool, first: bool) -> None:
    notes = Notes()
    with tensorboard.beside(notes, tmp_path, wanted=wanted, first=first, writer=Recorder()) as monitor:
        assert monitor is notes


@pytest.mark.skipif(not WITHOUT, reason="the package is there")
def test_without_the_package_a_run_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    request = {
        "config": config(tensorboard=True).model_dump(mode="json", exclude_none=True),
        "base": str(tmp_path / "missing"), "snapshot": str(tmp_path / "missing"),
    }  # fmt: skip
    context = WorkerContext(create(tmp_path / "jobs", "train", request, title="t"), 0, 1, 1, tmp_path / "store")
    with pytest.raises(UserError) as caught:
        train_job.main(context)
    assert "pip install tensorboard" in caught.value.hint


@pytest.mark.skipif(WITHOUT, reason="needs the package")
def test_the_files_are_read_by_tensorboard_itself(
    tmp_path: Path, base: Path, snapshot: Path, scalars_of: Callable[[Path], dict[str, list[tuple[int, float]]]]
) -> None:
    request = {
        "config": config(tensorboard=True).model_dump(mode="json", exclude_none=True),
        "base": str(base), "snapshot": str(snapshot),
    }  # fmt: skip
    context = WorkerContext(create(tmp_path / "jobs", "train", request, title="t"), 0, 1, 1, tmp_path / "store")
    train_job.main(context)
    found = scalars_of(context.folder.output / "tensorboard")
    assert [number for number, _ in found["train/loss"]] == [1, 2, 3, 4, 5, 6]
    told = json.loads((context.folder.output / "result.json").read_text())
    assert found["train/loss"][-1][1] == pytest.approx(told["final_loss"], abs=1e-5)


@pytest.fixture
def scalars_of() -> Callable[[Path], dict[str, list[tuple[int, float]]]]:
    """Tag -> step and value, as TensorBoard understands a folder."""

    def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(folder))
        found.Reload()
        return {tag: [(one.step, one.value) for one in found.Scalars(tag)] for tag in found.Tags()["scalars"]}

    return read
