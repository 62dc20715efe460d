"""Settings as a whole in the launch dialog: shown and copied as TOML, opened from a file, saved, kept as a preset and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
)
from pytestqt.qtbot import QtBot

from app.training.launch.preset_question import PresetQuestion
from app.training.launch.run_dialog import RunDialog
from app.training.page import TrainingPage
from core.training.config_file import load_config, parse_config
from core.training.presets import list_presets, own_folder


@pytest.fixture
def dialog(
    gold: Path, training: TrainingPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Iterator[RunDialog]:
    """The launch dialog with a configuration that is right."""
    monkeypatch.setenv("GOSMITH_CONFIG", str(tmp_path / "config"))
    training.open_dialog(None)
    made = training.dialog.now
    assert made is not None
    start = made.findChild(QPushButton, "runStart")
    qtbot.waitUntil(start.isEnabled, timeout=20_000)
    yield made
    made.reject()
    QApplication.processEvents()


def menu(dialog: RunDialog, text: str) -> None:
    found = dialog.findChild(QMenu, "presetMenu")
    (action,) = [one for one in found.actions() if one.text() == text]
    assert action.isEnabled()
    action.trigger()


def said(dialog: RunDialog) -> str:
    return dialog.findChild(QLabel, "runDialogNote").text()


def test_the_keyboard_goes_through_the_dialog_from_top_to_bottom(dialog: RunDialog, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "seed" in dialog._form.fields)
    dialog._form.groups[0].set_open(True)
    start = dialog.findChild(QComboBox, "snapshotPicker")
    found, widget = [start.objectName()], start.nextInFocusChain()
    while widget is not start:
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.objectName():
            found.append(widget.objectName())
        widget = widget.nextInFocusChain()
    front = ["name", "method.kind", "parallel.processes", "optimizer.learning_rate", "budget.unit", "budget.steps"]
    method = [key for key in dialog._form.groups[0].cells]
    groups = [f"group-{group.title}" for group in dialog._form.groups]
    wanted = ["snapshotPicker", "basePicker", "presetPicker", "presetMore", *(f"field-{key}" for key in front)]
    wanted += ["settingsFilter", groups[0], *(f"field-{key}" for key in method), *groups[1:]]
    assert found[: len(wanted)] == wanted
    assert [name for name in found if name in ("showBatch", "runCancel", "runStart")][-1] == "runStart"


def test_the_configuration_is_shown_as_toml_follows_what_is_typed_and_is_copied(
    dialog: RunDialog, qtbot: QtBot
) -> None:
    dialog.findChild(QPushButton, "showConfig").click()
    text = dialog.findChild(QPlainTextEdit, "configText")
    copy = dialog.findChild(QPushButton, "configCopy")
    assert parse_config(text.toPlainText()).data.snapshot == "gold"
    rate = dialog.findChild(QLineEdit, "field-optimizer.learning_rate")
    rate.clear()
    qtbot.keyClicks(rate, "3e-5")
    qtbot.waitUntil(lambda: "3e-5" in text.toPlainText() or "3e-05" in text.toPlainText())
    copy.click()
    assert parse_config(QApplication.clipboard().text()).optimizer.learning_rate == 3e-5
    qtbot.keyClicks(rate, "x")
    qtbot.waitUntil(lambda: not text.toPlainText())
    assert not copy.isEnabled()
    assert "optimizer.learning_rate" in said(dialog)


def test_what_was_saved_to_a_file_is_opened_from_it(dialog: RunDialog, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "mine.toml"
    rate = dialog.findChild(QLineEdit, "field-optimizer.learning_rate")
    rate.clear()
    qtbot.keyClicks(rate, "3e-5")
    qtbot.waitUntil(
        lambda: dialog._actions.config is not None and dialog._actions.config.optimizer.learning_rate == 3e-5
    )
    dialog._actions.save_file(path)
    qtbot.waitUntil(lambda: said(dialog).startswith("Saved to"))
    saved = load_config(path)
    path.write_text(path.read_text().replace("rank = 16", "rank = 5"))
    picker = dialog.findChild(QComboBox, "presetPicker")
    picker.setCurrentIndex(1)
    picker.activated.emit(1)
    dialog._actions.open_file(path)
    qtbot.waitUntil(lambda: picker.currentText() == "From mine.toml")
    qtbot.waitUntil(lambda: dialog._config is not None and dialog._config.method.rank == 5)
    assert dialog._config is not None
    assert (dialog._config.name, dialog._config.optimizer.learning_rate) == (saved.name, 3e-5)
    assert picker.count() == len(list_presets()) + 1


def test_a_file_that_is_wrong_or_names_what_is_not_here_is_told(
    dialog: RunDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "far.toml"
    path.write_text('[model]\nbase = "far"\n[data]\nsnapshot = "away"\n[method]\nrank = 3\n')
    dialog._actions.open_file(path)
    qtbot.waitUntil(lambda: banner(dialog).count("“far”") == 1)
    assert "“away”" in banner(dialog)
    assert dialog.values()["method"]["rank"] == 3
    path.write_text("[method]\nrnak = 3\n")
    dialog._actions.open_file(path)
    qtbot.waitUntil(lambda: "rnak" in banner(dialog))


def banner(dialog: RunDialog) -> str:
    return " ".join(item.text() for item in dialog._banner.findChildren(QLabel) if item.isVisible())


def test_settings_are_kept_as_a_preset_chosen_again_and_deleted(dialog: RunDialog, qtbot: QtBot) -> None:
    picker = dialog.findChild(QComboBox, "presetPicker")
    rate = dialog.findChild(QLineEdit, "field-optimizer.learning_rate")
    rate.clear()
    qtbot.keyClicks(rate, "4e-5")
    qtbot.waitUntil(
        lambda: dialog._actions.config is not None and dialog._actions.config.optimizer.learning_rate == 4e-5
    )
    menu(dialog, "Save as preset…")
    question = dialog.findChild(PresetQuestion)
    title = question.findChild(QLineEdit, "field-preset.title")
    title.clear()
    qtbot.keyClicks(title, "For errors")
    qtbot.keyClicks(question.findChild(QLineEdit, "field-preset.when"), "When errors matter.")
    question.findChild(QPushButton, "presetSave").click()
    qtbot.waitUntil(lambda: picker.currentText() == "For errors")
    assert [path.name for path in own_folder().iterdir()] == ["for-errors.toml"]
    qtbot.wait(200)
    assert said(dialog) == "Kept as the preset “For errors”."
    assert dialog.findChild(QLabel, "presetWhen").text() == "When errors matter."
    picker.setCurrentIndex(0)
    picker.activated.emit(0)
    assert dialog.values()["optimizer"]["learning_rate"] == 2e-4
    place = picker.findText("For errors")
    picker.setCurrentIndex(place)
    picker.activated.emit(place)
    assert dialog.values()["optimizer"]["learning_rate"] == 4e-5
    menu(dialog, "Delete this preset…")
    dialog.findChild(QMessageBox, "presetDelete").findChild(QPushButton, "presetDeleteConfirm").click()
    qtbot.waitUntil(lambda: picker.findText("For errors") < 0)
    assert not list(own_folder().iterdir())
    assert dialog.values()["optimizer"]["learning_rate"] == 4e-5


def test_a_bundled_preset_cannot_be_deleted_and_a_broken_one_says_why(dialog: RunDialog, qtbot: QtBot) -> None:
    found = dialog.findChild(QMenu, "presetMenu")
    assert not next(one for one in found.actions() if one.text() == "Delete this preset…").isEnabled()
    own_folder().mkdir(parents=True)
    (own_folder() / "broken.toml").write_text('title = "Broken"\n[method]\nrnak = 3\n')
    before = dialog.values()
    dialog._on_presets_changed(list_presets(), "Broken")
    assert "rnak" in banner(dialog)
    assert dialog.values() == before
