"""A job that needs its leases no more lets others begin, and works on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core import jobs
from core.jobs import JobFolder, control, info

MAIN = """
import time


def main(context):
    context.give_back_leases()
    while not context.should_stop():
        time.sleep(0.01)
"""


def test_who_gives_its_leases_back_works_on_while_the_next_begins(
    tmp_path: Path, begin_nap: Callable[..., JobFolder], eventually: Callable[..., None]
) -> None:
    file = tmp_path / "giver.py"
    file.write_text(MAIN)
    folder = jobs.create(tmp_path / "jobs", "giver", {}, title="giver", resources=("gpu:1/1",))
    control.start(folder, main_file=file)
    try:
        after = begin_nap(tmp_path / "jobs", "after", resources=("gpu:1/1",), steps=3)
        eventually(lambda: info(after).state == "done", seconds=30, what="the next job has run")
        assert info(folder).state == "running"
        assert info(folder).leases == ()
        jobs.stop(folder)
        eventually(lambda: not info(folder).alive, seconds=30)
        assert info(folder).state == "stopped"
        control.resume(folder, main_file=file)
        eventually(
            lambda: info(folder).state == "running" and not info(folder).leases, seconds=30, what="given back again"
        )
    finally:
        control.kill(folder)
