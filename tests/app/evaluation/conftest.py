"""The Evaluation page with real folders of jobs behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.evaluation.page import EvaluationPage
from core.jobs import JobFolder
from core.workspace import Workspace
from tests.app.evaluation import evaluations


@pytest.fixture
def write(workspace: Workspace) -> Callable[..., JobFolder]:
    """`write("a", [["pass"], ["types"]])`: an evaluation that is done, see `evaluations.evaluation`."""

    def make(name: str, statuses: list[list[str]], **more: object) -> JobFolder:
        return evaluations.evaluation(workspace.jobs, name, statuses, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def evaluation(context: AppContext, qtbot: QtBot) -> Iterator[EvaluationPage]:
    """The page alone, shown, looking at the jobs of its workspace."""
    page = EvaluationPage(context)
    page.resize(828, 580)
    page.show()
    context.jobs.start()
    yield page
    context.jobs.close()
    if page.dialog.now is not None:
        page.dialog.now.done(0)
    page.hide()
    qtbot.waitUntil(lambda: not context.tasks.busy())
    shiboken6.delete(page)
