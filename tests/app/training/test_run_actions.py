"""What the Training page may ask of the chosen run: offered where it has an effect, and done by the run itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from app.training.page import TrainingPage
from core import jobs
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.folder import JobFolder, read_job
from core.training import launch
from core.training.config_file import from_mapping
from core.workspace import Workspace

Begin = Callable[..., JobFolder]
NAMES = ("resume", "start_now", "checkpoint", "stop_after_epoch", "stop", "move_up", "clone", "delete")


def action(page: TrainingPage, name: str) -> QAction:
    return page.context.commands.action(f"runs.{name}")


def offered(page: TrainingPage) -> set[str]:
    return {name for name in NAMES if action(page, name).isEnabled()}


def wait_for_state(page: TrainingPage, qtbot: QtBot, folder: JobFolder, state: str) -> None:
    def reached() -> bool:
        position = page.runs.rows.position(folder.id)
        return position is not None and page.runs.rows.row(position).job.state == state

    qtbot.waitUntil(reached, timeout=20_000)


def press(page: TrainingPage, qtbot: QtBot, name: str) -> None:
    qtbot.waitUntil(action(page, name).isEnabled, timeout=10_000)
    action(page, name).trigger()


def test_a_running_run_saves_a_checkpoint_and_stops_after_its_epoch(
    training: TrainingPage, begin_run: Begin, qtbot: QtBot
) -> None:
    run = begin_run("errgroup", steps=1_000_000, epoch=20)
    wait_for_state(training, qtbot, run, "running")
    press(training, qtbot, "checkpoint")
    qtbot.waitUntil(lambda: any(e["kind"] == "checkpoint" for e in read_events(run.events)), timeout=10_000)
    assert offered(training) == {"checkpoint", "stop_after_epoch", "stop", "clone"}
    press(training, qtbot, "stop_after_epoch")
    wait_for_state(training, qtbot, run, "stopped")
    qtbot.waitUntil(lambda: offered(training) == {"resume", "clone", "delete"}, timeout=10_000)


def test_stop_is_said_to_save_and_to_be_resumable(training: TrainingPage, begin_run: Begin, qtbot: QtBot) -> None:
    run = begin_run("errgroup", steps=1_000_000)
    wait_for_state(training, qtbot, run, "running")
    button = training.findChild(QPushButton, "runStop")
    assert "saves a checkpoint" in button.toolTip()
    assert "Resume" in button.toolTip()
    assert action(training, "stop").text() == "Pause: save a checkpoint and stop"
    qtbot.waitUntil(button.isEnabled, timeout=10_000)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    wait_for_state(training, qtbot, run, "stopped")


def test_a_run_that_waits_for_its_time_starts_now_when_asked(
    training: TrainingPage, begin_nap: Begin, workspace: Workspace, qtbot: QtBot
) -> None:
    run = begin_nap(workspace.jobs, "late", kind="train", not_before=4e9, steps=2)
    press(training, qtbot, "start_now")
    assert control.wait_for_end(run, 20).state == "done"


def test_deleting_asks_and_only_yes_deletes(training: TrainingPage, begin_run: Begin, qtbot: QtBot) -> None:
    old, new = begin_run("old", steps=2), begin_run("new", steps=2)
    for run in (old, new):
        wait_for_state(training, qtbot, run, "done")
    training.runs.select(old.id)
    qtbot.waitUntil(lambda: training.view.feed.folder == old, timeout=10_000)
    for answer, left in (("deleteCancel", 2), ("deleteConfirm", 1)):
        press(training, qtbot, "delete")
        qtbot.waitUntil(lambda answer=answer: training.findChild(QAbstractButton, answer) is not None, timeout=10_000)
        qtbot.mouseClick(training.findChild(QAbstractButton, answer), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda left=left: training.runs.rows.rowCount() == left, timeout=10_000)
        qtbot.waitUntil(lambda: training.findChild(QAbstractButton, "deleteConfirm") is None, timeout=10_000)
    assert (old.path.exists(), new.path.exists()) == (False, True)
    assert training.view.feed.folder == new
    assert jobs.info(new).state == "done"


def test_the_button_and_the_right_click_offer_the_same_and_nothing_in_vain(
    training: TrainingPage, begin_run: Begin, qtbot: QtBot
) -> None:
    run = begin_run("errgroup", steps=1_000_000)
    wait_for_state(training, qtbot, run, "running")
    qtbot.waitUntil(action(training, "checkpoint").isEnabled, timeout=10_000)
    button = training.findChild(QPushButton, "runMore")
    button.menu().aboutToShow.emit()
    expected = [a.objectName() for a in button.menu().actions() if not a.isSeparator()]
    assert expected == ["runs.checkpoint", "runs.stop_after_epoch", "runs.stop", "runs.clone"]
    training.runs.customContextMenuRequested.emit(training.runs.visualRect(training.runs.currentIndex()).center())
    menu = next(menu for menu in training.findChildren(QMenu) if menu.isVisible())
    assert [a.objectName() for a in menu.actions() if not a.isSeparator()] == expected
    menu.hide()


@pytest.fixture
def run_with_settings(workspace: Workspace, gold: Path) -> JobFolder:
    config = from_mapping(
        {
            "name": "errgroup 2", "seed": 11, "model": {"base": "starter"},
            "data": {"snapshot": "gold", "max_length": 512}, "method": {"rank": 4, "targets": ["q_proj"]},
            "budget": {"epochs": 2},
        }
    )  # fmt: skip
    return launch.launch(config, jobs=workspace.jobs, snapshots=workspace.snapshots, models=workspace.models)


def test_a_clone_has_all_settings_of_the_run_also_those_the_form_does_not_show(
    run_with_settings: JobFolder, training: TrainingPage, qtbot: QtBot
) -> None:
    press(training, qtbot, "clone")
    qtbot.waitUntil(lambda: training.dialog.now is not None, timeout=10_000)
    dialog = training.dialog.now
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.values()["model"]["base"] and dialog.values()["data"]["snapshot"]))
    wanted = launch.written(read_job(run_with_settings).request)
    made = dialog.values()
    assert made["name"] == "errgroup 3"
    assert from_mapping({**made, "name": wanted["name"]}) == from_mapping(wanted)
    dialog.reject()


def test_a_clone_of_what_is_gone_says_so_and_chooses_nothing_else(
    run_with_settings: JobFolder, gold: Path, training: TrainingPage, qtbot: QtBot
) -> None:
    gold.rename(gold.with_name("elsewhere"))
    press(training, qtbot, "clone")
    qtbot.waitUntil(
        lambda: training.dialog.now is not None and "gold" in training.dialog.now._banner.text, timeout=10_000
    )
    dialog = training.dialog.now
    assert dialog is not None
    assert dialog.values()["data"]["snapshot"] == ""
    assert not dialog.findChild(QPushButton, "runStart").isEnabled()
    dialog.reject()
