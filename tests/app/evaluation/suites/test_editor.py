"""The editor of a suite: a problem is written, checked in the sandbox, kept whole, and never lost without a question."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.evaluation.suites import SuitesDialog
from app.evaluation.suites.suite_editor import SuiteEditor
from core.evaluation import ours
from tests.app.evaluation.suites.conftest import GOOD, LONG
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

Press = Callable[..., None]


@pytest.fixture
def editor(suites: SuitesDialog, qtbot: QtBot) -> SuiteEditor:
    """Open on the workspace's own suite, “total-weight” in front."""
    mine = next(one for one in suites.overview.table.rows.rows if one.suite.name == "mine")
    suites.open_suite(mine, "total-weight")
    qtbot.waitUntil(lambda: suites.editor.draft.is_open, timeout=LONG)
    return suites.editor


def choose(editor: SuiteEditor, name: str) -> None:
    rows = editor.list.rows
    place = next(at for at, one in enumerate(rows.shown) if one.name == name)
    editor.list.setCurrentIndex(rows.index(place))


def change(editor: SuiteEditor, part: str, old: str, new: str) -> None:
    view = editor.pane.form.views[part]
    text = view.toPlainText()
    assert old in text
    view.setPlainText(text.replace(old, new))


def tried(editor: SuiteEditor, qtbot: QtBot) -> str:
    """What the check says."""
    with qtbot.waitSignal(editor.pane.tried, timeout=LONG):
        qtbot.mouseClick(editor.pane.check, Qt.MouseButton.LeftButton)
    return editor.pane.verdict.text


def test_the_bundled_suite_can_be_read_and_not_typed_into(suites: SuitesDialog, qtbot: QtBot) -> None:
    suites.open_suite(suites.overview.table.rows.rows[0])
    editor = suites.editor
    qtbot.waitUntil(lambda: editor.draft.is_open, timeout=LONG)
    assert all(view.isReadOnly() for view in editor.pane.form.views.values())
    name = editor.pane.form.fields["name"].editor
    assert isinstance(name, QLineEdit)
    assert name.isReadOnly()
    assert (editor.pane.save.isVisible(), editor.pane.remove.isVisible(), editor.new.isVisible()) == (
        False,
        False,
        False,
    )
    assert editor.copy.isVisible()
    assert editor.pane.check.isEnabled()


def test_a_problem_of_others_is_shown_as_it_is(suites: SuitesDialog, qtbot: QtBot, tmp_path: Path) -> None:
    suites.desk.add(problems.write(tmp_path / "published.jsonl", [problems.x_row(TASKS[0], 0)]))
    qtbot.waitUntil(lambda: len(suites.overview.table.rows.rows) == 3, timeout=LONG)
    suites.open_suite(suites.overview.table.rows.rows[2])
    editor = suites.editor
    qtbot.waitUntil(lambda: editor.draft.is_open, timeout=LONG)
    assert [one.name for one in editor.list.rows.all] == ["Go/0"]
    assert "func TotalWeight" in editor.pane.form.views["prompt"].toPlainText()
    assert "assert.Equal" in editor.pane.form.views["test"].toPlainText()
    assert not editor.pane.form.facts.isVisible()
    assert not editor.copy.isVisible()


def test_what_is_typed_is_kept_by_ctrl_s(editor: SuiteEditor, own: Path, qtbot: QtBot) -> None:
    assert not editor.pane.save.isEnabled()
    change(editor, "prompt", "adds the weights", "adds up the weights")
    assert editor.pane._note.text() == "Not saved."
    with qtbot.waitSignal(editor.pane.saved, timeout=LONG):
        qtbot.keyClick(editor.pane.form.views["prompt"], Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert (own / "parcels/total-weight.md").read_text() == GOOD.replace(
        "adds the weights", "adds up the weights"
    ).replace("---\n## Prompt", "---\n## Prompt")
    assert not editor.draft.dirty
    assert editor.pane._note.text() == f"Saved as {own}/parcels/total-weight.md."


def test_a_problem_is_renamed(editor: SuiteEditor, own: Path, qtbot: QtBot, press: Press) -> None:
    field = editor.pane.form.fields["name"].editor
    field.selectAll()
    qtbot.keyClicks(field, "weigh")
    with qtbot.waitSignal(editor.pane.saved, timeout=LONG):
        press(editor, "problemSave")
    qtbot.waitUntil(lambda: "weigh" in [one.name for one in editor.list.rows.all], timeout=LONG)
    assert sorted(path.stem for path in (own / "parcels").iterdir()) == ["broken", "shout-words", "weigh", "wrong-sum"]
    assert editor.list.currentIndex().data().startswith("weigh,")


def test_a_new_problem_says_what_it_lacks_and_is_written_when_it_is_whole(
    editor: SuiteEditor, own: Path, qtbot: QtBot, press: Press
) -> None:
    press(editor, "problemNew")
    form = editor.pane.form
    assert form.fields["topic"].read() == "parcels"
    form.views["prompt"].setPlainText("Add.\n\n## More\n")
    press(editor, "problemSave")
    qtbot.waitUntil(lambda: editor.pane.verdict.text == "It cannot be saved so.", timeout=LONG)
    assert form.fields["name"].note.text() == "It needs a name."
    assert [mark.line for mark in form.views["prompt"].marks] == [3]
    assert editor.pane.verdict.links[0].text() == "Name: it needs a name"
    tab = form.findChild(QPushButton, "problemTabPrompt")
    assert tab is not None
    assert tab.text() == "Prompt (2)"
    draft = ours.parse("mine", "x", problems.our_text(TASKS[2]))
    qtbot.keyClicks(form.fields["name"].editor, "total-weight")
    form.views["prompt"].setPlainText(draft.prompt)
    form.views["signature"].setPlainText(draft.signature)
    form.views["reference"].setPlainText(draft.solution)
    form.views["test"].setPlainText(draft.test)
    press(editor, "problemSave")
    qtbot.waitUntil(
        lambda: "There is a problem “total-weight” in this suite already" in editor.pane.banner.text, timeout=LONG
    )
    field = form.fields["name"].editor
    field.selectAll()
    qtbot.keyClicks(field, "ring-step")
    with qtbot.waitSignal(editor.pane.saved, timeout=LONG):
        press(editor, "problemSave")
    (made,) = [one for one in ours.load(own).problems if one.task == "mine/ring-step"]
    assert (made.entry_point, made.solution, made.topic) == ("RingStep", draft.solution, "parcels")


def test_a_sound_problem_is_told_so_and_marked_in_the_list(editor: SuiteEditor, qtbot: QtBot) -> None:
    assert re.fullmatch(
        r"The reference passes \(1 test, .*\d s\)\. The stub fails, as it should\.", tried(editor, qtbot)
    )
    item = lambda: next(one for one in editor.list.rows.all if one.name == "total-weight")  # noqa: E731
    qtbot.waitUntil(lambda: item().state == ("Sound", "good"), timeout=LONG)


def test_what_does_not_compile_is_marked_with_its_line(editor: SuiteEditor, qtbot: QtBot) -> None:
    change(editor, "reference", "return total", "return totl")
    assert tried(editor, qtbot) == "The reference does not compile."
    form = editor.pane.form
    assert [(mark.line, mark.text) for mark in form.views["reference"].marks] == [(10, "undefined: totl")]
    (link,) = editor.pane.verdict.links
    assert link.text() == "Reference, line 10: undefined: totl"
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    assert form.views["reference"].isVisible()
    assert form.views["reference"].textCursor().blockNumber() == 9
    change(editor, "reference", "return totl", "return total")
    assert form.views["reference"].marks == []
    change(editor, "test", '\t"reflect"\n', "")
    assert tried(editor, qtbot) == "The test does not compile, so nothing was run."
    assert [mark.line for mark in form.views["test"].marks] == [8, 11]


def test_a_reference_that_fails_can_be_kept_and_is_shown_as_not_sound(
    editor: SuiteEditor, own: Path, qtbot: QtBot, press: Press
) -> None:
    change(editor, "reference", "total += w", "total -= w")
    assert tried(editor, qtbot) == "The reference does not pass."
    assert [mark.text for mark in editor.pane.form.views["test"].marks] == ["TestTotalWeight: got -6"]
    with qtbot.waitSignal(editor.pane.saved, timeout=LONG):
        press(editor, "problemSave")
    item = lambda: next(one for one in editor.list.rows.all if one.name == "total-weight")  # noqa: E731
    qtbot.waitUntil(lambda: item().state == ("Not sound", "warn"), timeout=LONG)


def test_a_check_is_of_what_stood_there_when_it_began_and_can_be_stopped(editor: SuiteEditor, qtbot: QtBot) -> None:
    with qtbot.waitSignal(editor.pane.tried, timeout=LONG):
        qtbot.mouseClick(editor.pane.check, Qt.MouseButton.LeftButton)
        assert editor.pane.check.text() == "Stop"
        change(editor, "reference", "return total", "return totl")
    assert editor.pane.verdict.text.startswith("Before your last change: The reference passes")
    change(editor, "reference", "return totl", "for {\n}\nreturn totl")
    qtbot.mouseClick(editor.pane.check, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(editor.pane.check, Qt.MouseButton.LeftButton)
    assert editor.pane.verdict.text == "The check was stopped."
    qtbot.waitUntil(lambda: editor.draft.doing == "", timeout=LONG)
    assert editor.pane.verdict.text == "The check was stopped."


def test_another_problem_the_way_back_and_closing_ask_before_typed_text_is_lost(
    editor: SuiteEditor, suites: SuitesDialog, own: Path, qtbot: QtBot, answer: Any
) -> None:
    change(editor, "prompt", "TotalWeight adds", "It adds")
    ways = (lambda: choose(editor, "shout-words"), editor.back.click, suites.reject, editor.new.click)
    for way in ways:
        way()
        assert answer(editor, "problemLeave", "Cancel").startswith("Leave without saving?")
        assert suites.isVisible()
        assert editor.isVisible()
        assert editor.draft.draft.name == "total-weight"
        assert editor.pane.form.views["prompt"].toPlainText().startswith("It adds")
        assert editor.list.currentIndex().data().startswith("total-weight,")
    choose(editor, "shout-words")
    answer(editor, "problemLeave", "Confirm")
    assert editor.draft.draft.name == "shout-words"
    assert (own / "parcels/total-weight.md").read_text() == GOOD


def test_a_file_that_is_no_problem_is_mended_as_text(
    editor: SuiteEditor, own: Path, qtbot: QtBot, press: Press
) -> None:
    choose(editor, "broken")
    form = editor.pane.form
    assert form.text.isVisible()
    assert [(mark.line, mark.text[:21]) for mark in form.text.marks] == [(2, "there is no field “to")]
    form.text.setPlainText(GOOD.replace("topic: parcels", "topic:"))
    press(editor, "problemSave")
    qtbot.waitUntil(
        lambda: "broken.md:2: a line of the front matter is “key: value”" in editor.pane.banner.text, timeout=LONG
    )
    assert form.text.toPlainText() == GOOD.replace("topic: parcels", "topic:")
    form.text.setPlainText(GOOD)
    press(editor, "problemSave")
    qtbot.waitUntil(lambda: form.views["prompt"].isVisible(), timeout=LONG)
    assert (own / "parcels/broken.md").read_text() == GOOD
    assert editor.draft.draft.name == "broken"


def test_what_another_program_changed_is_not_overwritten_and_typed_text_stays(
    editor: SuiteEditor, own: Path, qtbot: QtBot, press: Press
) -> None:
    path = own / "parcels/total-weight.md"
    path.write_text(GOOD + "\n")
    change(editor, "prompt", "TotalWeight adds", "It adds")
    press(editor, "problemSave")
    qtbot.waitUntil(lambda: "was changed by another program" in editor.pane.banner.text, timeout=LONG)
    assert path.read_text() == GOOD + "\n"
    assert editor.pane.form.views["prompt"].toPlainText().startswith("It adds")
    assert editor.draft.dirty


def test_the_list_is_narrowed_by_words(editor: SuiteEditor, qtbot: QtBot) -> None:
    qtbot.keyClicks(editor.filter, "strings hard")
    assert [one.name for one in editor.list.rows.shown] == ["shout-words"]
    assert editor.draft.draft.name == "total-weight"
    editor.filter.clear()
    assert editor.list.currentIndex().data().startswith("total-weight,")


def test_a_problem_is_deleted_after_a_question(
    editor: SuiteEditor, own: Path, qtbot: QtBot, press: Press, answer: Any
) -> None:
    press(editor, "problemDelete")
    assert f"{own}/parcels/total-weight.md is removed" in answer(editor, "problemRemove", "Cancel")
    assert (own / "parcels/total-weight.md").exists()
    press(editor, "problemDelete")
    answer(editor, "problemRemove", "Confirm")
    qtbot.waitUntil(lambda: len(editor.list.rows.all) == 3, timeout=LONG)
    assert not (own / "parcels/total-weight.md").exists()
    assert editor.draft.draft.name == "broken"
