"""Go's opinion below an answer: five words, the first complaint, and a way to stop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from app.playground.verdict_bar import VerdictBar
from app.tasks import TaskRunner
from app.theme import Theme

CODE = "package a\n\nfunc Sum(a, b int) int { return a + b }\n"
TEST = (
    'package a\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Error("no")\n\t}\n}\n'
)


@pytest.fixture
def bar(theme: Theme, qtbot: QtBot, leaks_nothing: None) -> Iterator[VerdictBar]:
    tasks = TaskRunner(None)
    made = VerdictBar(theme, tasks)
    made.resize(640, 60)
    made.show()
    yield made
    made.cancel()
    shiboken6.delete(made)
    tasks.close()


def press(bar: VerdictBar, name: str, qtbot: QtBot) -> None:
    qtbot.mouseClick(bar.findChild(QAbstractButton, name), Qt.MouseButton.LeftButton)


def chips(bar: VerdictBar) -> list[str]:
    return [one.text() for one in bar.findChildren(QLabel) if one.objectName().startswith("verdict-") and one.isVisible()]  # fmt: skip


def test_a_press_asks_go_and_the_first_complaint_leads_to_its_line(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.set_answer(f"So:\n\n```go\n{CODE.replace('+ b', '+ c')}```\n\n```go\n{TEST}```\n")
    with qtbot.waitSignal(bar.checked, timeout=60_000):
        press(bar, "answerCheck", qtbot)
    assert chips(bar) == ["parse ✓", "format ✓", "types ✕", "vet –", "test –"]
    with qtbot.waitSignal(bar.line_wanted) as wanted:
        bar.findChild(QAbstractButton, "complaintGo").click()
    assert wanted.args == [6]
    assert bar.findChild(QLabel, "verdict-types").accessibleName() == "types fails"

    bar.set_answer(f"```go\n{CODE}```\n")
    assert chips(bar) == []
    assert bar.verdict is None


def test_in_a_narrow_column_every_word_is_whole(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.resize(250, 120)
    bar.set_answer(f"```go\n{CODE}```\n")
    with qtbot.waitSignal(bar.checked, timeout=60_000):
        press(bar, "answerCheck", qtbot)
    assert chips(bar)[:2] == ["parse ✓", "format ✓"]
    parts = [one for one in bar.findChildren(QLabel) if one.objectName().startswith("verdict-")]
    for part in (*parts, bar.findChild(QAbstractButton, "answerCheck")):
        assert part.width() >= part.sizeHint().width(), part.objectName()
        assert part.geometry().right() < 250, part.objectName()


def test_a_given_test_decides(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.set_answer(f"```go\n{CODE}```\n")
    bar.set_test(TEST)
    with qtbot.waitSignal(bar.checked, timeout=60_000):
        bar.check()
    assert chips(bar)[-1] == "test ✓"
    bar.set_test(TEST.replace("!= 3", "!= 4"))
    with qtbot.waitSignal(bar.checked, timeout=60_000):
        bar.check()
    assert chips(bar)[-1] == "test ✕"


def test_a_stopped_check_shows_nothing_and_may_begin_again(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.set_answer(f"```go\n{CODE}```\n")
    bar.check()
    assert bar.busy
    press(bar, "answerCheckStop", qtbot)
    assert not bar.busy
    assert bar.problem == ""
    with qtbot.waitSignal(bar.checked, timeout=60_000):
        bar.check()
    assert "no test" in bar.problem


def test_what_is_no_go_is_a_sentence_in_the_bar(bar: VerdictBar, qtbot: QtBot) -> None:
    bar.set_answer("I would rather not.")
    with qtbot.waitSignal(bar.failed, timeout=60_000):
        bar.check()
    assert "no Go code" in bar.problem
    assert bar.findChild(QAbstractButton, "answerCheck").isVisible()
