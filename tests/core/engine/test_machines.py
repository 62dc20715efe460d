"""One run on several machines: each has a job folder and a supervisor of its own, and only the first keeps checkpoints."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.engine import parallel
from core.errors import UserError
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.folder import JobFolder
from core.jobs.process import members
from core.jobs.status import JobInfo, last_checkpoint
from tests.core.engine.conftest import config
from tests.core.engine.killing import alone, losses, make

Eventually = Callable[..., None]
Interrupt = Callable[[JobFolder, JobFolder], None]


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@contextmanager
def machines(place: Path, base: Path, snapshot: Path, *sections: dict[str, Any]) -> Iterator[list[JobFolder]]:
    """One job for each of the settings, each in a workspace of its own; nothing of them is left at the end."""
    rendezvous = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        made = []
        for node, settings in enumerate(sections):
            own = {"nodes": len(sections), "node": node, "rendezvous": rendezvous}
            settings = {**settings, "parallel": {**settings["parallel"], **own}}
            folder = make(place / f"machine{node}" / "jobs", config(**settings), base, snapshot)
            stack.callback(control.kill, folder)
            made.append(folder)
        yield made


def ends(folders: list[JobFolder]) -> list[JobInfo]:
    return [control.wait_for_end(folder, 120) for folder in folders]


def lose_the_second(first: JobFolder, second: JobFolder) -> None:
    os.kill(jobs.info(second).pid or 0, signal.SIGKILL)
    left = control.wait_for_end(first, 60)
    assert (left.state, jobs.info(second).state) == ("failed", "interrupted")
    assert "lost the connection" in left.message


def stop_the_second(first: JobFolder, second: JobFolder) -> None:
    control.stop(second)
    assert [info.state for info in ends([first, second])] == ["stopped", "stopped"], "a stop of one stops both"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "interrupt"), [("fsdp", lose_the_second), ("ddp", stop_the_second)], ids=["lost", "stopped"]
)
def test_two_machines_give_the_digits_of_one_and_go_on_after_one_was(
    mode: str, interrupt: Interrupt, base: Path, snapshot: Path, tmp_path: Path, eventually: Eventually
) -> None:
    length = {"budget": {"steps": 60}, "checkpoints": {"every": 10}}
    wanted = alone(config(**length), base, snapshot, tmp_path / "alone")
    settings = {**length, "parallel": {"mode": mode}}
    with machines(tmp_path, base, snapshot, settings, settings) as (first, second):
        for folder in (first, second):
            control.start(folder)
        eventually(lambda: last_checkpoint(first), 60, "a checkpoint")
        interrupt(first, second)
        for folder in (first, second):
            control.resume(folder)
        assert [info.state for info in ends([first, second])] == ["done", "done"], first.log.read_text()
        assert losses(read_events(first.events)) == pytest.approx(wanted, rel=1e-5)
        theirs = losses(read_events(second.events))
        assert losses(read_events(first.events)).items() >= theirs.items()
        assert any("Going on after step" in event.get("text", "") for event in read_events(second.events))
        assert list(second.output.iterdir()) == [], "only the first machine keeps checkpoints"
        assert not [event for event in read_events(second.events) if event["kind"] == "checkpoint"]
        eventually(lambda: not members(first.path) and not members(second.path))


@pytest.mark.slow
def test_machines_that_were_started_with_other_settings_are_refused(base: Path, snapshot: Path, tmp_path: Path) -> None:
    settings = {"parallel": {"mode": "ddp"}}
    other = {**settings, "optimizer": {"learning_rate": 1e-4}}
    with machines(tmp_path, base, snapshot, settings, other) as folders:
        for folder in folders:
            control.start(folder)
        first, second = ends(folders)
    assert second.message == "This machine (node 1) differs from node 0 in optimizer.learning_rate."
    assert first.message == "Another machine differs from this one; its own message says in what."
    assert "parallel.gpus may differ" in first.hint


def test_a_machine_that_waits_in_vain_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "TIMEOUT", timedelta(seconds=1))
    rendezvous = f"127.0.0.1:{free_port()}"
    with pytest.raises(UserError, match=rf"node 0\) did not meet the others at {rendezvous}"):
        parallel.join(0, 2, None, nodes=2, rendezvous=rendezvous)


def test_which_process_is_the_first_of_its_machine() -> None:
    groups = [parallel.Group(rank, 4, nodes=2) for rank in range(4)]
    assert [(group.node, group.first_here, group.first) for group in groups] == [
        (0, True, True),
        (0, False, False),
        (1, True, False),
        (1, False, False),
    ]
