"""The job kind "find", through the supervisor: an answer and its curve on disk, and nothing left running."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core import jobs
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.folder import JobFolder
from core.jobs.process import members
from core.training import finders
from tests.core.engine.conftest import config

Begin = Callable[[str], JobFolder]


@pytest.fixture
def begin(base: Path, snapshot: Path, tmp_path: Path) -> Begin:
    def start(finder: str) -> JobFolder:
        folder = finders.create(finder, config(data={"packing": False}), base, snapshot, tmp_path / "jobs")
        control.start(folder)
        return folder

    return start


@pytest.mark.slow
@pytest.mark.parametrize("finder", list(finders.TITLES))
def test_a_search_leaves_its_answer_and_the_points_of_its_curve(
    finder: str, begin: Begin, eventually: Callable[..., None]
) -> None:
    folder = begin(finder)
    eventually(lambda: not jobs.info(folder).alive, 90, "the search ends")
    assert jobs.info(folder).state == "done", jobs.info(folder).message
    found = finders.read(folder)
    events = read_events(folder.events)
    points = [event for event in events if event["kind"] == "point"]
    assert len(points) == len(found.curve) > 0
    assert [event for event in events if event["kind"] == "progress"]
    assert found.sentence.startswith(f"{found.value:,.0f} row" if found.value >= 1 else finders.short(found.value))
    eventually(lambda: not members(folder.path), 10, "no process is left")


@pytest.mark.slow
def test_a_search_that_is_stopped_has_no_answer(begin: Begin, eventually: Callable[..., None]) -> None:
    folder = begin("micro")
    eventually(lambda: jobs.info(folder).state == "running", 30)
    jobs.stop(folder, grace=20.0)
    eventually(lambda: not jobs.info(folder).alive, 60, "the search ends")
    assert jobs.info(folder).state == "stopped"
    assert not (folder.output / finders.FOUND).exists()
    eventually(lambda: not members(folder.path), 10, "no process is left")
