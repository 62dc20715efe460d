"""The job kind "find": an answer and its curve on disk; through the supervisor, and nothing left running."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core import jobs
from core.engine import find_job
from core.jobs import control
from core.jobs.folder import JobFolder
from core.jobs.process import members
from core.training import finders
from tests.core.engine.conftest import config
from tests.core.engine.searching import create, here, what_is_left


@pytest.mark.slow
def test_a_search_leaves_its_answer_and_the_points_of_its_curve(
    base: Path, snapshot: Path, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    """Here where all rows fit: then that is the answer."""
    folder = create("micro", config(data={"packing": False}), base, snapshot, tmp_path)
    control.start(folder)
    eventually(lambda: not jobs.info(folder).alive, 150, "the search ends")
    assert jobs.info(folder).state == "done", jobs.info(folder).message
    found, events = what_is_left(folder)
    assert found.value == 24
    assert found.sentence.startswith("24 rows at a time: all of the snapshot, 0.")
    assert [event["step"] for event in events if event["kind"] == "message" and "step" in event] == [24]
    eventually(lambda: not members(folder.path), 10, "no process is left")


def test_a_range_test_leaves_a_rate_and_a_curve(base: Path, snapshot: Path, tmp_path: Path) -> None:
    found, _ = here("learning-rate", config(data={"packing": False}), base, snapshot, tmp_path)
    assert found.sentence.startswith(finders.short(found.value))


def test_there_is_work_behind_every_title() -> None:
    assert set(find_job.FIND) == set(finders.TITLES)


@pytest.mark.slow
def test_a_search_that_is_stopped_has_no_answer(
    base: Path, snapshot: Path, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    folder: JobFolder = create("micro", config(data={"packing": False}), base, snapshot, tmp_path)
    control.start(folder)
    eventually(lambda: jobs.info(folder).state == "running", 30)
    jobs.stop(folder, grace=20.0)
    eventually(lambda: not jobs.info(folder).alive, 60, "the search ends")
    assert jobs.info(folder).state == "stopped"
    assert not (folder.output / finders.FOUND).exists()
    eventually(lambda: not members(folder.path), 10, "no process is left")
