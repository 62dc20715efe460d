"""The editor of recipes: a copy is edited with its prompts in view, what is broken is named and not saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.teacher.page import TeacherPage
from app.teacher.recipe_editor import RecipeEditor
from core.workspace import Workspace

LONG = 20_000


@pytest.fixture
def editor(teacher: TeacherPage, qtbot: QtBot) -> Iterator[RecipeEditor]:
    """Open on bug-fix, which is ours."""
    teacher.open_editor("bug-fix")
    found = teacher.editor.now
    assert found is not None
    qtbot.waitUntil(lambda: found.draft.name == "bug-fix" and found.draft.whole, timeout=LONG)
    yield found
    found.draft.revert()


@pytest.fixture
def place(workspace: Workspace) -> Path:
    """Where a copy lies."""
    return workspace.root / "recipes" / "bug-fix"


@pytest.fixture
def copied(editor: RecipeEditor, qtbot: QtBot) -> RecipeEditor:
    press(editor, qtbot, "recipeCopy")
    qtbot.waitUntil(lambda: editor.draft.own and editor.draft.whole, timeout=LONG)
    return editor


def press(root: QWidget, qtbot: QtBot, name: str) -> None:
    button = root.findChild(QAbstractButton, name)
    assert button is not None, name
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def show_file(editor: RecipeEditor, name: str) -> None:
    editor.file.setCurrentText(name)
    editor.file.activated.emit(editor.file.currentIndex())


def put(editor: RecipeEditor, change: Callable[[str], str]) -> None:
    editor.text.setPlainText(change(editor.text.toPlainText()))


def test_ours_can_be_read_and_not_typed_into(editor: RecipeEditor, place: Path) -> None:
    assert editor.list.currentItem().text() == "Bug-fix pairs"
    assert editor.file.currentText() == "recipe.toml"
    assert editor.text.isReadOnly()
    assert editor.examples.text.toPlainText().startswith("instruction, system")
    assert not editor.findChild(QPushButton, "recipeSave").isEnabled()
    assert not place.exists()


def test_a_copy_is_edited_with_its_prompts_in_view_and_saved_whole(
    copied: RecipeEditor, teacher: TeacherPage, place: Path, qtbot: QtBot
) -> None:
    assert copied.list.currentItem().text() == "Bug-fix pairs (yours)"
    show_file(copied, "instruction.j2")
    put(copied, lambda text: text + "Mention {{ bug.value }} nowhere.\n")
    qtbot.waitUntil(lambda: "nowhere." in copied.examples.text.toPlainText(), timeout=LONG)
    assert "nowhere" not in (place / "instruction.j2").read_text()
    with qtbot.waitSignal(copied.saved, timeout=LONG):
        press(copied, qtbot, "recipeSave")
    assert (place / "instruction.j2").read_text().endswith("nowhere.\n")
    assert not copied.draft.dirty
    assert [one.name for one in place.iterdir() if one.suffix not in (".j2", ".toml")] == []


def test_what_is_broken_is_named_with_file_and_line_and_cannot_be_saved(
    copied: RecipeEditor, place: Path, qtbot: QtBot
) -> None:
    show_file(copied, "solution.j2")
    put(copied, lambda text: "Fine so far.\n{{ nobody }}\n" + text)
    qtbot.waitUntil(lambda: "bug-fix/solution.j2, line 2: 'nobody' is undefined" in copied.banner.text, timeout=LONG)
    assert [mark.line for mark in copied.text.marks] == [2]
    assert not copied.findChild(QPushButton, "recipeSave").isEnabled()
    show_file(copied, "recipe.toml")
    put(copied, lambda text: text.replace("topic = ", "topc = ", 1) if "topic = " in text else "topc = 1\n" + text)
    qtbot.waitUntil(lambda: "recipe.toml, line" in copied.banner.text, timeout=LONG)
    assert "nobody" not in (place / "solution.j2").read_text()


def test_a_broken_place_in_another_file_is_one_press_away(copied: RecipeEditor, qtbot: QtBot) -> None:
    show_file(copied, "solution.j2")
    put(copied, lambda text: "{{ nobody }}\n" + text)
    show_file(copied, "recipe.toml")
    copied.draft.render()
    qtbot.waitUntil(lambda: any(one.text() == "Show solution.j2" for one in copied.banner._actions), timeout=LONG)
    qtbot.mouseClick(copied.banner._actions[0], Qt.MouseButton.LeftButton)
    assert copied.file.currentText() == "solution.j2"
    assert copied.text.textCursor().blockNumber() == 0


def test_back_to_ours_asks_and_removes_the_copy(copied: RecipeEditor, place: Path, qtbot: QtBot) -> None:
    press(copied, qtbot, "recipeOurs")
    box = copied.findChild(QMessageBox, "recipeBack")
    assert box is not None
    assert place.exists()
    press(box, qtbot, "recipeBackConfirm")
    qtbot.waitUntil(lambda: not copied.draft.own and copied.draft.whole, timeout=LONG)
    assert not place.exists()
    assert copied.list.currentItem().text() == "Bug-fix pairs"


def test_leaving_what_is_not_saved_asks_first(copied: RecipeEditor, qtbot: QtBot) -> None:
    show_file(copied, "instruction.j2")
    put(copied, lambda text: text + "More.\n")
    press(copied, qtbot, "recipeClose")
    box = copied.findChild(QMessageBox, "recipeDiscard")
    assert box is not None
    assert copied.isVisible()
    press(box, qtbot, "recipeDiscardConfirm")
    qtbot.waitUntil(lambda: not copied.isVisible())


def test_choosing_another_recipe_with_something_unsaved_asks_first(copied: RecipeEditor, qtbot: QtBot) -> None:
    show_file(copied, "instruction.j2")
    put(copied, lambda text: text + "More.\n")
    row = next(row for row in range(copied.list.count()) if copied.list.item(row).text() == "Explain")
    copied.list.setCurrentRow(row)
    assert copied.draft.name == "bug-fix"
    assert copied.list.currentItem().text() == "Bug-fix pairs (yours)"
    box = copied.findChild(QMessageBox, "recipeDiscard")
    assert box is not None
    press(box, qtbot, "recipeDiscardConfirm")
    qtbot.waitUntil(lambda: copied.draft.name == "explain", timeout=LONG)


def test_a_copy_that_somebody_broke_elsewhere_is_mended_here(
    teacher: TeacherPage, copied: RecipeEditor, place: Path, qtbot: QtBot
) -> None:
    copied.draft.close()
    copied.done(0)
    (place / "instruction.j2").write_text("{% if %}\n")
    teacher.open_editor("bug-fix")
    editor = teacher.editor.now
    assert editor is not None
    qtbot.waitUntil(lambda: "bug-fix/instruction.j2, line 1" in editor.banner.text, timeout=LONG)
    assert editor.draft.own
    show_file(editor, "instruction.j2")
    put(editor, lambda _text: "Write one about {{ bug.value }}.\n")
    with qtbot.waitSignal(editor.saved, timeout=LONG):
        qtbot.waitUntil(lambda: editor.findChild(QPushButton, "recipeSave").isEnabled(), timeout=LONG)
        press(editor, qtbot, "recipeSave")
    assert (place / "instruction.j2").read_text() == "Write one about {{ bug.value }}.\n"
