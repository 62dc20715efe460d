"""Which checkpoints stay, how room is made for the next one, and what is said of one that is not what was written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import checkpoint
from core.engine.checkpoint import Saved


def saved(step: int, validation: float | None = None) -> Saved:
    return Saved(Path(f"checkpoint-{step:06d}"), step, {"validation_loss": validation})


@given(st.lists(st.none() | st.floats(0, 10), max_size=8), st.integers(1, 4), st.booleans())
def test_the_newest_stay_and_the_best_where_that_is_wanted(losses: list[float | None], keep: int, best: bool) -> None:
    found = [saved(step, loss) for step, loss in enumerate(losses, start=1)]
    stays = [item for item in found if item not in checkpoint.superfluous(found, keep=keep, best=best)]
    assert stays[-keep:] == found[-keep:]
    measured = [loss for loss in losses if loss is not None]
    if best and measured:
        assert min(measured) in [item.note["validation_loss"] for item in stays]
    assert len(stays) <= keep + (best and bool(measured))


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints of steps 1 to 4; the second is the best."""
    for step, loss in ((1, 3.0), (2, 1.0), (3, 2.0), (4, 2.5)):
        path = tmp_path / f"checkpoint-{step:06d}"
        path.mkdir()
        (path / "gosmith.json").write_text(json.dumps({"step": step, "validation_loss": loss}))
    return tmp_path


def steps(folder: Path) -> list[int]:
    return [item.step for item in checkpoint.list_checkpoints(folder)]


def test_older_ones_go_until_there_is_room_but_never_the_newest_nor_the_best(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(100, 0, 10 * (4 - len(steps(folder)))))
    checkpoint.make_room(folder, 0, keep_best=True)
    assert steps(folder) == [1, 2, 3, 4], "there was room"
    checkpoint.make_room(folder, 10, keep_best=True)
    assert steps(folder) == [2, 3, 4]
    with pytest.raises(OSError, match="it needs"):
        checkpoint.make_room(folder, 2**30, keep_best=True)
    assert steps(folder) == [2, 4]


def test_what_was_written_is_told_from_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"0123456789")
    note = {"files": {"weights": [10, checkpoint._sum(file)]}}
    item = Saved(tmp_path, 1, note)
    assert checkpoint.damage(item) == ""
    file.write_bytes(b"0123456780")
    assert "check sum differs" in checkpoint.damage(item)
    file.write_bytes(b"012")
    assert checkpoint.damage(item) == "weights has 3 bytes, not 10"
    file.unlink()
    assert "cannot be read" in checkpoint.damage(item)
