"""The Evaluation page: what it lists, what it says of a result, and what can be asked of a job."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.evaluation.page import EvaluationPage
from app.widgets.empty import EmptyState
from core.evaluation import results
from core.jobs import JobFolder, stop
from core.jobs.status import State
from core.workspace import Workspace

LONG = 20_000
Write = Callable[..., JobFolder]
ROWS = [["pass", "pass"], ["pass", "types"], ["wrong_answer", "panic"], ["extract", "sandbox_error"]]


def shown(page: EvaluationPage, qtbot: QtBot, folder: JobFolder) -> None:
    """Wait until this evaluation is on show."""
    look(page, qtbot)
    qtbot.waitUntil(lambda: page.jobs.rows.position(folder.id) is not None, timeout=LONG)
    page.jobs.select(folder.id)
    qtbot.waitUntil(lambda: page.view.job == folder.id and page.view.state is not None, timeout=LONG)
    qtbot.waitUntil(lambda: page.view.number.text() not in ("…", "No verdict yet"), timeout=LONG)
    if page.view.evaluation is not None:
        qtbot.waitUntil(lambda: page.board.entry(folder.id) is not None, timeout=LONG)


def look(page: EvaluationPage, qtbot: QtBot) -> None:
    """Have the page look at the folders now, not when it would of itself."""
    qtbot.waitUntil(lambda: page.context.jobs._reading is None, timeout=LONG)
    page.context.jobs.refresh()


def press(root: QWidget, qtbot: QtBot, name: str) -> None:
    button = root.findChild(QAbstractButton, name)
    assert button is not None, name
    qtbot.waitUntil(button.isEnabled, timeout=LONG)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_page_without_evaluations_says_what_to_do(evaluation: EvaluationPage, qtbot: QtBot) -> None:
    empty = evaluation.findChild(EmptyState)
    assert empty is not None
    assert empty.isVisible()
    assert empty.sentence.startswith("Nothing was evaluated yet.")
    assert evaluation.findChild(QAbstractButton, "evaluateStart") is not None


def test_rows_tell_pass_at_1_and_how_far_the_others_are(evaluation: EvaluationPage, write: Write, qtbot: QtBot) -> None:
    done = write("a/step-1", ROWS, path="/m")
    stopped = write("b", ROWS, done=False, state=State(state="stopped", attempt=1))
    stopped.events.write_text(json.dumps({"t": 1.0, "kind": "progress", "done": 3, "total": 8}) + "\n")
    look(evaluation, qtbot)
    qtbot.waitUntil(lambda: evaluation.jobs.rows.rowCount() == 2, timeout=LONG)
    rows = {row.job.id: row for row in (evaluation.jobs.rows.row(0), evaluation.jobs.rows.row(1))}
    assert (rows[done.id].word, rows[done.id].detail) == ("Done", "pass@1 37.5 %")
    assert (rows[stopped.id].word, rows[stopped.id].detail) == ("Stopped", "3 / 8")
    assert evaluation.header.detail.text() == "2 evaluations"


def test_the_headline_says_what_it_came_to_and_the_overview_what_is_to_be_known(
    evaluation: EvaluationPage, write: Write, qtbot: QtBot
) -> None:
    folder = write(
        "a", ROWS, path="/m", ks=(1,), settings={"cut_off": 2}, missing=("mine/p08", "mine/p09"),
        references={"mine/p01": "wrong_answer: got 3"}, flaky=("mine/p00",),
    )  # fmt: skip
    shown(evaluation, qtbot, folder)
    view = evaluation.view
    assert view.number.text() == "pass@1 37.5 %"
    assert view.about.text() == "95 % interval 0.0 to 84.4 · 62.5 % compile · 4 problems · mine, fixed"
    overview = view.problems.overview
    assert overview.facts.texts() == {"answers": "8", "cut": "2", "unjudged": "1", "seconds": "12 s"}
    assert overview.notes.text().splitlines() == [
        "2 problems have no answer and are left out: p08, p09.",
        "1 reference does not pass its own test: p01 (wrong answer: got 3).",
        "1 problem passes in one run and fails in another: p00.",
    ]
    bars = {bar.key: (bar.title, bar.value) for bar in overview.cards["status"].bars}
    assert bars["pass"] == ("Pass", "3")
    assert bars["extract"] == ("No code", "1")
    assert list(bars) == ["pass", "extract", "types", "panic", "wrong_answer", "sandbox_error"]
    assert [(bar.key, bar.value) for bar in overview.cards["difficulty"].bars] == [
        ("easy", "50.0 %"),
        ("hard", "25.0 %"),
    ]
    assert view.evaluation is not None
    assert view.evaluation.problems == 4


def test_a_suite_without_topics_shows_no_empty_card(evaluation: EvaluationPage, write: Write, qtbot: QtBot) -> None:
    shown(evaluation, qtbot, write("a", ROWS, topics=False))
    cards = evaluation.view.problems.overview.cards
    assert {what: card.isVisible() for what, card in cards.items()} == {"status": True, "topic": False, "difficulty": False}  # fmt: skip


def test_what_failed_says_why_and_can_be_resumed(
    evaluation: EvaluationPage, write: Write, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(state="failed", attempt=1, message="There is no Go toolchain.", hint="Install Go.")
    folder = write("a", [["pass"]] * 3, done=False, state=state)
    shown(evaluation, qtbot, folder)
    assert evaluation.view.banner.text == "There is no Go toolchain. Install Go."
    assert evaluation.view.number.text() == "3 of 3 pass so far"
    assert evaluation.view.evaluation is None
    asked: list[JobFolder] = []
    monkeypatch.setattr("app.evaluation.evaluation_actions.resume", asked.append)
    press(evaluation, qtbot, "evaluationResume")
    qtbot.waitUntil(lambda: asked == [folder], timeout=LONG)


def test_a_result_that_is_damaged_is_a_sentence(evaluation: EvaluationPage, write: Write, qtbot: QtBot) -> None:
    folder = write("a", [["pass"]])
    (folder.output / results.RESULT).write_text('{"form": 1}')
    look(evaluation, qtbot)
    qtbot.waitUntil(lambda: "is damaged" in evaluation.view.banner.text, timeout=LONG)
    assert evaluation.view.evaluation is None


def test_a_job_at_work_is_stopped_and_shows_how_long_it_will_take(
    evaluation: EvaluationPage, workspace: Workspace, begin_nap: Callable[..., JobFolder], qtbot: QtBot
) -> None:
    folder = begin_nap(workspace.jobs, "Evaluate a", kind="evaluate", steps=100_000)
    look(evaluation, qtbot)
    qtbot.waitUntil(
        lambda: evaluation.view.state is not None and evaluation.view.state.state == "running", timeout=LONG
    )
    assert evaluation.view.job == folder.id
    told = evaluation.view.status._facts
    qtbot.waitUntil(lambda: " of 100,000 · " in told.text() and told.text().endswith(" left"), timeout=LONG)
    press(evaluation, qtbot, "evaluationStop")
    qtbot.waitUntil(lambda: evaluation.view.state.state == "stopped", timeout=LONG)  # type: ignore[union-attr]
    assert evaluation.view.resume.isVisible()
    assert not evaluation.view.stop.isVisible()


def test_an_end_is_told_while_another_page_is_in_front(
    evaluation: EvaluationPage, workspace: Workspace, begin_nap: Callable[..., JobFolder], qtbot: QtBot
) -> None:
    folder = begin_nap(workspace.jobs, "Evaluate a", kind="evaluate", steps=100_000)
    look(evaluation, qtbot)
    qtbot.waitUntil(lambda: bool(evaluation._at_work), timeout=LONG)
    evaluation.hide()
    with qtbot.waitSignal(evaluation.context.noticed, timeout=LONG) as told:
        stop(folder)
    assert told.args[:2] == ["Evaluate a: stopped", "Show"]
    evaluation.show()


def test_an_evaluation_is_deleted_only_after_a_question(evaluation: EvaluationPage, write: Write, qtbot: QtBot) -> None:
    folder = write("a", [["pass"]])
    shown(evaluation, qtbot, folder)
    run = evaluation.context.commands.run
    for button, left in (("Cancel", True), ("evaluationDeleteConfirm", False)):
        run("evaluation.delete")
        box = next(one for one in evaluation.findChildren(QMessageBox) if one.isVisible())
        assert "Evaluate a on mine" in box.text()
        chosen = next(one for one in box.buttons() if button in (one.text(), one.objectName()))
        chosen.click()
        qtbot.waitUntil(lambda left=left: folder.path.exists() is left, timeout=LONG)
    qtbot.waitUntil(lambda: evaluation.jobs.rows.rowCount() == 0, timeout=LONG)


def test_the_result_can_be_taken_along(evaluation: EvaluationPage, write: Write, qtbot: QtBot, tmp_path: Path) -> None:
    folder = write("a", [["pass"]])
    shown(evaluation, qtbot, folder)
    menu = evaluation.findChild(QAbstractButton, "evaluationResult").menu()  # type: ignore[union-attr]
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == ["Copy the path of the result", "Open the folder of the result", "Save the result as…", "Delete the evaluation…"]  # fmt: skip
    evaluation.context.commands.run("evaluation.copy_path")
    path = folder.output / results.RESULT
    assert QGuiApplication.clipboard().text() == str(path)
    with qtbot.waitSignal(evaluation.actions_of_job.noted, timeout=LONG):
        evaluation.actions_of_job.save(tmp_path / "copy.json")
    assert (tmp_path / "copy.json").read_bytes() == path.read_bytes()
    with qtbot.waitSignal(evaluation.actions_of_job.commands.failed, timeout=LONG):
        evaluation.actions_of_job.save(tmp_path / "nowhere" / "copy.json")
    assert "cannot be written" in evaluation.banner.text


def test_others_add_a_tab_and_an_action_and_hear_of_another_result(
    evaluation: EvaluationPage, write: Write, qtbot: QtBot
) -> None:
    heard: list[object] = []
    view = evaluation.view
    view.evaluation_changed.connect(lambda: heard.append(view.evaluation))
    view.add_tab("evaluationMore", "More", QLabel("more"))
    action = QLabel("do")
    view.add_action(action)
    shown(evaluation, qtbot, write("a", ROWS))
    assert heard[-1] is view.evaluation
    press(evaluation, qtbot, "evaluationMore")
    assert isinstance(view.tabs.page, QLabel)
    assert action.isVisible()


def test_another_page_may_want_a_model_evaluated(context: AppContext, evaluation: EvaluationPage, qtbot: QtBot) -> None:
    context.to_evaluation.make("starter")
    assert evaluation.dialog.now is not None
    dialog = evaluation.dialog.now
    qtbot.waitUntil(lambda: dialog.subject.models.currentText() == "starter", timeout=LONG)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    QApplication.processEvents()
    assert evaluation.dialog.now is None
