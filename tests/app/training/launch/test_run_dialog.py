"""The launch dialog in the window: a run that shall begin at a time is made at once and waits in the background."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.training.page import TrainingPage
from app.widgets.jobs.job_row import JobRow
from core.jobs import control
from core.jobs.folder import JobFolder, read_job
from core.workspace import Workspace


def test_a_run_started_for_tonight_waits_and_says_until_when(
    gold: Path, training: TrainingPage, workspace: Workspace, qtbot: QtBot
) -> None:
    training.open_dialog(None)
    dialog = training.dialog.now
    assert dialog is not None
    start = dialog.findChild(QPushButton, "runStart")
    qtbot.waitUntil(start.isEnabled, timeout=20_000)
    dialog.findChild(QCheckBox, "startLater").click()
    with qtbot.waitSignal(dialog.run_started, timeout=20_000) as started:
        qtbot.mouseClick(start, Qt.MouseButton.LeftButton)
    folder = JobFolder(workspace.jobs / started.args[0])
    try:
        qtbot.waitUntil(lambda: training.runs.rows.position(folder.id) is not None, timeout=10_000)
        qtbot.waitUntil(lambda: row(training, folder).detail == "starts at 22:00", timeout=10_000)
        assert read_job(folder).not_before == row(training, folder).job.not_before
    finally:
        control.kill(folder)


def test_the_suite_of_evaluations_is_offered_and_what_is_chosen_is_checked(
    gold: Path, training: TrainingPage, qtbot: QtBot
) -> None:
    training.open_dialog(None)
    dialog = training.dialog.now
    assert dialog is not None
    qtbot.waitUntil(lambda: "evaluation.suite" in dialog._form.fields, timeout=20_000)
    field = dialog._form.fields["evaluation.suite"]
    assert isinstance(field.editor, QLineEdit)
    qtbot.waitUntil(lambda: field.editor.completer() is not None, timeout=20_000)
    completer = field.editor.completer()
    field.editor.actions()[0].trigger()
    assert completer.completionCount() >= 1
    assert completer.currentCompletion() == "workshop"
    with qtbot.waitSignal(field.edited):
        completer.activated[str].emit("workshop")
    assert dialog.values()["evaluation"]["suite"] == "workshop"
    completer.popup().hide()


def row(page: TrainingPage, folder: JobFolder) -> JobRow:
    position = page.runs.rows.position(folder.id)
    assert position is not None
    return page.runs.rows.row(position)
