"""The Teacher page with real jobs behind it, asked of a scripted teacher instead of an endpoint."""

from __future__ import annotations

import shutil
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
from core.workspace import Workspace, open_workspace

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


@pytest.fixture(scope="module")
def ended_once(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> JobFolder:
    """A job of nine samples at its end: five verified, two of these after a repair, two unverified, two failed."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("ended")
        for name, value in {"CACHE": shared_cache, "CONFIG": place / "config", "DATA": place / "data"}.items():
            patch.setenv(f"GOSMITH_{name}", str(value))
        workspace = open_workspace(place / "workspace")
        with closing(workspace.connect()) as connection:
            folder = starting.launch(plan_from({**PLAN, "samples": 9}), workspace.root, connection)
        control.start(folder, main_file=WORKER)
        assert control.wait_for_end(folder, 120).state == "done", folder.log.read_text()
    return folder


@pytest.fixture
def ended(ended_once: JobFolder, workspace: Workspace, scripted: None) -> JobFolder:
    """That job, in the workspace of this test, whose samples no window has taken in yet."""
    return JobFolder(shutil.copytree(ended_once.path, workspace.jobs / ended_once.path.name))


@pytest.fixture
def teacher(context: AppContext, qtbot: QtBot) -> Iterator[TeacherPage]:
    """The page alone, shown, looking at the jobs of its workspace."""
    page = TeacherPage(context)
    page.resize(1000, 640)
    page.show()
    context.jobs.start()
    yield page
    context.jobs.close()
    for dialog in (page.dialog.now, page.judge_dialog.now, page.editor.now):
        if dialog is not None:
            dialog.done(0)
    page.hide()
    qtbot.waitUntil(lambda: not context.tasks.busy())
    shiboken6.delete(page)
