"""The key to a teacher's account goes from a field into the keyring, and is seen nowhere afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.settings.page import SettingsPage
from app.settings.teacher_key import TeacherKey
from core.teacher.asking.keys import OPENAI, find_credentials
from tests.keyrings import Locked, Ring

SECRET = "sk-test-0123456789"


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ring]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    before, mine = keyring.get_keyring(), Ring()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


@pytest.fixture
def page(context: AppContext, ring: Ring, qtbot: QtBot) -> SettingsPage:
    made = SettingsPage(context)
    qtbot.addWidget(made)
    made.show()
    return made


def card(page: SettingsPage) -> TeacherKey:
    found = page.findChild(TeacherKey)
    assert found is not None
    return found


def said(page: SettingsPage) -> str:
    return page.findChild(QLabel, "keyState").text()


def test_a_key_is_saved_used_and_removed(page: SettingsPage, ring: Ring, qtbot: QtBot) -> None:
    key = card(page)
    qtbot.waitUntil(lambda: said(page) == "There is no key for this address yet.")
    assert not key.save.isEnabled()
    assert key.key.echoMode() == QLineEdit.EchoMode.Password
    qtbot.keyClicks(key.key, SECRET)
    qtbot.mouseClick(key.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: said(page) == "The key in the system's keyring is used.")
    assert key.key.text() == ""
    assert find_credentials(OPENAI).key == SECRET
    qtbot.mouseClick(key.remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: said(page) == "There is no key for this address yet.")
    assert ring.kept == {}


def test_what_the_environment_gives_is_said(page: SettingsPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    card(page).endpoint.editingFinished.emit()
    qtbot.waitUntil(lambda: said(page) == "The key in OPENAI_API_KEY is used.")
    assert not card(page).remove.isEnabled()


def test_what_cannot_be_saved_is_one_sentence(page: SettingsPage, qtbot: QtBot) -> None:
    keyring.set_keyring(Locked())
    qtbot.keyClicks(card(page).key, SECRET)
    qtbot.keyClick(card(page).key, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "The system's keyring cannot be used" in page.banner.text)
    assert card(page).key.text() == SECRET, "and can be copied from there"
    card(page).endpoint.setText("somewhere")
    card(page).endpoint.editingFinished.emit()
    qtbot.waitUntil(lambda: "is no address of an endpoint" in page.banner.text)
