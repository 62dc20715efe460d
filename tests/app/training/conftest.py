"""The Training page with real jobs behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.training.page import TrainingPage
from core.jobs.folder import JobFolder
from core.samples import snapshots
from core.samples.language import parse
from core.workspace import Workspace

ONE = ("gpu:1/1",)


@pytest.fixture
def training(context: AppContext, qtbot: QtBot) -> Iterator[TrainingPage]:
    """The page alone, shown, looking at the jobs of its workspace."""
    page = TrainingPage(context)
    page.resize(1000, 640)
    page.show()
    context.jobs.start()
    yield page
    context.jobs.close()
    qtbot.waitUntil(lambda: not context.tasks.busy())
    shiboken6.delete(page)


@pytest.fixture
def begin_run(workspace: Workspace, begin_nap: Callable[..., JobFolder]) -> Callable[..., JobFolder]:
    """`begin_run("a", steps=3)`: a job of the kind of runs that wants the only GPU."""

    def begin(title: str, **request: object) -> JobFolder:
        return begin_nap(workspace.jobs, title, kind="train", resources=ONE, **request)

    return begin


@pytest.fixture
def queue(
    training: TrainingPage, begin_run: Callable[..., JobFolder], qtbot: QtBot
) -> tuple[JobFolder, dict[str, JobFolder]]:
    """A run that holds the only GPU until it is stopped, and a, b, c, which wait for it in this order; all are in the list."""
    first = begin_run("first", steps=1_000_000)
    found = {}
    for place, name in enumerate("abc", 1):
        found[name] = begin_run(name, steps=2)
        qtbot.waitUntil(lambda place=place: len(training.runs.rows.waiting()) == place, timeout=20_000)
    return first, found


@pytest.fixture
def gold(workspace: Workspace) -> Path:
    """A snapshot to train on."""
    with closing(workspace.connect()) as connection:
        snapshots.create(workspace.snapshots, connection, "gold", parse("topic:errors"), validation=0.2)
    return workspace.snapshots / "gold"
