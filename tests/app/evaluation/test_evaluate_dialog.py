"""The dialog that starts an evaluation: everything is checked while it is typed, and what it starts is what was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.evaluation.evaluate_dialog import EvaluateDialog
from app.evaluation.page import EvaluationPage
from core.evaluation import contents, results
from core.jobs import JobFolder, control
from core.jobs.folder import read_job
from core.jobs.process import members
from core.samples import contamination
from core.workspace import Workspace
from tests.app.evaluation.test_page import LONG, press, shown
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

pytestmark = pytest.mark.timeout(240)
JOURNEY = 200_000


@pytest.fixture
def space(workspace: Workspace, tmp_path: Path, eventually: Callable[..., None]) -> object:
    """The workspace with a private suite and two that were added, one of them in Python; what was started is gone at the end."""
    texts = {f"p{at}": problems.our_text(task, difficulty=("easy", "hard")[at % 2]) for at, task in enumerate(TASKS)}
    problems.write_ours(workspace.suites / "mine", texts)
    published = problems.write(tmp_path / "published.jsonl", [problems.x_row(one, at) for at, one in enumerate(TASKS)])
    with closing(workspace.connect()) as connection:
        contamination.add_suite(connection, published)
        contamination.add_suite(connection, problems.write(tmp_path / "python.jsonl", [problems.humaneval()]))
    yield workspace
    for entry in workspace.jobs.glob("*-evaluate*"):
        folder = JobFolder(entry)
        control.kill(folder)
        eventually(lambda folder=folder: not members(folder.path), what="processes left behind")


@pytest.fixture
def dialog(space: Workspace, evaluation: EvaluationPage, qtbot: QtBot) -> EvaluateDialog:
    press(evaluation, qtbot, "evaluateStart")
    made = evaluation.dialog.now
    assert made is not None
    qtbot.waitUntil(lambda: made.subject.model != "" and made.suites.suite is not None, timeout=LONG)
    return made


def retype(dialog: EvaluateDialog, qtbot: QtBot, name: str, text: str) -> None:
    line = dialog.findChild(QLineEdit, name)
    assert line is not None, name
    line.selectAll()
    qtbot.keyClicks(line, text) if text else qtbot.keyClick(line, Qt.Key.Key_Delete)


def choose_suite(dialog: EvaluateDialog, reference: str) -> None:
    place = dialog.suites.box.findData(reference)
    assert place >= 0, reference
    dialog.suites.box.setCurrentIndex(place)


def text_of(dialog: EvaluateDialog, name: str) -> str:
    found = dialog.findChild(QLabel, name)
    assert found is not None, name
    return found.text()


def completions(path: Path, texts: dict[str, list[str]]) -> Path:
    rows = [{"task_id": task, "completion": text} for task, some in texts.items() for text in some]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_suites_and_modes_are_offered_as_far_as_they_fit(dialog: EvaluateDialog) -> None:
    box = dialog.suites.box
    texts = [box.itemText(place) for place in range(box.count())]
    assert texts == ["workshop (comes along)", "mine (your own)", "published (added)", "python (added)"]
    assert [box.model().flags(box.model().index(place, 0)) & Qt.ItemFlag.ItemIsEnabled for place in (2, 3)] == [Qt.ItemFlag.ItemIsEnabled, Qt.ItemFlag.NoItemFlags]  # fmt: skip
    assert "Python" in str(box.itemData(3, Qt.ItemDataRole.ToolTipRole))
    mode = dialog.form.mode
    assert [mode.itemData(place) for place in range(mode.count())] == ["fixed"]
    choose_suite(dialog, "published")
    assert [mode.itemData(place) for place in range(mode.count())] == ["fixed", "paper"]
    asked = dialog.findChild(QComboBox, "evaluateAsked")
    assert asked is not None
    assert asked.isEnabled()
    mode.setCurrentIndex(1)
    assert not asked.isEnabled(), "in the mode paper every model goes on from the signature"


def test_what_is_wrong_is_said_at_its_field_while_it_is_typed(dialog: EvaluateDialog, qtbot: QtBot) -> None:
    fields = dialog.form.fields
    choose_suite(dialog, "mine")
    assert dialog.start.isEnabled()
    assert text_of(dialog, "evaluateNote") == "4 problems, 4 answers."
    retype(dialog, qtbot, "evaluateSamples", "5")
    assert text_of(dialog, "evaluateNote") == "4 problems, 20 answers."
    assert "is found 48 % of the time" in text_of(dialog, "evaluateWorth")
    for name, key, text, said in (
        ("evaluateK", "k", "1,10", "pass@10 needs 10 samples of each problem"),
        ("evaluateTemperature", "temperature", "0", "all 5 samples of a problem are the same"),
        ("evaluateTopP", "top_p", "7", "out of range"),
        ("evaluateMaxTokens", "max_tokens", "many", "must be a number"),
        ("evaluateSeconds", "seconds", "0", "Give 1 to 600 seconds."),
    ):
        retype(dialog, qtbot, name, text)
        assert said in fields[key].note.text()
        assert fields[key].note.isVisible()
        assert not dialog.start.isEnabled()
        retype(dialog, qtbot, name, {"k": "1,5", "seconds": "10"}.get(key, ""))
        assert not fields[key].note.isVisible()
        assert dialog.start.isEnabled()


def test_a_file_that_does_not_fit_says_so_at_its_field(dialog: EvaluateDialog, qtbot: QtBot, tmp_path: Path) -> None:
    press(dialog, qtbot, "evaluateOfFile")
    choose_suite(dialog, "mine")
    assert text_of(dialog, "evaluateNote") == "Choose a file of completions."
    assert not dialog.form.fields["samples"].editor.isVisible()
    retype(dialog, qtbot, "evaluateFile", str(tmp_path / "none.jsonl"))
    qtbot.waitUntil(lambda: "cannot be read" in dialog.subject._file.note.text(), timeout=LONG)
    file = completions(tmp_path / "c.jsonl", {"mine/p0": ["x"], "mine/p9": ["y"]})
    retype(dialog, qtbot, "evaluateFile", str(file))
    qtbot.waitUntil(lambda: "c.jsonl:2: the suite has no problem “mine/p9”" in dialog.subject._file.note.text(), timeout=LONG)  # fmt: skip
    assert not dialog.start.isEnabled()
    completions(file, {"mine/p0": ["x", "z"], "mine/p1": ["y"]})
    retype(dialog, qtbot, "evaluateK", "1,2")
    qtbot.waitUntil(lambda: "pass@2 needs 2 verdicts a problem" in dialog.form.fields["k"].note.text(), timeout=LONG)
    retype(dialog, qtbot, "evaluateK", "1")
    qtbot.waitUntil(dialog.start.isEnabled, timeout=LONG)
    assert text_of(dialog, "evaluateNote") == "3 completions of 2 problems; 2 problems without one."


def test_a_suite_from_a_file_is_offered_and_its_bad_rows_are_named(
    dialog: EvaluateDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog.suites.open_file(tmp_path / "none.jsonl")
    qtbot.waitUntil(lambda: "no suite" in text_of(dialog, "evaluateSuiteAbout"), timeout=LONG)
    file = problems.write(tmp_path / "own.jsonl", [problems.x_row(TASKS[0], 0), "{"])
    dialog.suites.open_file(file)
    qtbot.waitUntil(lambda: dialog.suites.box.currentText() == "own (from a file)", timeout=LONG)
    assert text_of(dialog, "evaluateSuiteAbout").startswith("1 problem, HumanEval-X. 1 row left out: 2: ")


def test_what_cannot_start_is_said_in_the_dialog(
    dialog: EvaluateDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GOROOT", "")
    dialog.subject.models.addItem("gone", str(tmp_path / "gone"))
    dialog.subject.models.setCurrentIndex(dialog.subject.models.count() - 1)
    press(dialog, qtbot, "evaluateBegin")
    qtbot.waitUntil(lambda: dialog.banner.text != "", timeout=LONG)
    assert dialog.isVisible()
    assert dialog.start.isEnabled()


@pytest.mark.slow
def test_ready_made_answers_are_judged_by_go_from_dialog_to_comparison(
    dialog: EvaluateDialog, evaluation: EvaluationPage, go_ready: None, qtbot: QtBot, tmp_path: Path
) -> None:
    broken = "    return undefinedName\n}\n"
    first = {f"mine/p{at}": [TASKS[at].wrong, broken] for at in range(len(TASKS))}
    better = {f"mine/p{at}": [TASKS[at].body, TASKS[at].body if at else broken] for at in range(len(TASKS))}
    found: list[str] = []
    for place, texts in enumerate((first, better)):
        if place:
            press(evaluation, qtbot, "evaluateStart")
            assert evaluation.dialog.now is not None
            dialog = evaluation.dialog.now
            qtbot.waitUntil(lambda dialog=dialog: dialog.suites.suite is not None, timeout=LONG)
            assert dialog.suites.suite is not None
            assert dialog.suites.suite.name == "mine", "begins with the suite of the last one"
        press(dialog, qtbot, "evaluateOfFile")
        choose_suite(dialog, "mine")
        file = completions(tmp_path / f"{place}.jsonl", texts)
        retype(dialog, qtbot, "evaluateFile", str(file))
        retype(dialog, qtbot, "evaluateK", "1,2")
        qtbot.waitUntil(dialog.start.isEnabled, timeout=LONG)
        with qtbot.waitSignal(dialog.job_started, timeout=LONG) as started:
            press(dialog, qtbot, "evaluateBegin")
        found.append(started.args[0])
        qtbot.waitUntil(lambda: evaluation.view.job == found[-1], timeout=LONG)
        qtbot.waitUntil(lambda: evaluation.view.evaluation is not None, timeout=JOURNEY)
    view = evaluation.view
    assert view.number.text() == "pass@1 87.5 %"
    assert view.problems.show_problem("mine/p0")
    problem = view.problems.problem
    assert problem.picker.currentText() == "2 of 2 · Types"
    assert problem.code.marks, "the complaint stands at its line"
    mark = problem.code.marks[0]
    assert "undefinedName" in problem.code.document().findBlockByNumber(mark.line - 1).text()
    press(evaluation, qtbot, "evaluationCompare")
    qtbot.waitUntil(lambda: view.comparison.comparison is not None, timeout=LONG)
    assert view.comparison.sentence.text().startswith("pass@1 0.0 -> 87.5, +87.5 points")
    assert view.comparison.sentence.text().endswith("3 problems gained, 0 lost")


@pytest.mark.slow
def test_the_starter_is_evaluated_from_dialog_to_result(
    dialog: EvaluateDialog, evaluation: EvaluationPage, space: Workspace, go_ready: None, qtbot: QtBot
) -> None:
    for slug in ("p2", "p3"):
        (space.suites / "mine" / "parcels" / f"{slug}.md").unlink()
    choose_suite(dialog, "mine")
    for name, text in (
        ("evaluateSamples", "2"),
        ("evaluateK", "1,2"),
        ("evaluateMaxTokens", "16"),
        ("evaluateSeed", "5"),
    ):
        retype(dialog, qtbot, name, text)
    with qtbot.waitSignal(dialog.job_started, timeout=LONG) as started:
        press(dialog, qtbot, "evaluateBegin")
    folder = JobFolder(space.jobs / started.args[0])
    asked = read_job(folder).request
    assert (asked["model"], asked["k"], asked["settings"]["samples"]) == ("starter", [1, 2], 2)
    assert asked["settings"]["sampling"]["seed"] == 5
    qtbot.waitUntil(lambda: evaluation.view.evaluation is not None, timeout=JOURNEY)
    assert contents.read(folder).candidate_count == 4
    assert set(results.read(folder.output).pass_at) == {1, 2}
    assert evaluation.view.problems.overview.facts.texts()["answers"] == "4"
    shown(evaluation, qtbot, folder)
    press(evaluation, qtbot, "evaluateStart")
    again = evaluation.dialog.now
    assert again is not None
    assert again.form.fields["samples"].read() == 2
    assert again.form.fields["seed"].read() == ""


def test_a_dialog_button_says_what_it_is(dialog: EvaluateDialog) -> None:
    for button in dialog.findChildren(QAbstractButton):
        assert button.accessibleName() or button.text() or "qt_" in button.objectName(), button
