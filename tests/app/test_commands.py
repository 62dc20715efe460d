"""One table of commands; menus, keys, palette and cheat sheet all read it."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.commands import COMMANDS, key_of, shown_keys
from app.overlays import CheatSheet, Palette, matching
from app.window import PAGES, MainWindow


def test_names_and_keys_are_unique() -> None:
    assert not [name for name, times in Counter(command.name for command in COMMANDS).items() if times > 1]
    assert not [key for key, times in Counter(key for command in COMMANDS for key in command.keys).items() if times > 1]


def test_every_page_has_a_command_that_goes_there() -> None:
    assert {f"go.{page.name}" for page in PAGES} <= {command.name for command in COMMANDS}


def test_keys_are_written_as_people_read_them() -> None:
    by_name = {command.name: command for command in COMMANDS}
    assert shown_keys(by_name["app.undo"]) == "Ctrl+Z, U"
    assert shown_keys(by_name["edit.save"]) == "Ctrl+Enter"
    assert key_of("review.accept") == "A"


def test_the_palette_finds_by_words_before_letters() -> None:
    assert matching(COMMANDS, "accept")[0].name == "review.accept"
    assert matching(COMMANDS, "go train")[0].name == "go.training"
    assert "review.needs_work" in [command.name for command in matching(COMMANDS, "nw")]
    assert matching(COMMANDS, "qqqq") == []
    assert matching(COMMANDS, "") == list(COMMANDS)


def test_every_bound_command_works_through_the_palette(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window.findChild(Palette)
    assert palette is not None
    assert palette.isVisible()
    qtbot.keyClicks(palette._field, "go to sett")
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert window.current_page() is window.pages["settings"]


def test_the_arrow_keys_walk_through_the_palette(window: MainWindow, qtbot: QtBot) -> None:
    window.context.commands.run("app.palette")
    palette = window.findChild(Palette)
    assert palette is not None
    qtbot.keyClicks(palette._field, "go to")
    qtbot.keyClick(palette._field, Qt.Key.Key_Down)
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert window.current_page() is window.pages["teacher"]


def test_the_cheat_sheet_shows_every_key(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Question)
    sheet = window.findChild(CheatSheet)
    assert sheet is not None
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    assert {shown_keys(command) for command in COMMANDS} <= shown
    sheet.accept()
    QApplication.processEvents()
