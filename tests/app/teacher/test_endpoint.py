"""From a typed plan to verified samples in the workspace, through the window and a real endpoint with a scripted model behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.teacher.page import TeacherPage
from core.samples import query
from core.workspace import Workspace
from tests.app.teacher.test_plan_dialog import LONG, open_dialog, retype, told
from tests.core.teacher.asking import scripted_replies
from tests.core.teacher.asking.scripted_replies import Reply, Seen
from tests.core.teacher.asking.scripted_server import ScriptedServer
from tests.core.teacher.scripted_endpoint import sometimes_wrong
from tests.core.teacher.scripted_endpoint import teacher as writes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
JOB_ENDS = 120_000


@pytest.fixture
def endpoint() -> Iterator[ScriptedServer]:
    with ScriptedServer(writes(sometimes_wrong)) as running:
        yield running


def begin(page: TeacherPage, endpoint: ScriptedServer, qtbot: QtBot, samples: int) -> None:
    dialog = open_dialog(page, qtbot)
    retype(dialog, qtbot, "base_url", endpoint.url)
    retype(dialog, qtbot, "samples", str(samples))
    told(dialog, qtbot)
    qtbot.mouseClick(dialog.findChild(QPushButton, "teacherStart"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.jobs.rows.rowCount() == 1, timeout=LONG)


def ended(page: TeacherPage, state: str) -> bool:
    return page.jobs.rows.row(0).job.state == state and not page.context.tasks.busy()


def count(workspace: Workspace, search: str) -> int:
    with closing(workspace.connect(readonly=True)) as connection:
        return query.count(connection, query.parse(search))


def test_a_plan_that_is_typed_becomes_samples_that_go_has_proved(
    teacher: TeacherPage, endpoint: ScriptedServer, workspace: Workspace, qtbot: QtBot, go_ready: None
) -> None:
    begin(teacher, endpoint, qtbot, 4)
    qtbot.waitUntil(lambda: ended(teacher, "done"), timeout=JOB_ENDS)
    qtbot.waitUntil(lambda: count(workspace, "tag:topic-grid -tag:fix") == 4, timeout=LONG)
    assert count(workspace, "tag:verified verdict:pass -tag:fix") == 3
    assert count(workspace, "tag:fix") == 1
    assert set(endpoint.counts.values()) == {1}


def test_out_of_quota_stands_in_the_banner_and_resume_goes_on(
    teacher: TeacherPage, endpoint: ScriptedServer, workspace: Workspace, qtbot: QtBot, go_ready: None
) -> None:
    rich = endpoint.script

    def poor(seen: Seen) -> Reply:
        return rich(seen) if len(endpoint.delivered) < 3 else scripted_replies.quota()

    endpoint.script = poor
    begin(teacher, endpoint, qtbot, 3)
    qtbot.waitUntil(lambda: ended(teacher, "stopped"), timeout=JOB_ENDS)
    qtbot.waitUntil(lambda: "has no quota left" in teacher.view.frame.head.banner.text, timeout=LONG)
    endpoint.script = rich
    qtbot.mouseClick(teacher.findChild(QPushButton, "teacherResume"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: teacher.actions_of_job._question is not None, timeout=LONG)
    question = teacher.actions_of_job._question
    assert question is not None
    question.accept()
    qtbot.waitUntil(lambda: ended(teacher, "done"), timeout=JOB_ENDS)
    qtbot.waitUntil(lambda: count(workspace, "tag:topic-grid -tag:fix") == 3, timeout=LONG)
    assert set(endpoint.delivered.values()) == {1}
