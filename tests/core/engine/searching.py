"""A search as its job makes it: what it leaves in its folder, made by this very process where a process of its own proves nothing more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.engine import find_job
from core.jobs.events import read_events
from core.jobs.folder import JobFolder
from core.jobs.worker import WorkerContext
from core.training import finders
from core.training.config import RunConfig
from core.training.finders import Finding


def create(finder: str, config: RunConfig, base: Path, snapshot: Path, place: Path) -> JobFolder:
    return finders.create(finder, config, base, snapshot, place / "jobs")


def here(
    finder: str, config: RunConfig, base: Path, snapshot: Path, place: Path
) -> tuple[Finding, list[dict[str, Any]]]:
    """The answer of a search by this process, and its events."""
    folder = create(finder, config, base, snapshot, place)
    find_job.main(WorkerContext(folder, 0, 1, 1, place / "store"))
    return what_is_left(folder)


def what_is_left(folder: JobFolder) -> tuple[Finding, list[dict[str, Any]]]:
    """Answer and events of a search that is done, the one agreeing with the other."""
    found, events = finders.read(folder), read_events(folder.events)
    points = [(event["x"], event["y"]) for event in events if event["kind"] == "point"]
    assert len(points) == len(found.curve) > 0
    assert [event for event in events if event["kind"] == "progress"]
    return found, events
