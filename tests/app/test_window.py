"""What holds for every page, and what the window does for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QProgressBar, QWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.rail import RunCard
from app.samples.page import SamplesPage
from app.state import window_state
from app.tasks import TaskRunner
from app.theme import Theme
from app.window import PAGES, MainWindow
from core.errors import UserError
from core.jobs import create, info
from core.jobs.folder import JobFolder
from core.jobs.status import JobInfo
from core.settings import Settings, load_settings
from core.workspace import Workspace, open_workspace

NAMES = [page.name for page in PAGES]
DESIGNED = [
    "samplesTable",
    "searchField",
    "sampleCode",
    "sampleAccept",
    "sampleReject",
    "sampleEdit",
    "samplesImport",
    "samplesExport",
    "samplesCount",
    "navSamples",
    "navTeacher",
    "navTraining",
    "navEvaluation",
    "navPlayground",
    "navSettings",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_built_on_its_first_visit_and_fits_a_small_screen(window: MainWindow, name: str) -> None:
    assert set(window.pages) == {"samples"}
    window.show_page(name)
    assert window.current_page() is window.pages[name]
    window.resize(1024, 640)
    assert (window.width(), window.height()) == (1024, 640)
    needed = window.pages[name].minimumSizeHint()
    assert needed.width() <= 1024 - 196, f"{name} needs {needed.width()} px"
    assert needed.height() <= 640 - 24, f"{name} needs {needed.height()} px"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_can_be_used_is_without_a_name(window: MainWindow, name: str) -> None:
    window.show_page(name)
    roles = (QAccessible.Role.Button, QAccessible.Role.EditableText, QAccessible.Role.ComboBox, QAccessible.Role.CheckBox,
             QAccessible.Role.Table, QAccessible.Role.List, QAccessible.Role.SpinBox, QAccessible.Role.Slider)  # fmt: skip
    nameless = []
    for widget in window.findChildren(QWidget):
        if widget.objectName().startswith("qt_"):
            continue
        face = QAccessible.queryAccessibleInterface(widget)
        if face is None or face.role() not in roles or isinstance(widget.parent(), QProgressBar):
            continue
        if not face.text(QAccessible.Text.Name) and not _inside_a_named_one(widget):
            nameless.append(f"{type(widget).__name__} {widget.objectName()!r} in {type(widget.parent()).__name__}")
    assert not nameless


def _inside_a_named_one(widget: QWidget) -> bool:
    """Qt's own parts: the line edit in a spin box, the list that drops from a combo box."""
    parent = widget.parentWidget()
    if parent is not None and isinstance(parent.parentWidget(), QComboBox):
        return True
    return parent is not None and type(widget).__module__.startswith("PySide6") and bool(parent.accessibleName())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_page_is_drawn_in_both_looks(window: MainWindow, name: str, look: str) -> None:
    window.context.theme.set_preference(look)  # type: ignore[arg-type]
    window.show_page(name)
    QApplication.processEvents()
    picture = window.grab().toImage()
    ground = picture.pixelColor(4, picture.height() // 2).name().upper()
    assert ground == window.context.theme.tokens.canvas
    colours = {picture.pixelColor(x, y).rgb() for x in range(200, 1270, 7) for y in range(10, 770, 7)}
    assert len(colours) > 10, "an empty page is no page"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_survives_its_own_end(window: MainWindow, name: str) -> None:
    window.show_page(name)
    page = window.pages[name]
    window.show_page("settings" if name != "settings" else "teacher")
    window.context.theme.toggle()
    QApplication.processEvents()
    assert shiboken6.isValid(page)


def test_the_names_that_scripts_rely_on_are_there(window: MainWindow) -> None:
    for name in DESIGNED:
        assert window.findChild(QWidget, name) is not None, name


def test_one_filled_button_a_page(window: MainWindow) -> None:
    page = window.pages["samples"]
    assert [one.objectName() for one in page.findChildren(QAbstractButton) if one.property("kind") == "primary"] == [
        "samplesTrain"
    ]


def test_the_rail_goes_to_pages_by_click_and_by_key(window: MainWindow, qtbot: QtBot) -> None:
    for spec in PAGES:
        button = window.findChild(QAbstractButton, spec.nav)
        assert button is not None
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert window.current_page() is window.pages[spec.name]
        assert button.isChecked()
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert window.current_page() is window.pages["samples"]


def test_tab_reaches_table_and_buttons_and_comes_round(window: MainWindow, qtbot: QtBot) -> None:
    seen = []
    page = window.pages["samples"]
    assert isinstance(page, SamplesPage)
    page.table.setFocus()
    for _ in range(80):
        at = window.focusWidget()
        assert at is not None
        if at in seen:
            break
        seen.append(at)
        qtbot.keyClick(at, Qt.Key.Key_Tab)
    names = {one.objectName() for one in seen}
    assert {"samplesTable", "sampleAccept", "samplesTrain", "searchField", "navSamples", "samplesImport"} <= names


def test_size_place_and_columns_are_remembered(
    window: MainWindow, context: AppContext, calm: Callable[[], None]
) -> None:
    window.resize(1024, 700)
    page = window.pages["samples"]
    assert isinstance(page, SamplesPage)
    page.table._want("tags", True)
    assert window.close()
    again = MainWindow(context)
    assert (again.width(), again.height()) == (1024, 700)
    other = again.pages["samples"]
    assert isinstance(other, SamplesPage)
    assert "tags" in other.table._wanted
    while context.tasks.busy():
        QApplication.processEvents()
    shiboken6.delete(again)


def test_a_window_that_was_on_a_screen_that_is_gone_comes_back(window: MainWindow, context: AppContext) -> None:
    window.move(QPoint(9000, 9000))
    state = window_state()
    state.setValue("geometry", window.saveGeometry())
    state.sync()
    again = MainWindow(context)
    assert any(screen.availableGeometry().intersects(again.frameGeometry()) for screen in QApplication.screens())
    while context.tasks.busy():
        QApplication.processEvents()
    shiboken6.delete(again)


def test_a_damaged_state_file_does_no_harm(workspace: Workspace, theme: Theme, qtbot: QtBot, own_folders: Path) -> None:
    folder = own_folders / "config"
    folder.mkdir(exist_ok=True)
    (folder / "window.ini").write_bytes(
        b"[General]\ngeometry=@ByteArray(\\x1)\n[samples]\nheader=7\ncolumns=x\nsplitter=\\xff"
    )
    context = AppContext(workspace, TaskRunner(workspace), Settings(), theme)
    window = MainWindow(context)
    qtbot.waitUntil(lambda: not context.tasks.busy())
    assert window.width() >= 1024
    shiboken6.delete(window)
    context.close()


def test_the_look_is_switched_and_kept(window: MainWindow, qtbot: QtBot) -> None:
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_L, keys)
    assert window.context.theme.tokens.dark
    assert load_settings().theme == "dark"
    window.show_page("settings")
    button = window.findChild(QAbstractButton, "theme_light")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert load_settings() == replace(window.context.settings, theme="light")


def test_a_problem_is_a_banner_on_the_page_in_front(window: MainWindow, context: AppContext) -> None:
    context.problem.emit(UserError("The disk is full.", "Free some space."))
    page = window.pages["samples"]
    assert isinstance(page, SamplesPage)
    assert page.banner.text == "The disk is full. Free some space."
    page.banner.clear()


def test_the_run_card_tells_of_the_run_and_leads_to_it(qtbot: QtBot, tmp_path: Path) -> None:
    card = RunCard()
    qtbot.addWidget(card)
    info = JobInfo("1", JobFolder(tmp_path), "train", "errgroup-lora", "running", "", "", 0.0, step=1240, total=3000)
    card.show_job(info)
    assert card.accessibleName() == "errgroup-lora: step 1,240 of 3,000"
    with qtbot.waitSignal(card.pressed):
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    card.show_job(None)
    assert card.isHidden()


def test_an_empty_workspace_says_what_to_do(tmp_path: Path, theme: Theme, qtbot: QtBot) -> None:
    from contextlib import closing

    from core.samples import edits, query

    workspace = open_workspace(tmp_path / "empty")
    with closing(workspace.connect()) as connection:
        edits.delete(connection, query.Query())
    context = AppContext(workspace, TaskRunner(workspace), Settings(), theme)
    window = MainWindow(context)
    window.show()
    page = window.pages["samples"]
    assert isinstance(page, SamplesPage)
    qtbot.waitUntil(lambda: page.stage.nothing.isVisible())
    assert page.stage.nothing.sentence == "No samples yet. Import a file, or drop one here."
    assert re.fullmatch(r"0 (samples|shown)", page.header.detail.text())
    while context.tasks.busy():
        QApplication.processEvents()
    window.close()
    shiboken6.delete(window)
    context.close()


def test_assistive_technology_opens_a_page_by_press_or_toggle(window: MainWindow, qtbot: QtBot) -> None:
    for nav, action in (("navTeacher", "Press"), ("navSettings", "Toggle")):
        button = window.findChild(QAbstractButton, nav)
        assert button is not None
        face = QAccessible.queryAccessibleInterface(button)
        assert face is not None
        actions = face.actionInterface()
        assert action in actions.actionNames()
        actions.doAction(action)
        qtbot.waitUntil(lambda nav=nav: window.current_page() is window.pages.get(nav.removeprefix("nav").lower()))


@pytest.mark.parametrize(("kind", "who"), [("judge", "The judge"), ("teacher", "The teacher")])
def test_what_ends_while_one_looks_elsewhere_is_said_with_a_way_there(
    kind: str, who: str, window: MainWindow, workspace: Workspace, qtbot: QtBot
) -> None:
    folder = create(workspace.jobs, kind, {}, title="Three samples")
    window.context.teacher.finished.emit(replace(info(folder), state="stopped"))
    assert window.toast.text == f"{who} has paused: Three samples"
    with qtbot.waitSignal(window.context.to_teacher.made) as wanted:
        window.toast.findChild(QAbstractButton).click()
    assert wanted.args == [folder.id]
