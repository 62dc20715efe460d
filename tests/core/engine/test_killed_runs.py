"""A run that is killed at random moments and resumed is, to every digit, the run that nobody killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core import jobs
from core.engine import checkpoint
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.status import read_state
from core.training import launch
from tests.core.engine.conftest import config
from tests.core.engine.killing import alone, curve, losses, make, under_fire, undisturbed

SMALL = {"checkpoints": {"every": 3, "keep": 2}, "validation": {"every": 6}}


@pytest.mark.slow
def test_kills_at_random_moments_change_nothing(base: Path, snapshot: Path, tmp_path: Path) -> None:
    """The supervisor of a sharded run during a save, then its window; a hundred kills of each mode are the benchmark's."""
    settings = config(**SMALL, budget={"steps": 24}, parallel={"mode": "fsdp", "processes": 2})
    wanted = undisturbed(make(tmp_path / "jobs", settings, base, snapshot))
    folder = make(tmp_path / "jobs", settings, base, snapshot)
    run = under_fire(folder, kills=2, seed=8)
    assert ("supervisor", "during a save") in run.kills
    assert curve(folder) == wanted


@pytest.mark.slow
def test_a_stopped_run_goes_on_with_another_number_of_processes(
    base: Path, snapshot: Path, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """From one to two and back to one. That one process can go on with shards is the matter of test_parallel."""
    length = {"budget": {"steps": 90}, "checkpoints": {"every": 30}}
    wanted = alone(config(**length), base, snapshot, tmp_path / "alone")
    folder = make(tmp_path / "jobs", config(**length, parallel={"mode": "single"}), base, snapshot)

    def stop_after_some_steps() -> None:
        begun = jobs.info(folder).step or 0
        eventually(lambda: (jobs.info(folder).step or 0) > begun + 6, 60, "some steps")
        assert jobs.stop(folder, wait=True).state == "stopped"

    control.start(folder)
    try:
        stop_after_some_steps()
        launch.resume(folder, 2)
        stop_after_some_steps()
        assert (jobs.info(folder).processes, len(read_state(folder).workers)) == (2, 2)
        launch.resume(folder, 1)
        done = control.wait_for_end(folder, 120)
    finally:
        control.kill(folder)
    assert (done.state, done.processes, len(read_state(folder).workers)) == ("done", 1, 1), done.message
    texts = [event.get("text", "") for event in read_events(folder.events)]
    assert sum(text.startswith("Going on after step") for text in texts) == 2
    assert losses(read_events(folder.events)) == pytest.approx(wanted, rel=1e-5)


def test_a_process_killed_while_it_removes_a_checkpoint_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint-000003"
    path.mkdir()
    (path / "gosmith.json").write_text('{"step": 3}')
    (path / "model.safetensors").write_bytes(b"x")
    monkeypatch.setattr(checkpoint.shutil, "rmtree", lambda folder, **_: (folder / "model.safetensors").unlink(True))
    checkpoint.discard(path)
    assert checkpoint.list_checkpoints(tmp_path) == []
    monkeypatch.undo()
    checkpoint.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
