"""The playground's modes in the real window: built when they first come, small enough for a small screen, everything with a name."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.page import MODES, PlaygroundPage
from app.state import window_state
from app.window import MainWindow
from tests.app.test_window import _inside_a_named_one

ROLES = (
    QAccessible.Role.Button, QAccessible.Role.EditableText, QAccessible.Role.ComboBox, QAccessible.Role.CheckBox,
    QAccessible.Role.Table, QAccessible.Role.List, QAccessible.Role.SpinBox, QAccessible.Role.Slider,
)  # fmt: skip


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> PlaygroundPage:
    window.show_page("playground")
    found = window.pages["playground"]
    assert isinstance(found, PlaygroundPage)
    qtbot.waitUntil(lambda: bool(found.bench.models.models))
    return found


def test_a_mode_is_built_when_it_first_comes_to_the_front_and_kept(page: PlaygroundPage) -> None:
    assert list(MODES) == ["Chat", "Compare", "Likelihood", "Fill"]
    assert list(page.modes) == ["Chat"]
    page.show_mode("Likelihood")
    built = page.modes["Likelihood"]
    page.show_mode("Chat")
    page.show_mode("Likelihood")
    assert list(page.modes) == ["Chat", "Likelihood"]
    assert page.modes["Likelihood"] is built
    page.show_mode("Nothing")
    assert page._stack.currentWidget() is built


@pytest.mark.parametrize("name", list(MODES))
def test_every_mode_fits_a_small_screen_in_both_looks_with_one_filled_button(
    page: PlaygroundPage, window: MainWindow, name: str
) -> None:
    page.findChild(QAbstractButton, f"playground{name}").click()
    window.resize(1024, 640)
    for look in ("light", "dark"):
        window.context.theme.set_preference(look)  # type: ignore[arg-type]
        QApplication.processEvents()
        assert (window.width(), window.height()) == (1024, 640)
        needed = page.minimumSizeHint()
        assert needed.width() <= 1024 - 196
        assert needed.height() <= 640 - 24
        picture = window.grab().toImage()
        colours = {picture.pixelColor(x, y).rgb() for x in range(200, 1020, 7) for y in range(10, 620, 7)}
        assert len(colours) > 8
    buttons = [one for one in page.findChildren(QAbstractButton) if one.isVisible()]
    assert len([one for one in buttons if one.property("kind") == "primary"]) == 1


@pytest.mark.parametrize("name", list(MODES))
def test_nothing_of_a_mode_that_can_be_used_is_without_a_name(page: PlaygroundPage, name: str) -> None:
    mode = page.mode(name)
    assert isinstance(mode, QWidget)
    nameless = []
    for widget in mode.findChildren(QWidget):
        face = QAccessible.queryAccessibleInterface(widget)
        if widget.objectName().startswith("qt_") or face is None or face.role() not in ROLES:
            continue
        if not face.text(QAccessible.Text.Name) and not _inside_a_named_one(widget):
            nameless.append(f"{type(widget).__name__} {widget.objectName()!r}")
    assert nameless == []


def test_the_mode_in_front_comes_back_in_the_next_window_and_a_model_goes_to_it(
    page: PlaygroundPage, context: AppContext, qtbot: QtBot
) -> None:
    page.show_mode("Fill")
    kept = window_state()
    page.save_state(kept)
    kept.sync()
    again = PlaygroundPage(context)
    qtbot.addWidget(again)
    assert set(again.modes) == {"Chat", "Fill"}
    assert again._stack.currentWidget() is again.modes["Fill"]
