"""The Teacher page with real jobs behind it, asked of a scripted teacher instead of an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.teacher.page import TeacherPage
from core.jobs import JobFolder, control
from core.jobs.process import members
from core.teacher import starting
from core.teacher.plan import plan_from
from core.workspace import Workspace

WORKER = Path(__file__).parents[2] / "core" / "teacher" / "teacher_job.py"
PLAN = {"recipe": "topic-grid", "model": "gpt-4.1", "samples": 6, "seed": 3, "concurrency": 1}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, which is never sent anywhere."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, go_ready: None) -> None:
    """Whatever is started or resumed asks the scripted teacher."""
    spawn = control._spawn
    monkeypatch.setattr(control, "_spawn", lambda folder, _main_file: spawn(folder, WORKER))


@pytest.fixture
def launch(workspace: Workspace, scripted: None, eventually: Callable[..., None]) -> Iterator[Callable[..., JobFolder]]:
    """`launch(samples=6, quota=5)`: a job of the scripted teacher, started unless `begin=False`; nothing of any is left at the end."""

    def make(*, quota: int | None = None, begin: bool = True, **plan: Any) -> JobFolder:
        with closing(workspace.connect()) as connection:
            folder = starting.launch(plan_from({**PLAN, **plan}), workspace.root, connection)
        if quota is not None:
            (folder.path / "quota").write_text(str(quota))
        if begin:
            control.start(folder)
        return folder

    yield make
    for entry in workspace.jobs.glob("*-teacher-*"):
        folder = JobFolder(entry)
        control.kill(folder)
        eventually(lambda folder=folder: not members(folder.path), what="processes left behind")


@pytest.fixture
def teacher(context: AppContext, qtbot: QtBot) -> Iterator[TeacherPage]:
    """The page alone, shown, looking at the jobs of its workspace."""
    page = TeacherPage(context)
    page.resize(1000, 640)
    page.show()
    context.jobs.start()
    yield page
    context.jobs.close()
    for dialog in (page.dialog, page.judge_dialog, page.editor):
        if dialog is not None:
            dialog.done(0)
    page.hide()
    qtbot.waitUntil(lambda: not context.tasks.busy())
    shiboken6.delete(page)
