"""The problems of an evaluation: narrowed, sorted, and one of them read with its answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.evaluation.page import EvaluationPage
from app.evaluation.problem_view import marks
from app.evaluation.problems_view import ProblemsView
from core.evaluation.results import Candidate
from core.jobs import JobFolder
from tests.app.evaluation.test_page import ROWS, shown


@pytest.fixture
def view(evaluation: EvaluationPage, write: Callable[..., JobFolder], qtbot: QtBot) -> ProblemsView:
    """Four problems with two answers each: two pass, one passes, none passes, none has code and one was not judged."""
    shown(evaluation, qtbot, write("a", ROWS))
    return evaluation.view.problems


def listed(view: ProblemsView) -> list[str]:
    return [view.table.rows.row(place).cells[0].text for place in range(view.table.rows.rowCount())]


def test_each_problem_tells_how_many_of_its_answers_pass(view: ProblemsView) -> None:
    rows = [view.table.rows.row(place).cells for place in range(4)]
    assert [(row[0].text, row[1].text, row[1].tone) for row in rows] == [
        ("p00", "2 / 2", "good"), ("p01", "1 / 2", "warn"), ("p02", "0 / 2", "bad"), ("p03", "0 / 1", "bad"),
    ]  # fmt: skip
    assert [row[2].text for row in rows] == ["2 pass", "1 pass, 1 types", "1 panic, 1 wrong answer", "1 no code, 1 not judged"]  # fmt: skip
    assert view.table.accessibleName() == "Problems"


def test_filter_and_failed_only_and_bars_narrow_the_table(view: ProblemsView, qtbot: QtBot) -> None:
    qtbot.keyClicks(view.filter, "easy")
    assert listed(view) == ["p00", "p02"]
    view.filter.setText("p01 strings")
    assert listed(view) == ["p01"]
    view.filter.clear()
    qtbot.mouseClick(view.failed, Qt.MouseButton.LeftButton)
    assert listed(view) == ["p01", "p02", "p03"]
    assert view.failed.text() == "Failed only  3"
    cards = view.overview.cards
    cards["status"].press("panic")
    assert listed(view) == ["p02"]
    assert [bar.key for bar in cards["status"].bars if bar.chosen] == ["panic"]
    cards["topic"].press("maps")
    assert listed(view) == []
    assert view._nothing.isVisible()
    assert view._nothing.sentence == "None of the 4 problems fits."
    view.widen()
    assert listed(view) == ["p00", "p01", "p02", "p03"]
    assert not any(bar.chosen for bar in cards["status"].bars)


def test_the_chosen_problem_shows_its_answers_the_first_that_failed_in_front(view: ProblemsView, qtbot: QtBot) -> None:
    view.table.setFocus()
    qtbot.keyClick(view.table, Qt.Key.Key_Down)
    assert view.table.chosen == "mine/p01"
    problem = view.problem
    assert view.tabs.page is problem
    assert problem.picker.currentText() == "2 of 2 · Types"
    assert problem._verdict.text() == "Types: line 4: undefined: missing (0.01 s)"
    assert "missing" in problem.code.toPlainText()
    assert [(mark.line, mark.text) for mark in problem.code.marks] == [(4, "undefined: missing")]
    assert problem.answer.toPlainText().startswith("Here it is.")
    assert problem.prompt.toPlainText() == "Write Solve1, which adds 1 to a number."
    assert "return n + 1" in problem.reference.toPlainText()
    assert "TestSolve1" in problem.test.toPlainText()
    assert not problem.test.isVisible(), "the hidden test only on demand"
    qtbot.mouseClick(problem._previous, Qt.MouseButton.LeftButton)
    assert problem.picker.currentText() == "1 of 2 · Pass"
    assert problem._verdict.text() == "Pass: its hidden test passed. (0.01 s)"
    assert problem.code.marks == []


def test_more_answers_leave_the_one_that_is_read(view: ProblemsView) -> None:
    view.show_problem("mine/p02")
    found = view._contents
    assert found is not None
    view.problem.picker.setCurrentIndex(1)
    more = (*found.candidates["mine/p02"], Candidate("mine/p02", 2, "x", "x", "pass", "", False, 0.0))
    view.problem.show_problem(found.problems["mine/p02"], more, "mine")
    assert view.problem.picker.currentText() == "2 of 3 · Panic"


def test_only_complaints_about_the_answer_itself_are_marked_in_it() -> None:
    one = Candidate(
        "t", 0, "", "package p\n\nfunc F() {}\n", "types", "line 3: first; line 99: of the test", False, 0.0
    )
    assert [(mark.line, mark.text) for mark in marks(one)] == [(3, "first")]
    assert marks(Candidate("t", 0, "", "package p\n", "wrong_answer", "line 1: got 3", False, 0.0)) == []
