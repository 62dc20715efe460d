"""Samples judged through the window: asked for in a dialog, answered by a real endpoint with a scripted judge behind it, told beside people's decisions."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.teacher.judge_dialog import JudgeDialog
from app.teacher.page import TeacherPage
from core.jobs import JobFolder, control
from core.jobs.process import members
from core.samples import edits, query, store
from core.teacher.judging.plan import load_plan
from core.workspace import Workspace
from tests.core.teacher.asking import scripted_replies
from tests.core.teacher.asking.scripted_replies import Reply, Seen
from tests.core.teacher.asking.scripted_server import ScriptedServer
from tests.core.teacher.scripted_judge import judge

LONG = 60_000
pytestmark = pytest.mark.timeout(240)


def likes_channels(text: str, criterion: str, best: int) -> int:
    """The more a text speaks of channels, the better; no two criteria quite the same."""
    return max(1, best - (0 if "chan" in text else 3) - zlib.crc32(f"{criterion}{text}".encode()) % 2)


@pytest.fixture
def endpoint(workspace: Workspace, eventually: Callable[..., None]) -> Iterator[ScriptedServer]:
    """A judge that anybody can ask; what was started for it is gone at the end."""
    with ScriptedServer(judge(likes_channels, prompt=900, completion=300)) as running:
        yield running
    for entry in workspace.jobs.glob("*-judge-*"):
        folder = JobFolder(entry)
        control.kill(folder)
        eventually(lambda folder=folder: not members(folder.path), what="processes left behind")


@pytest.fixture
def decided(workspace: Workspace) -> dict[str, list[int]]:
    """What people have decided: by what the judge likes, but for one of each."""
    with closing(workspace.connect()) as connection:
        ids = query.ids(connection, query.parse("id:<=60"))
        texts = {key: store.sample(connection, key) for key in ids}
        liked = [key for key, one in texts.items() if "chan" in one.prompt + one.response]
        others = [key for key in ids if key not in liked]
        found = {"accepted": [*liked[1:12], others[0]], "rejected": [*others[1:12], liked[0]]}
        for status, some in found.items():
            edits.review(connection, some, status=status)
    return found


def press(root: QWidget, qtbot: QtBot, name: str) -> None:
    button = root.findChild(QAbstractButton, name)
    assert button is not None, name
    qtbot.waitUntil(button.isEnabled, timeout=LONG)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def text_of(root: QWidget, name: str) -> str:
    found = root.findChild(QLabel, name)
    assert found is not None, name
    return found.text()


def retype(dialog: JudgeDialog, qtbot: QtBot, name: str, text: str) -> None:
    editor = dialog.findChild(QLineEdit, name)
    assert editor is not None, name
    editor.selectAll()
    qtbot.keyClicks(editor, text) if text else qtbot.keyClick(editor, Qt.Key.Key_Delete)


def told(dialog: JudgeDialog, qtbot: QtBot) -> None:
    """Wait until what stands in the dialog was checked and forecast."""
    qtbot.waitUntil(
        lambda: dialog.draft.settled and dialog.draft.plan is not None and dialog.desk.start.text() != "Judge",
        timeout=LONG,
    )


def opened(page: TeacherPage, qtbot: QtBot, search: str = "id:<=60") -> JudgeDialog:
    page.context.to_judging.make(search)
    dialog = page.judge_dialog.now
    assert dialog is not None
    told(dialog, qtbot)
    return dialog


def begin(page: TeacherPage, endpoint: ScriptedServer, qtbot: QtBot, search: str) -> JobFolder:
    dialog = opened(page, qtbot, search)
    retype(dialog, qtbot, "field-base_url", endpoint.url)
    told(dialog, qtbot)
    press(dialog, qtbot, "judgeStart")
    qtbot.waitUntil(lambda: page.judge_view.frame.feed.folder is not None, timeout=LONG)
    folder = page.judge_view.frame.feed.folder
    assert folder is not None
    return folder


def wait_for(page: TeacherPage, qtbot: QtBot, state: str) -> None:
    def reached() -> None:
        assert page.judge_view.frame.state is not None
        assert page.judge_view.frame.state.state == state, (
            page.judge_view.frame.state,
            page.judge_view.frame.log.toPlainText(),
        )

    qtbot.waitUntil(reached, timeout=LONG)


def count(workspace: Workspace, text: str) -> int:
    with closing(workspace.connect(readonly=True)) as connection:
        return query.count(connection, query.parse(text))


# --- the dialog ----------------------------------------------------------------------------------------------------


def test_the_search_is_filled_in_and_samples_questions_and_cost_are_told_before_anything_is_sent(
    teacher: TeacherPage, qtbot: QtBot
) -> None:
    dialog = opened(teacher, qtbot, "id:<=7")
    field = dialog.findChild(QLineEdit, "judgeQuery")
    assert field is not None
    assert field.text() == "id:<=7"
    assert text_of(dialog, "judgeFound") == "7 samples to judge."
    assert re.fullmatch(r"About \$0\.0\d+", text_of(dialog, "judgeCost"))
    assert re.fullmatch(r"Judge 7 samples for about \$0\.0\d+", dialog.desk.start.text())
    assert dialog.desk.start.accessibleName() == dialog.desk.start.text()
    first = dialog.side.examples.text.toPlainText()
    assert first.startswith("system\n")
    press(dialog, qtbot, "example3")
    assert dialog.side.examples.text.toPlainText() != first
    rubric = dialog.findChild(QComboBox, "judgeRubric")
    assert rubric is not None
    assert rubric.currentData() == "go-sample"
    criteria = [one.text() for one in dialog.form.picker.findChildren(QLabel)]
    assert {"Correctness", "33 %", "Idiomatic Go"} <= set(criteria)
    retype(dialog, qtbot, "judgeQuery", "id:<=9")
    qtbot.waitUntil(lambda: text_of(dialog, "judgeFound") == "9 samples to judge.", timeout=LONG)


def test_the_button_and_the_command_of_the_page_open_it_too(teacher: TeacherPage, qtbot: QtBot) -> None:
    press(teacher, qtbot, "teacherJudge")
    assert teacher.judge_dialog.now is not None
    field = teacher.judge_dialog.now.findChild(QLineEdit, "judgeQuery")
    assert field is not None
    assert field.text() == "status:new"
    teacher.judge_dialog.now.reject()
    assert teacher.judge_dialog.now is None
    teacher.context.commands.run("teacher.judge")
    assert teacher.judge_dialog.now is not None


def test_a_plan_is_saved_and_opened_again_as_the_command_line_reads_it(
    teacher: TeacherPage, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened(teacher, qtbot, "id:<=7")
    retype(dialog, qtbot, "field-most", "5")
    retype(dialog, qtbot, "field-budget_tokens", "90000")
    draft = dialog.draft
    qtbot.waitUntil(lambda: draft.plan is not None and draft.plan.budget_tokens == 90_000, timeout=LONG)
    told(dialog, qtbot)
    plan = draft.plan
    assert plan is not None
    assert text_of(dialog, "judgeFound") == "5 samples to judge."
    dialog.files.save_file(tmp_path / "judge.toml", plan)
    qtbot.waitUntil(lambda: "gosmith teacher judge judge.toml" in text_of(dialog, "planNote"), timeout=LONG)
    assert load_plan(tmp_path / "judge.toml") == plan
    retype(dialog, qtbot, "field-most", "")
    dialog.files.open_file(tmp_path / "judge.toml")
    qtbot.waitUntil(lambda: dialog.form.fields["most"].read() == 5, timeout=LONG)
    told(dialog, qtbot)
    assert dialog.draft.plan == plan


def test_what_is_wrong_is_said_below_its_field_and_cannot_be_started(teacher: TeacherPage, qtbot: QtBot) -> None:
    dialog = opened(teacher, qtbot, "id:<=3")
    note = dialog.form.fields["query"].note
    retype(dialog, qtbot, "judgeQuery", "status:bogus")
    qtbot.waitUntil(lambda: "status" in note.text(), timeout=LONG)
    assert not dialog.desk.start.isEnabled()
    assert text_of(dialog, "judgeCost") == "—"
    retype(dialog, qtbot, "judgeQuery", "tag:nowhere")
    qtbot.waitUntil(lambda: "finds no sample" in note.text(), timeout=LONG)
    assert not dialog.desk.start.isEnabled()
    retype(dialog, qtbot, "judgeQuery", "id:<=3")
    retype(dialog, qtbot, "field-concurrency", "many")
    qtbot.waitUntil(lambda: "whole number" in dialog.form.fields["concurrency"].note.text(), timeout=LONG)
    retype(dialog, qtbot, "field-concurrency", "2")
    told(dialog, qtbot)
    assert note.text() == ""


def test_a_missing_key_is_told_before_the_start(
    teacher: TeacherPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr("core.teacher.asking.keys._from_keyring", lambda _url: "")
    dialog = opened(teacher, qtbot, "id:<=3")
    qtbot.waitUntil(lambda: "Set OPENAI_API_KEY" in dialog.desk.banner.text, timeout=LONG)


def test_every_control_of_the_dialog_has_a_name_and_it_fits_a_small_window(teacher: TeacherPage, qtbot: QtBot) -> None:
    dialog = opened(teacher, qtbot, "id:<=3")
    for kind in (QLineEdit, QAbstractButton, QComboBox):
        assert not [one.objectName() for one in dialog.findChildren(kind) if not one.accessibleName()]
    assert dialog.minimumSizeHint().width() <= 1024
    assert dialog.minimumSizeHint().height() <= 600


# --- the job -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_scores_arrive_beside_people_s_decisions_and_the_disputes_open_their_samples(
    teacher: TeacherPage, endpoint: ScriptedServer, workspace: Workspace, decided: dict[str, list[int]], qtbot: QtBot
) -> None:
    with closing(workspace.connect(readonly=True)) as connection:
        hopeless = store.sample(connection, 60).prompt
    endpoint.script = judge(
        likes_channels, lambda text, _again: "nonsense" if hopeless in text else None, prompt=900, completion=300
    )
    job = begin(teacher, endpoint, qtbot, "id:<=60")
    wait_for(teacher, qtbot, "done")
    qtbot.waitUntil(lambda: count(workspace, "judge:>=0") == 59, timeout=LONG)
    facts = teacher.judge_view.frame.facts.texts()
    assert (facts["judged"], facts["failed"]) == ("59", "1")
    assert facts["spent"].startswith("$0.")
    assert "left" not in facts
    row = teacher.jobs.rows.row(0)
    assert (row.job.id, row.detail) == (job.id, f"60 / 60 · {facts['spent']}")

    view = teacher.judge_view.agreement
    qtbot.waitUntil(lambda: view.facts.texts().get("decisions") == "24", timeout=LONG)
    assert view.sentence.text() == (
        "It is told from 12 accepted and 12 rejected samples, too few to rely on. Review more of them, until there are 20 of each."
    )
    assert float(view.facts.texts()["auc"]) > 0.7
    assert view.facts.cells["agreed"].accessibleName().endswith("against 50 %")
    assert [bar.title for bar in view.criteria.bars][:1] == ["Correctness"]
    assert view.chart.accessibleDescription().count("accepted") >= 2
    disputes = view.disputes
    liked, disliked = decided["rejected"][-1], decided["accepted"][-1]
    assert {entry.sample for entry in disputes.model.entries} == {liked, disliked}
    disputes.table.selectRow(0)
    with qtbot.waitSignal(teacher.context.to_samples.made) as wanted:
        qtbot.keyClick(disputes.table, Qt.Key.Key_Return)
    assert wanted.args == [f"id:{disputes.model.entries[0].sample}"]
    disputes.table.clearSelection()
    with qtbot.waitSignal(teacher.context.to_samples.made) as wanted:
        press(disputes, qtbot, "disputesShow")
    assert wanted.args == ["id:" + ",".join(str(entry.sample) for entry in disputes.model.entries)]

    press(teacher, qtbot, "judgeFailed")
    qtbot.waitUntil(lambda: len(teacher.judge_view.failed.model.entries) == 1, timeout=LONG)
    (failure,) = teacher.judge_view.failed.model.entries
    assert failure.sample == 60
    assert "no JSON" in failure.texts[2]
    press(teacher, qtbot, "judgePlan")
    qtbot.waitUntil(lambda: 'rubric = "go-sample"' in teacher.judge_view.frame.plan.text.toPlainText(), timeout=LONG)
    with qtbot.waitSignal(teacher.context.to_samples.made) as wanted:
        press(teacher, qtbot, "judgeShowSamples")
    assert wanted.args == [f"job:{teacher.judge_view.frame.feed.folder.id} sort:-judge"]

    again = opened(teacher, qtbot, "id:<=60")
    assert text_of(again, "judgeFound") == "1 sample to judge; 59 more were judged already and left out."
    box = again.form.fields["again"].editor
    assert isinstance(box, QAbstractButton)
    box.click()
    qtbot.waitUntil(lambda: text_of(again, "judgeFound") == "60 samples to judge.", timeout=LONG)


@pytest.mark.slow
def test_out_of_quota_pauses_with_its_sentence_and_resume_goes_on_paying_nothing_twice(
    teacher: TeacherPage, endpoint: ScriptedServer, workspace: Workspace, qtbot: QtBot
) -> None:
    rich = endpoint.script

    def poor(seen: Seen) -> Reply:
        return rich(seen) if len(endpoint.delivered) < 3 else scripted_replies.quota()

    endpoint.script = poor
    begin(teacher, endpoint, qtbot, "id:<=8")
    wait_for(teacher, qtbot, "stopped")
    assert "has no quota left" in teacher.judge_view.frame.head.banner.text
    endpoint.script = rich
    press(teacher, qtbot, "judgeResume")
    qtbot.waitUntil(lambda: teacher.actions_of_job._question is not None, timeout=LONG)
    question = teacher.actions_of_job._question
    assert question is not None
    question.accept()
    wait_for(teacher, qtbot, "done")
    qtbot.waitUntil(lambda: count(workspace, "judge:>=0") == 8, timeout=LONG)
    assert set(endpoint.delivered.values()) == {1}
    assert teacher.judge_view.frame.head.banner.text == ""


@pytest.mark.slow
def test_scores_come_in_though_nobody_opened_the_page(
    context: AppContext, teacher: TeacherPage, endpoint: ScriptedServer, workspace: Workspace, qtbot: QtBot
) -> None:
    changed: list[object] = []
    context.changed.connect(changed.append)
    with qtbot.waitSignal(context.teacher.finished, timeout=LONG) as ended:
        begin(teacher, endpoint, qtbot, "id:<=5")
        teacher.hide()
    assert ended.args is not None
    assert ended.args[0].kind == "judge"
    assert count(workspace, "judge:>=0") == 5
    assert changed
