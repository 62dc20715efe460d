"""The window of suites over a workspace with a suite of its own: three problems, one with a wrong reference, and a file that is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.evaluation.page import EvaluationPage
from app.evaluation.suites import SuitesDialog
from core.evaluation import soundness
from core.jobs import JobFolder, control
from core.jobs.process import members
from core.workspace import Workspace
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

LONG = 30_000
GOOD = problems.our_text(TASKS[0])


@pytest.fixture
def own(workspace: Workspace) -> Path:
    """The folder of the workspace's own suite."""
    texts = {
        "total-weight": GOOD, "shout-words": problems.our_text(TASKS[1], topic="strings", difficulty="hard"),
        "wrong-sum": GOOD.replace("total += w", "total -= w"), "broken": GOOD.replace("topic:", "topik:"),
    }  # fmt: skip
    folder = problems.write_ours(workspace.suites / "mine", texts)
    (folder / "suite.toml").write_text('title = "Ours"\nabout = "Of work."\n')
    return folder


@pytest.fixture
def suites(
    own: Path, context: AppContext, qtbot: QtBot, go_ready: None, eventually: Callable[..., None]
) -> Iterator[SuitesDialog]:
    """The window of suites, open over its page, with all suites in it. No job is left at the end."""
    page = EvaluationPage(context)
    page.resize(1024, 640)
    page.show()
    context.jobs.start()
    page.open_suites()
    dialog = page.suites.now
    assert dialog is not None
    qtbot.waitUntil(lambda: len(dialog.overview.table.rows.rows) == 2, timeout=LONG)
    yield dialog
    context.jobs.close()
    if page.suites.now is not None:
        page.suites.now.done(0)
    page.hide()
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=LONG)
    for entry in context.workspace.jobs.glob(f"*-{soundness.KIND}-*"):
        folder = JobFolder(entry)
        control.kill(folder)
        eventually(lambda folder=folder: not members(folder.path), what="processes left behind")
    shiboken6.delete(page)


@pytest.fixture
def press(qtbot: QtBot) -> Callable[[QWidget, str], None]:
    """`press(root, name)`: press the button of that name as soon as it can be pressed."""

    def run(root: QWidget, name: str) -> None:
        button = root.findChild(QAbstractButton, name)
        assert button is not None, name
        qtbot.waitUntil(button.isEnabled, timeout=LONG)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return run


@pytest.fixture
def answer(qtbot: QtBot) -> Callable[[QWidget, str, str], str]:
    """`answer(root, name, "Confirm")`: press that button of the question of that name; what it asked."""

    def run(root: QWidget, name: str, button: str) -> str:
        box = root.findChild(QMessageBox, name)
        assert box is not None, name
        text = f"{box.text()} {box.informativeText()}"
        found = box.findChild(QAbstractButton, f"{name}{button}")
        assert found is not None
        qtbot.mouseClick(found, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: root.findChild(QMessageBox, name) is None)
        return text

    return run
