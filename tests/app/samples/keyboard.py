"""What a person does on the Samples page, for tests: press keys wherever the keyboard is, find a button, search."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.samples.page import SamplesPage

CONTROL = Qt.KeyboardModifier.ControlModifier
Calm = Callable[[], None]
Statuses = Callable[[list[int]], list[str]]


def focused(page: SamplesPage) -> QWidget:
    found = page.window().focusWidget()
    assert found is not None
    return found


def press(
    qtbot: QtBot, page: SamplesPage, *keys: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Keys go to whatever has the keyboard."""
    for key in keys:
        qtbot.keyClick(focused(page), key, modifier)


def button(page: SamplesPage, name: str) -> QPushButton:
    found = page.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def search(page: SamplesPage, text: str, calm: Calm) -> None:
    page.search_for(text)
    calm()
