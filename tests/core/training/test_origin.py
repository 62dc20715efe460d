"""Where checkpoints come from: read from notes as the engine writes them, and from notes that are damaged or old."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.jobs import create
from core.training import origin


def note(step: int, loss: float, validation: float | None, **more: Any) -> dict[str, Any]:
    """As the engine writes it."""
    return {
        "format": 2, "step": step, "run": "r", "kind": "lora", "base": "/models/starter", "base_hash": "ab" * 32,
        "start": "/models/starter", "start_hash": "ab" * 32, "template_hash": "cd" * 32, "data_hash": "ef" * 32,
        "config": {"name": "a run", "seed": 11}, "snapshot": {"name": "gold", "sha256": "01" * 32},
        "gosmith": {"version": "0.3", "commit": "abc123+"}, "packages": {"torch": "2.13.0", "peft": "0.19"},
        "hardware": {"device": "CPU, 2 threads", "processes": 2, "gpus": []},
        "command": ["python", "-m", "app.cli", "train", "{folder}/config.toml"],
        "loss": loss, "validation_loss": validation, "best": validation, **more,
    }  # fmt: skip


def keep(output: Path, told: dict[str, Any]) -> None:
    folder = output / f"checkpoint-{told['step']:06d}"
    folder.mkdir(parents=True)
    (folder / "gosmith.json").write_text(json.dumps(told))


def test_checkpoints_are_read_with_the_best_of_them_marked(tmp_path: Path) -> None:
    output = tmp_path / "a job" / "output"
    keep(output, note(100, 1.5, 1.7))
    keep(output, note(200, 1.2, 1.6))
    keep(output, note(300, 0.9, 1.9, hardware={"device": "NVIDIA H200", "processes": 2, "gpus": ["NVIDIA H200"] * 2}))
    newest, best, _ = found = origin.checkpoints(output)
    assert [(one.step, one.loss, one.best) for one in found] == [(300, 0.9, False), (200, 1.2, True), (100, 1.5, False)]
    assert (best.snapshot, best.snapshot_hash, best.seed) == ("gold", "01" * 32, 11)
    assert (best.version, best.commit, dict(best.packages)["torch"]) == ("0.3", "abc123+", "2.13.0")
    assert best.hardware == "CPU, 2 threads, 2 processes"
    assert newest.hardware == "2 × NVIDIA H200, 2 processes"
    assert best.command_line == f"python -m app.cli train '{tmp_path}/a job/config.toml'"


def test_nothing_is_best_where_nothing_was_measured(tmp_path: Path) -> None:
    keep(tmp_path, note(100, 1.5, None))
    assert [one.best for one in origin.checkpoints(tmp_path)] == [False]


def test_damaged_and_older_notes_tell_what_they_can(tmp_path: Path) -> None:
    keep(tmp_path, {"step": 7, "config": None, "packages": [], "hardware": "old", "command": "old", "loss": "low"})
    keep(tmp_path, note(8, 1.0, None))
    (tmp_path / "checkpoint-000008" / "gosmith.json").write_text("{")
    (tmp_path / "checkpoint-000009").mkdir()
    (only,) = origin.checkpoints(tmp_path)
    assert (only.step, only.loss, only.seed, only.packages, only.hardware, only.command) == (7, None, None, (), "", ())
    assert origin.checkpoints(tmp_path / "missing") == ()


def test_the_stamps_change_with_what_would_be_read(tmp_path: Path) -> None:
    before = origin.stamps(tmp_path)
    keep(tmp_path, note(1, 1.0, None))
    after = origin.stamps(tmp_path)
    assert before == ()
    assert [name for name, _ in after] == ["checkpoint-000001"]


def test_runs_are_found_by_their_snapshot(tmp_path: Path) -> None:
    first = create(tmp_path, "train", {"config": {"data": {"snapshot": "gold"}}}, title="first")
    create(tmp_path, "train", {"config": {"data": {"snapshot": "silver"}}}, title="other")
    create(tmp_path, "check", {"config": {"data": {"snapshot": "gold"}}}, title="no run")
    create(tmp_path, "train", {}, title="of an older Gosmith")
    (tmp_path / "broken").mkdir()
    second = create(tmp_path, "train", {"config": {"data": {"snapshot": "gold"}}}, title="second")
    assert origin.runs_on(tmp_path, {"gold"}) == ((second.id, "second"), (first.id, "first"))
    assert origin.runs_on(tmp_path / "missing", {"gold"}) == ()
