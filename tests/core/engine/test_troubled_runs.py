"""What may go wrong in a run, provoked for real: each becomes a sentence that names it, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.folder import JobFolder
from core.jobs.process import members
from core.jobs.status import JobInfo
from core.training.config_file import to_mapping
from tests.core.engine.conftest import config

TROUBLED = Path(__file__).with_name("troubled.py")
TWO = {"parallel": {"mode": "ddp", "processes": 2}}
WIDE = {"batch": {"micro": 24, "accumulation": 1}, "data": {"packing": False}, "kernels": "off"}
WILD = {
    "method": {"kind": "full"},
    "optimizer": {"name": "sgd", "learning_rate": 1.0, "clip": 0.0, "schedule": "constant", "warmup": 0},
    "budget": {"steps": 60},
}
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("SIGKILL", TWO, "Worker 1 was killed from outside (SIGKILL).", "Resume it"),
    ("hang", TWO, "Worker 1 hung: the others waited for it until the time limit.", "rank1.log"),
    ("full disk", {}, "step 6 could not be written: File too large", "Free some disk space"),
    ("little memory", WIDE, "The computer ran out of memory", "batch.micro = 12 and batch.accumulation = 2"),
    ("large steps", WILD, "The gradient norm became", "Lower optimizer.learning_rate"),
]


def begin(trouble: str, place: Path, base: Path, snapshot: Path, settings: dict[str, Any]) -> JobFolder:
    asked = config(**settings)
    request = {"config": to_mapping(asked), "base": str(base), "snapshot": str(snapshot), "trouble": trouble}
    folder = jobs.create(place, "train", request, title="Troubled", processes=asked.parallel.processes)
    control.start(folder, main_file=TROUBLED)
    return folder


def end(folder: JobFolder) -> JobInfo:
    try:
        return control.wait_for_end(folder, 90)
    finally:
        control.kill(folder)


@pytest.mark.slow
@pytest.mark.parametrize(("trouble", "settings", "message", "hint"), CASES, ids=[case[0] for case in CASES])
def test_a_run_says_what_stopped_it(
    trouble: str,
    settings: dict[str, Any],
    message: str,
    hint: str,
    base: Path,
    snapshot: Path,
    tmp_path: Path,
    eventually: Callable[..., None],
) -> None:
    folder = begin(trouble, tmp_path, base, snapshot, settings)
    ended = end(folder)
    assert ended.state == "failed"
    assert message in ended.message, folder.log.read_text()
    assert hint in ended.hint
    assert "CUDA" not in ended.message + ended.hint, "no GPU was used"
    assert json.loads(folder.error.read_text())["cause"]
    eventually(lambda: not members(folder.path), what="processes left behind")


@pytest.mark.slow
def test_a_crash_is_named_and_a_checkpoint_with_a_changed_byte_is_passed_over_by_the_resumed_run(
    base: Path, snapshot: Path, tmp_path: Path
) -> None:
    folder = begin("SIGABRT", tmp_path, base, snapshot, {"checkpoints": {"every": 1}})
    ended = end(folder)
    assert (ended.state, ended.message) == ("failed", "Worker 0 crashed in native code (SIGABRT).")
    assert "Resume it" in ended.hint
    newest, older = folder.output / "checkpoint-000004", folder.output / "checkpoint-000003"
    if not newest.is_dir():  # it crashed while it was told of, before it was saved
        newest, older = older, folder.output / "checkpoint-000002"
    weights = newest / "adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    control.resume(folder)
    ended = end(folder)
    texts = [event.get("text", "") for event in read_events(folder.events)]
    assert ended.state == "done", ended.message
    assert any(f"{newest.name} is damaged" in text for text in texts)
    assert f"Going on after step {int(older.name[-6:]):,}." in texts
