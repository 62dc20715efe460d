"""The foot of a dialog: who gets Enter, Escape and the room."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.dialog_foot import dialog_foot


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Callable[..., QDialog]]:
    """`make(*before)`: a dialog with a line, shown; Go on accepts it."""
    made: list[QDialog] = []

    def begin(*before: QWidget) -> QDialog:
        dialog = QDialog()
        made.append(dialog)
        cancel, confirm = QPushButton("Cancel"), QPushButton("Go on")
        confirm.clicked.connect(dialog.accept)
        column = QVBoxLayout(dialog)
        column.addWidget(QLineEdit())
        column.addLayout(dialog_foot(dialog, cancel, confirm, *before))
        dialog.resize(600, 100)
        dialog.show()
        dialog.findChild(QLineEdit).setFocus()
        return dialog

    yield begin
    for dialog in made:
        shiboken6.delete(dialog)


def button(dialog: QDialog, text: str) -> QPushButton:
    return next(one for one in dialog.findChildren(QPushButton) if one.text() == text)


def test_enter_confirms_and_only_when_that_may_be(make: Callable[..., QDialog], qtbot: QtBot) -> None:
    dialog = make()
    button(dialog, "Go on").setEnabled(False)
    qtbot.keyClick(dialog.findChild(QLineEdit), Qt.Key.Key_Return)
    assert dialog.isVisible()
    button(dialog, "Go on").setEnabled(True)
    qtbot.keyClick(dialog.findChild(QLineEdit), Qt.Key.Key_Return)
    assert (dialog.isVisible(), dialog.result()) == (False, QDialog.DialogCode.Accepted)


def test_cancel_and_escape_reject(make: Callable[..., QDialog], qtbot: QtBot) -> None:
    by_key, by_button = make(), make()
    ended: list[str] = []
    by_key.rejected.connect(lambda: ended.append("key"))
    by_button.rejected.connect(lambda: ended.append("button"))
    qtbot.keyClick(by_key.findChild(QLineEdit), Qt.Key.Key_Escape)
    button(by_button, "Cancel").click()
    assert ended == ["key", "button"]


def test_enter_on_cancel_cancels(make: Callable[..., QDialog], qtbot: QtBot) -> None:
    dialog = make()
    dialog.done(QDialog.DialogCode.Accepted)
    dialog.show()
    button(dialog, "Cancel").setFocus()
    qtbot.keyClick(button(dialog, "Cancel"), Qt.Key.Key_Return)
    assert (dialog.isVisible(), dialog.result()) == (False, QDialog.DialogCode.Rejected)


def test_the_buttons_stand_at_the_right_and_what_comes_first_takes_the_room(make: Callable[..., QDialog]) -> None:
    plain = make()
    assert button(plain, "Go on").geometry().right() > 560
    assert button(plain, "Cancel").x() > 350
    note, other = QLabel("…"), QPushButton("Other")
    full = make(note, other)
    row = (note, other, button(full, "Cancel"), button(full, "Go on"))
    assert [one.x() for one in row] == sorted(one.x() for one in row)
    assert note.width() > 250
    assert other.width() < 120
