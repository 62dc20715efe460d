"""Mending a sample: its diff, Go's opinion while typing, saving, and a draft that is never lost by accident."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.samples.page import SamplesPage
from app.widgets.code_view import CodeView
from app.window import MainWindow
from core.golang.checker import Diagnostic
from core.samples import edits, store
from core.workspace import Workspace

CONTROL = Qt.KeyboardModifier.ControlModifier
Calm = Callable[[], None]


@pytest.fixture
def editor(page: SamplesPage, qtbot: QtBot) -> CodeView:
    """The editor on the first sample, opened with E; Go stays out of it."""
    page.checker.close()
    qtbot.keyClick(page.table, Qt.Key.Key_E)
    assert page.detail.editing
    return page.detail.edit.editor


@pytest.fixture
def checked_editor(go_ready: None, page: SamplesPage, qtbot: QtBot) -> Iterator[CodeView]:
    """The same, with Go looking over one's shoulder."""
    qtbot.keyClick(page.table, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: page.detail.edit.verdict is not None, timeout=30_000)
    yield page.detail.edit.editor
    page.checker.close()


def type_lines(editor: CodeView, qtbot: QtBot, *lines: str) -> None:
    """Each on a line of its own at the end of the code."""
    editor.moveCursor(QTextCursor.MoveOperation.End)
    for line in lines:
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        qtbot.keyClicks(editor, line)


def response(workspace: Workspace, sample_id: int) -> str:
    with closing(workspace.connect(readonly=True)) as connection:
        return store.sample(connection, sample_id).response


def click(page: SamplesPage, name: str, qtbot: QtBot) -> None:
    button = page.findChild(QPushButton, name)
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def press_action(page: SamplesPage, text: str, qtbot: QtBot) -> None:
    """An action of the banner."""
    button = next(one for one in page.banner.findChildren(QPushButton) if one.text() == text and one.isVisible())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_change_is_shown_as_a_diff_and_saved_with_ctrl_enter(
    page: SamplesPage, editor: CodeView, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    first = page.model.ids[0]
    before = response(workspace, first)
    assert not page.detail.edit.diff.isVisible()
    qtbot.keyClicks(editor, "// mended")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.detail.edit.diff.changed_lines == (1, 0))
    assert page.detail.edit.diff.isVisible()
    qtbot.keyClick(editor, Qt.Key.Key_Return, CONTROL)
    calm()
    after = response(workspace, first)
    assert "// mended\npackage" in after
    assert after.replace("// mended\n", "") == before, "only the code block changed"
    assert not page.detail.editing
    assert page.window().focusWidget() is page.table
    assert page.detail.view.code.toPlainText().startswith("// mended\npackage")


def test_an_edit_is_undone_like_everything_else(
    page: SamplesPage, editor: CodeView, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    first = page.model.ids[0]
    before = response(workspace, first)
    qtbot.keyClicks(editor, "// x ")
    qtbot.keyClick(editor, Qt.Key.Key_Return, CONTROL)
    calm()
    qtbot.keyClick(page.table, Qt.Key.Key_U)
    calm()
    assert response(workspace, first) == before
    assert not page.detail.view.code.toPlainText().startswith("// x")


def test_letters_typed_into_the_editor_are_no_decisions(
    page: SamplesPage, editor: CodeView, statuses: Callable[[list[int]], list[str]], qtbot: QtBot, calm: Calm
) -> None:
    qtbot.keyClicks(editor, "arnjku12?/")
    qtbot.keyClick(editor, Qt.Key.Key_Z, CONTROL)
    calm()
    assert statuses(list(page.model.ids[:3])) == ["new"] * 3
    page.review.discard_edit()


def test_the_whole_answer_can_be_edited(
    page: SamplesPage, editor: CodeView, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    first = page.model.ids[0]
    qtbot.keyClicks(editor, "// from code ")
    click(page, "editAnswer", qtbot)
    assert "```go\n// from code package" in editor.toPlainText(), "a draft survives the change of view"
    qtbot.keyClicks(editor, "Short: ")
    qtbot.keyClick(editor, Qt.Key.Key_Return, CONTROL)
    calm()
    after = response(workspace, first)
    assert after.startswith("Short: ")
    assert "// from code package" in after


def test_without_a_change_escape_simply_leaves(page: SamplesPage, editor: CodeView, qtbot: QtBot) -> None:
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not page.detail.editing
    assert page.banner.text == ""


def test_a_draft_holds_its_sample_until_one_decides(
    page: SamplesPage, editor: CodeView, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    first = page.model.ids[0]
    qtbot.keyClicks(editor, "// draft ")
    for leave in (
        lambda: qtbot.keyClick(editor, Qt.Key.Key_Escape),
        lambda: page.table.choose(5),
        lambda: page.table.step(1),
    ):
        leave()
        assert page.detail.editing
        assert page.table.currentIndex().row() == 0
        assert page.banner.text == f"Sample {first} has changes that are not saved."
        press_action(page, "Go on editing", qtbot)
    page.search_for("topic:time")
    calm()
    assert page.detail.editing
    assert editor.toPlainText().startswith("// draft ")
    page.review.cancel_edit()
    press_action(page, "Discard", qtbot)
    calm()
    assert not page.detail.editing
    assert "// draft" not in response(workspace, first)


def test_a_draft_stays_in_sight_when_nothing_matches(
    page: SamplesPage, editor: CodeView, qtbot: QtBot, calm: Calm
) -> None:
    qtbot.keyClicks(editor, "// draft ")
    page.search_for("nosuchword")
    calm()
    assert editor.isVisible()
    page.review.discard_edit()
    assert page.stage.no_match.isVisible()


def test_a_draft_keeps_the_window_open(
    window: MainWindow, page: SamplesPage, editor: CodeView, qtbot: QtBot, calm: Calm
) -> None:
    qtbot.keyClicks(editor, "// draft ")
    window.show_page("settings")
    assert not window.close()
    assert window.isVisible()
    assert window.current_page() is page
    press_action(page, "Save", qtbot)
    calm()
    assert window.close()


def test_a_sample_that_somebody_else_changed_is_not_overwritten(
    page: SamplesPage, editor: CodeView, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    first = page.model.ids[0]
    with closing(workspace.connect()) as connection:
        edits.edit(connection, first, "Theirs.", base_version=store.sample(connection, first).version)
    qtbot.keyClicks(editor, "// mine ")
    qtbot.keyClick(editor, Qt.Key.Key_Return, CONTROL)
    calm()
    assert "changed by someone else" in page.banner.text
    assert page.detail.editing, "the text is still there to be copied"
    assert editor.toPlainText().startswith("// mine ")
    assert response(workspace, first) == "Theirs."
    page.review.discard_edit()


def test_go_looks_at_the_draft_and_its_verdict_is_stored_with_the_version(
    page: SamplesPage, checked_editor: CodeView, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    first, edit = page.model.ids[0], page.detail.edit
    assert edit._opinion.text() == "✓ Go has no complaint."
    type_lines(checked_editor, qtbot, "func broken() { return undefinedName }")
    qtbot.waitUntil(lambda: "✕ types" in edit._opinion.text(), timeout=20_000)
    assert checked_editor.marks[0].line == checked_editor.blockCount()
    qtbot.keyClick(checked_editor, Qt.Key.Key_Return, CONTROL)
    calm()
    with closing(workspace.connect(readonly=True)) as connection:
        stored = store.sample(connection, first)
    assert (stored.verdict.parse, stored.verdict.types) == ("pass", "fail")
    assert page.detail._verdict.text().startswith("Go: parse ✓")
    assert page.detail.view.code.marks


def test_gofmt_is_one_button(page: SamplesPage, checked_editor: CodeView, qtbot: QtBot) -> None:
    type_lines(checked_editor, qtbot, "func   spaced( )  {}")
    button = page.findChild(QPushButton, "editFormat")
    assert button is not None
    qtbot.waitUntil(button.isEnabled, timeout=20_000)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert checked_editor.toPlainText().endswith("func spaced() {}")
    qtbot.keyClick(checked_editor, Qt.Key.Key_Z, CONTROL)
    assert checked_editor.toPlainText().endswith("func   spaced( )  {}"), "formatting is one step back"
    page.review.discard_edit()


def test_the_first_complaint_is_where_one_starts(
    page: SamplesPage, context: AppContext, give_verdicts: Callable[..., None], qtbot: QtBot
) -> None:
    first = page.model.ids[0]
    give_verdicts([first], {"parse": "pass", "types": "fail"}, Diagnostic("types", 5, 1, "undefined: x"))
    page.front.show(first)
    page.checker.close()
    qtbot.keyClick(page.table, Qt.Key.Key_E)
    assert page.detail.edit.editor.textCursor().blockNumber() == 4
    page.review.discard_edit()


def test_without_go_one_can_still_edit(
    page: SamplesPage, workspace: Workspace, qtbot: QtBot, calm: Calm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.errors import UserError
    from core.golang.checker import Checker

    def no_go(*_: object) -> object:
        raise UserError("There is no Go toolchain from 1.22 on.", "Install one.")

    monkeypatch.setattr(Checker, "check", no_go)
    qtbot.keyClick(page.table, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: "no Go toolchain" in page.detail.edit._opinion.text())
    qtbot.keyClicks(page.detail.edit.editor, "// ok ")
    qtbot.keyClick(page.detail.edit.editor, Qt.Key.Key_Return, CONTROL)
    calm()
    assert "// ok package" in response(workspace, page.model.ids[0])
