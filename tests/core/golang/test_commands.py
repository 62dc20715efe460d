"""Commands that run for ever, print for ever or leave children behind, and what is left of them: nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.errors import UserError
from core.golang.commands import Finished, run


def shell(script: str, folder: Path, seconds: float = 20, **more: object) -> Finished:
    return run(["/bin/sh", "-c", script], folder=folder, environment={"PATH": os.defpath}, seconds=seconds, **more)  # type: ignore[arg-type]


def test_output_and_exit_code(tmp_path: Path) -> None:
    done = shell("echo out; echo err >&2; exit 3", tmp_path)
    assert (done.code, done.stdout, done.stderr, done.stopped) == (3, "out\n", "err\n", "")


def test_large_output_on_both_pipes_blocks_nobody(tmp_path: Path) -> None:
    done = shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2", tmp_path)
    assert (len(done.stdout), len(done.stderr)) == (3_000_000, 3_000_000)


def test_time_is_limited(tmp_path: Path) -> None:
    start = time.monotonic()
    done = shell("sleep 60", tmp_path, seconds=0.2)
    assert done.stopped == "time"
    assert done.code < 0
    assert time.monotonic() - start < 5


def test_time_is_limited_for_a_command_that_closed_its_output(tmp_path: Path) -> None:
    assert shell("exec >&- 2>&-; sleep 60", tmp_path, seconds=0.2).stopped == "time"


def test_output_is_limited(tmp_path: Path) -> None:
    done = shell("cat /dev/zero", tmp_path, output=1000)
    assert done.stopped == "output"
    assert len(done.stdout) == 1000


def test_a_wish_to_stop_is_heard(tmp_path: Path) -> None:
    start = time.monotonic()
    assert shell("sleep 60", tmp_path, cancel=lambda: time.monotonic() - start > 0.1).stopped == "cancelled"


def test_children_left_behind_are_ended_and_not_waited_for(tmp_path: Path, eventually: Callable[..., None]) -> None:
    done = shell("sleep 60 & echo $!", tmp_path)
    assert done.stopped == ""
    assert done.seconds < 5
    child = int(done.stdout)
    eventually(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="/nowhere/go cannot be started"):
        run(["/nowhere/go"], folder=tmp_path, environment={}, seconds=1)
