"""A served model that keeps a run from its GPU: the window asks, wherever one is, and ends it on a yes and never else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.widgets.banner import Banner
from app.window import MainWindow
from core.jobs import JobFolder, info, stop
from core.workspace import Workspace

Begin = Callable[..., JobFolder]


def banner(window: MainWindow) -> Banner:
    found = window.findChild(Banner, "windowBanner")
    assert isinstance(found, Banner)
    return found


@pytest.fixture
def served(workspace: Workspace, begin_nap: Begin, window: MainWindow, qtbot: QtBot) -> JobFolder:
    """A model that holds the only GPU."""
    window.context.jobs.start()
    folder = begin_nap(
        workspace.jobs, "Serve starter", kind="serve", resources=("gpu:1/1 shared",), steps=1_000_000
    )  # fmt: skip
    qtbot.waitUntil(lambda: info(folder).state == "running", timeout=20_000)
    return folder


def run(workspace: Workspace, begin_nap: Begin, title: str = "errgroup") -> JobFolder:
    return begin_nap(workspace.jobs, title, kind="train", resources=("gpu:1/1",), steps=1_000_000)


def asked(window: MainWindow, qtbot: QtBot, title: str) -> None:
    qtbot.waitUntil(lambda: title in banner(window).text, timeout=20_000)


def press(window: MainWindow, text: str) -> None:
    (button,) = [one for one in banner(window).findChildren(QPushButton) if one.text() == text and not one.isHidden()]
    button.click()


def test_a_yes_unloads_the_model_and_the_run_begins(
    workspace: Workspace, begin_nap: Begin, served: JobFolder, window: MainWindow, qtbot: QtBot
) -> None:
    assert banner(window).text == ""
    waiting = run(workspace, begin_nap)
    asked(window, qtbot, "errgroup")
    assert banner(window).text == (
        "The playground's model (“Serve starter”) holds the GPU that “errgroup” waits for. Unload it?"
    )
    assert info(served).state == "running", "not before somebody says yes"
    window.show_page("settings")
    assert banner(window).isVisible(), "on every page"
    press(window, "Unload")
    qtbot.waitUntil(lambda: info(waiting).state == "running", timeout=20_000)
    assert info(served).state == "stopped"
    assert banner(window).text == ""


def test_a_question_that_is_closed_is_not_asked_again_and_the_model_stays(
    workspace: Workspace, begin_nap: Begin, served: JobFolder, window: MainWindow, qtbot: QtBot
) -> None:
    run(workspace, begin_nap)
    asked(window, qtbot, "errgroup")
    banner(window).clear()
    with qtbot.waitSignal(window.context.jobs.updated, timeout=20_000):
        run(workspace, begin_nap, "second")
    assert banner(window).text == ""
    assert info(served).state == "running"


def test_the_question_goes_when_nobody_waits_any_more(
    workspace: Workspace, begin_nap: Begin, served: JobFolder, window: MainWindow, qtbot: QtBot
) -> None:
    waiting = run(workspace, begin_nap)
    asked(window, qtbot, "errgroup")
    stop(waiting)
    qtbot.waitUntil(lambda: banner(window).text == "", timeout=20_000)
    assert info(served).state == "running"


def test_a_run_that_waits_for_a_run_asks_nothing(
    workspace: Workspace, begin_nap: Begin, window: MainWindow, qtbot: QtBot
) -> None:
    window.context.jobs.start()
    run(workspace, begin_nap, "first")
    second = run(workspace, begin_nap, "second")
    seen = window.context.jobs
    qtbot.waitUntil(lambda: (job := seen.job(second.id)) is not None and job.place == 1, timeout=20_000)
    assert banner(window).text == ""
