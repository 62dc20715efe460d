"""Two evaluations held against each other, and the leaderboard that they are chosen from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QStandardItemModel
from pytestqt.qtbot import QtBot

from app.evaluation.compare_view import CompareView
from app.evaluation.page import EvaluationPage
from core.evaluation import comparing
from core.jobs import JobFolder
from tests.app.evaluation.test_page import LONG, look, press, shown

Write = Callable[..., JobFolder]
BEFORE = [["pass"]] * 10 + [["wrong_answer"]] * 10
AFTER = [["pass"]] * 9 + [["types"]] + [["pass"]] * 9 + [["panic"]]


@pytest.fixture
def two(write: Write) -> tuple[JobFolder, JobFolder]:
    run = "/ws/jobs/20260101-train-ab/output/checkpoint-"
    return write("a/step-300", BEFORE, path=f"{run}300"), write("a/step-600", AFTER, path=f"{run}600")


def compared(page: EvaluationPage, qtbot: QtBot) -> CompareView:
    press(page, qtbot, "evaluationCompare")
    view = page.view.comparison
    qtbot.waitUntil(lambda: view.comparison is not None, timeout=LONG)
    return view


def test_the_sentence_the_verdict_and_the_flips_with_both_answers(
    evaluation: EvaluationPage, two: tuple[JobFolder, JobFolder], qtbot: QtBot
) -> None:
    shown(evaluation, qtbot, two[1])
    view = compared(evaluation, qtbot)
    found = view.comparison
    assert found is not None
    assert view.sentence.text() == comparing.sentence(found)
    assert view.sentence.text().startswith("pass@1 50.0 -> 90.0, +40.0 points, 95 % interval ")
    assert view.sentence.text().endswith(", 9 problems gained, 1 lost")
    assert view.verdict.text() == "Better"
    assert view.verdict.property("tone") == "good"
    assert view.sure.text() == "p = 0.021 (McNemar, exact), 20 problems"
    assert view.bar.accessibleName().startswith("Difference +40.0 points, 95 % interval ")
    assert view.flips.rows.rowCount() == 10
    assert view.flips.choose("mine/p09")
    cells = [cell.text for cell in view.flips.rows.row(view.flips.currentIndex().row()).cells]
    assert cells == ["p09", "Lost", "1 / 1", "0 / 1", "maps", "hard"]
    assert view.sides.left.accessibleName() == "a/step-300: pass"
    assert view.sides.right.accessibleName() == "a/step-600: types"
    assert "missing" in view.sides.right.toPlainText()
    assert "missing" not in view.sides.left.toPlainText()


def test_what_cannot_be_compared_is_grey_and_says_why(
    evaluation: EvaluationPage, two: tuple[JobFolder, JobFolder], write: Write, qtbot: QtBot
) -> None:
    write("p.jsonl", AFTER, mode="paper")
    write("q.jsonl", AFTER, suite="others")
    write("r.jsonl", AFTER[:4])
    shown(evaluation, qtbot, two[1])
    qtbot.waitUntil(lambda: len(evaluation.board.entries) == 5, timeout=LONG)
    view = compared(evaluation, qtbot)
    model = view.other.model()
    assert isinstance(model, QStandardItemModel)
    items = [model.item(place) for place in range(view.other.count())]
    assert [item.isEnabled() for item in items] == [True, False, False, False]
    assert view.other.currentText() == "a/step-300 on mine, pass@1 50.0 %"
    tips = " ".join(str(item.toolTip()) for item in items[1:])
    assert "in different modes (paper and fixed)" in tips
    assert "of different suites (others and mine)" in tips
    assert "have completions of different problems" in tips


def test_k_is_chosen_among_those_that_both_have(evaluation: EvaluationPage, write: Write, qtbot: QtBot) -> None:
    write("a", [["pass", "types", "types"], ["types"] * 3, ["pass"] * 3], path="/a")
    second = write("b", [["pass", "pass"], ["pass", "types"], ["pass"] * 2], path="/b")
    shown(evaluation, qtbot, second)
    view = compared(evaluation, qtbot)
    assert [view.k.itemText(place) for place in range(view.k.count())] == ["pass@1", "pass@2"]
    view.k.setCurrentIndex(1)
    qtbot.waitUntil(lambda: view.comparison is not None and view.comparison.k == 2, timeout=LONG)
    assert view.sentence.text().startswith("pass@2 ")
    assert "bootstrap" in view.sure.text()


def test_one_evaluation_alone_says_what_is_missing(evaluation: EvaluationPage, write: Write, qtbot: QtBot) -> None:
    shown(evaluation, qtbot, write("a", BEFORE))
    press(evaluation, qtbot, "evaluationCompare")
    view = evaluation.view.comparison
    assert view._nothing.isVisible()
    assert view._nothing.sentence.startswith("There is no other evaluation yet.")
    write("b", BEFORE, mode="paper")
    look(evaluation, qtbot)
    qtbot.waitUntil(lambda: "None of the others can be compared" in view._nothing.sentence, timeout=LONG)
    assert "different modes" in view._nothing.sentence


def test_equal_evaluations_are_no_evidence_of_a_difference(
    evaluation: EvaluationPage, write: Write, qtbot: QtBot
) -> None:
    write("a", BEFORE)
    shown(evaluation, qtbot, write("b", BEFORE))
    view = compared(evaluation, qtbot)
    assert view.verdict.text() == "No evidence of a difference"
    assert view._still.isVisible()
    assert not view.sides.isVisible()


def test_a_problem_that_the_other_one_did_not_answer_is_gained(
    evaluation: EvaluationPage, write: Write, qtbot: QtBot
) -> None:
    write("a", [["pass"], ["pass"], []])
    shown(evaluation, qtbot, write("b", [["pass"], ["pass"], ["pass"]]))
    view = compared(evaluation, qtbot)
    assert view.sentence.text().endswith("1 problem gained, 0 lost")
    assert [cell.text for cell in view.flips.rows.row(0).cells[1:4]] == ["Gained", "—", "1 / 1"]
    assert view.sides.left.accessibleName() == "a: no answer at hand"


def test_the_leaderboard_ranks_one_suite_and_compares_two_with_a_key(
    evaluation: EvaluationPage, two: tuple[JobFolder, JobFolder], write: Write, qtbot: QtBot
) -> None:
    starter = write("starter", [["types"]] * 20, path="/starter")
    write("p.jsonl", AFTER, mode="paper")
    shown(evaluation, qtbot, starter)
    qtbot.waitUntil(lambda: len(evaluation.board.entries) == 4, timeout=LONG)
    evaluation.context.commands.run("evaluation.leaderboard")
    board = evaluation.view.leaderboard
    rows = [[cell.text for cell in board.table.rows.row(place).cells] for place in range(board.table.rows.rowCount())]
    assert [(row[0], row[1], row[2], row[3], row[8]) for row in rows] == [
        ("a/step-600", "600", "1", "90.0 %", "20260101-train-ab"),
        ("a/step-300", "300", "1", "50.0 %", "20260101-train-ab"),
        ("starter", "", "1", "0.0 %", ""),
    ]
    assert "The best of many on the same suite is better there than elsewhere" in board._about.text()
    board.table.choose(two[1].id)
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    board.table.selectionModel().select(board.table.rows.index(1, 0), flags)
    board.table.setFocus()
    qtbot.keyClick(board.table, Qt.Key.Key_C)
    view = evaluation.view.comparison
    qtbot.waitUntil(lambda: view.isVisible() and view.comparison is not None, timeout=LONG)
    assert evaluation.view.job == two[1].id
    assert view.other.currentData() == two[0].id
    assert view.comparison is not None
    assert view.comparison.difference == pytest.approx(0.4)


def test_enter_opens_an_evaluation_of_the_leaderboard(
    evaluation: EvaluationPage, two: tuple[JobFolder, JobFolder], qtbot: QtBot
) -> None:
    shown(evaluation, qtbot, two[1])
    qtbot.waitUntil(lambda: len(evaluation.board.entries) == 2, timeout=LONG)
    press(evaluation, qtbot, "evaluationLeaderboard")
    board = evaluation.view.leaderboard
    board.table.choose(two[0].id)
    qtbot.keyClick(board.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: evaluation.view.job == two[0].id, timeout=LONG)
