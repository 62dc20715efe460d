"""A run is followed line by line; what came while nobody looked is read off the GUI thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.tasks import TaskRunner
from app.training.run_feed import MOST_HERE, RunFeed
from core.jobs import JobFolder
from core.training.metrics import RunMetrics
from tests.app.training.runs import run, step, write


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    return run(tmp_path, "one", 5)


@pytest.fixture
def feed(qtbot: QtBot, leaks_nothing: None) -> Iterator[RunFeed]:
    tasks = TaskRunner(None)
    made = RunFeed(tasks)
    yield made
    made.pause()
    tasks.close()
    shiboken6.delete(made)


def test_a_run_is_read_and_then_followed(feed: RunFeed, folder: JobFolder, qtbot: QtBot) -> None:
    with qtbot.waitSignal(feed.opened) as opened:
        feed.show(folder)
    metrics: RunMetrics = opened.args[0]
    feed.go_on()
    with qtbot.waitSignal(feed.updated):
        write(folder.events, step(6))
    qtbot.waitUntil(lambda: metrics.last_step == 6)


def test_a_run_that_is_left_for_another_before_it_was_read_is_not_shown(
    feed: RunFeed, folder: JobFolder, tmp_path: Path, qtbot: QtBot
) -> None:
    other = run(tmp_path, "other", 9)
    shown: list[RunMetrics] = []
    feed.opened.connect(shown.append)
    feed.show(folder)
    feed.show(other)
    qtbot.waitUntil(lambda: bool(shown))
    qtbot.waitUntil(lambda: not feed._tasks.busy())
    assert [one.last_step for one in shown] == [9]


def test_much_that_came_meanwhile_is_read_elsewhere(feed: RunFeed, folder: JobFolder, qtbot: QtBot) -> None:
    with qtbot.waitSignal(feed.opened) as opened:
        feed.show(folder)
    feed.pause()
    last = 5
    while folder.events.stat().st_size < 2 * MOST_HERE:
        write(folder.events, *(step(last + n) for n in range(1, 501)))
        last += 500
    with qtbot.waitSignal(feed.opened) as again:
        feed.go_on()
    assert opened.args[0].last_step == 5
    assert again.args[0].last_step == last


def test_nothing_is_looked_at_while_nobody_looks(feed: RunFeed, folder: JobFolder, qtbot: QtBot) -> None:
    feed.go_on()
    feed.pause()
    with qtbot.waitSignal(feed.opened):
        feed.show(folder)
    assert not feed._timer.isActive()
