"""The Teacher page: jobs as they run, pause, go on and end, with their samples in the workspace; asked as a person would."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.teacher.page import TeacherPage
from app.widgets.empty import EmptyState
from core.jobs import JobFolder
from core.samples import query
from core.workspace import Workspace

Launch = Callable[..., JobFolder]
LONG = 40_000


def press(root: QWidget, qtbot: QtBot, name: str) -> None:
    button = root.findChild(QAbstractButton, name)
    assert button is not None, name
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def wait_for(page: TeacherPage, qtbot: QtBot, job: JobFolder, state: str) -> None:
    page.jobs.select(job.id)

    def reached() -> None:
        assert page.view.frame.state is not None
        assert page.view.frame.state.id == job.id
        assert page.view.frame.state.state == state, (page.view.frame.state, job.log.read_text())

    qtbot.waitUntil(reached, timeout=LONG)


def count(workspace: Workspace, text: str) -> int:
    with closing(workspace.connect(readonly=True)) as connection:
        return query.count(connection, query.parse(text))


def test_before_the_first_job_the_page_says_what_to_do(teacher: TeacherPage, qtbot: QtBot) -> None:
    empty = teacher.findChild(EmptyState)
    assert empty is not None
    assert empty.isVisible()
    assert empty.sentence.startswith("No samples were asked for yet.")
    qtbot.mouseClick(empty.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert teacher.dialog.now is not None


def test_one_filled_button_on_the_page(teacher: TeacherPage) -> None:
    filled = [one.objectName() for one in teacher.findChildren(QAbstractButton) if one.property("kind") == "primary"]
    assert filled == ["teacherNew"]


@pytest.mark.slow
def test_a_job_streams_its_samples_into_the_workspace_and_the_page_tells_where_it_stands(
    teacher: TeacherPage, launch: Launch, workspace: Workspace, qtbot: QtBot
) -> None:
    job = launch()
    wait_for(teacher, qtbot, job, "done")
    qtbot.waitUntil(lambda: count(workspace, f"job:{job.id}") == 6, timeout=LONG)
    assert count(workspace, f"job:{job.id} tag:verified") == 5  # four, and the fix of one of them
    facts = teacher.view.frame.facts.texts()
    assert {name: facts[name] for name in ("verified", "unverified", "refused", "failed")} == {
        "verified": "4", "unverified": "1", "refused": "0", "failed": "1",
    }  # fmt: skip
    course = teacher.view.course
    assert course is not None
    assert facts["spent"] == f"${course.standing.cost_usd:.4f}"
    assert facts["each"] == f"${course.standing.cost_usd / 4:.4f}"
    assert "left" not in facts
    row = teacher.jobs.rows.row(0)
    assert row.detail == f"6 / 6 · {facts['spent']}"
    assert teacher.view.charts.speed.accessibleDescription().startswith("Samples / min: ")
    assert teacher.view.charts.money.accessibleDescription() == f"Dollars: {facts['spent']}"


@pytest.mark.slow
def test_samples_come_in_though_nobody_opened_the_page_and_once_though_the_window_was_closed(
    context: AppContext, launch: Launch, workspace: Workspace, qtbot: QtBot
) -> None:
    job = launch(samples=4)
    context.jobs.start()
    with qtbot.waitSignal(context.teacher.finished, timeout=LONG):
        pass
    taken = count(workspace, f"job:{job.id}")
    assert taken == 4
    context.jobs._jobs.clear()  # what a new window knows
    with qtbot.waitSignal(context.jobs.job_ended, timeout=LONG):
        context.jobs.refresh()
    qtbot.waitUntil(lambda: not context.tasks.busy())
    assert count(workspace, f"job:{job.id}") == taken


@pytest.mark.slow
def test_out_of_quota_pauses_with_its_sentence_and_goes_on_with_another_budget_paying_nothing_twice(
    teacher: TeacherPage, launch: Launch, workspace: Workspace, qtbot: QtBot
) -> None:
    job = launch(quota=5)
    wait_for(teacher, qtbot, job, "stopped")
    assert teacher.view.frame.head.banner.text.startswith("The account's quota is used up. Resume it")
    (job.path / "quota").unlink()
    before = [line.split()[0] for line in (job.path / "asked").read_text().splitlines()]
    press(teacher, qtbot, "teacherResume")
    qtbot.waitUntil(lambda: teacher.actions_of_job._question is not None)
    question = teacher.actions_of_job._question
    assert question is not None
    assert question.dollars.read() == 5
    question.dollars.write("nothing")
    press(question, qtbot, "budgetResume")
    assert question.dollars.note.text() == "Must be a number above 0."
    question.dollars.write(9)
    press(question, qtbot, "budgetResume")
    wait_for(teacher, qtbot, job, "done")
    assert teacher.view.frame.head.banner.text == ""
    changed = json.loads((job.path / "resume.json").read_text())["request"]["plan"]
    assert (changed["budget_usd"], changed["seed"]) == (9.0, 3)
    after = [line.split()[0] for line in (job.path / "asked").read_text().splitlines()]
    done = {one for one in before if before.count(one) == 1}
    assert len(after) - len(before) < len(before) + 12
    assert done
    qtbot.waitUntil(lambda: count(workspace, f"job:{job.id}") == 6, timeout=LONG)


@pytest.mark.slow
def test_what_failed_is_listed_with_its_reason_and_tried_again_in_a_job_of_its_own(
    teacher: TeacherPage, ended: JobFolder, launch: Launch, qtbot: QtBot
) -> None:
    job = ended
    wait_for(teacher, qtbot, job, "done")
    troubles = teacher.view.troubles
    qtbot.waitUntil(lambda: troubles.model.counts() == {"failed": 2, "refused": 0, "unverified": 2}, timeout=LONG)
    press(teacher, qtbot, "teacherTroubles")
    assert troubles.table.isVisible()
    texts = [troubles.model.index(row, 2).data() for row in range(troubles.model.rowCount())]
    assert texts == ["The endpoint refused this question."] * 2
    troubles.chips["unverified"].setChecked(True)
    assert troubles.model.rowCount() == 4
    troubles.chips["unverified"].setChecked(False)
    assert troubles._retry.text() == "Try all 2 again"
    troubles.table.selectRow(0)
    assert troubles._retry.text() == "Try this one again"
    number = troubles.model.row(0).number
    press(teacher, qtbot, "teacherRetry")
    qtbot.waitUntil(lambda: teacher.view.frame.feed.folder != job, timeout=LONG)
    again = teacher.view.frame.feed.folder
    assert again is not None
    assert json.loads(again.request.read_text())["request"]["numbers"] == [number]
    wait_for(teacher, qtbot, again, "done")
    assert teacher.jobs.rows.rowCount() == 2


@pytest.mark.slow
def test_a_running_job_is_stopped_and_deleted_but_its_samples_stay(
    teacher: TeacherPage, launch: Launch, workspace: Workspace, qtbot: QtBot
) -> None:
    job = launch(samples=400)
    qtbot.waitUntil(lambda: count(workspace, f"job:{job.id}") > 0, timeout=LONG)
    assert teacher.view.frame.facts.texts()["left"] != ""
    press(teacher, qtbot, "teacherStop")
    wait_for(teacher, qtbot, job, "stopped")
    qtbot.waitUntil(lambda: not teacher.context.tasks.busy(), timeout=LONG)
    made = count(workspace, f"job:{job.id}")
    action = teacher.context.commands.action("teacher.delete")
    qtbot.waitUntil(action.isEnabled)
    action.trigger()
    box = teacher.findChild(QMessageBox, "teacherDelete")
    assert box is not None
    press(box, qtbot, "teacherDeleteConfirm")
    qtbot.waitUntil(lambda: not teacher.jobs.rows.rowCount(), timeout=LONG)
    assert not job.path.exists()
    assert count(workspace, f"job:{job.id}") == made
    assert not action.isEnabled()


@pytest.mark.slow
def test_the_tabs_show_rates_log_and_plan_and_samples_are_a_search_away(
    teacher: TeacherPage, ended: JobFolder, qtbot: QtBot
) -> None:
    job = ended
    wait_for(teacher, qtbot, job, "done")
    rates = teacher.view.rates.card
    qtbot.waitUntil(lambda: [(bar.key, bar.value) for bar in rates.bars] == [("topic-grid", "56 %")], timeout=LONG)
    with qtbot.waitSignal(teacher.context.to_samples.made) as wanted:
        rates.press("topic-grid")
    assert wanted.args == ["tag:topic-grid"]
    press(teacher, qtbot, "teacherLog")
    assert "teacher generate" in teacher.view.frame.log.toPlainText()
    press(teacher, qtbot, "teacherPlan")
    qtbot.waitUntil(lambda: "seed = 3" in teacher.view.frame.plan.text.toPlainText(), timeout=LONG)
    with qtbot.waitSignal(teacher.context.to_samples.made) as wanted:
        press(teacher, qtbot, "teacherShowSamples")
    assert wanted.args == [f"job:{job.id}"]


@pytest.mark.slow
def test_people_accept_and_the_page_counts(
    teacher: TeacherPage, ended: JobFolder, workspace: Workspace, qtbot: QtBot
) -> None:
    from core.samples import edits

    job = ended
    wait_for(teacher, qtbot, job, "done")
    qtbot.waitUntil(lambda: count(workspace, f"job:{job.id}") == 9, timeout=LONG)
    with closing(workspace.connect()) as connection:
        ids = query.ids(connection, query.parse(f"job:{job.id} tag:verified"))
        done = edits.review(connection, ids[:2], status="accepted")
    teacher.context.report(done.changes)
    qtbot.waitUntil(lambda: teacher.view.frame.facts.texts()["accepted"] == "2", timeout=LONG)
