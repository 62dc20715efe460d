"""Looking for a value from the launch dialog: a real job, its curve and sentence, and what "Use this value" writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.theme import Theme
from app.training.launch.finder_curve import FinderCurve
from app.training.launch.finder_dialog import FinderDialog
from app.training.launch.finder_run import WAITING, Question
from app.training.launch.run_dialog import RunDialog
from app.training.page import TrainingPage
from app.widgets.banner import Banner
from core import jobs
from core.jobs.folder import JobFolder
from core.jobs.process import members
from core.paths import resources
from core.training.config_file import from_mapping
from core.training.finders import Finding
from core.training.launch import LEASE
from core.workspace import Workspace

STARTER = resources() / "starter"
SMALL = {
    "data": {"objective": "text", "max_length": 64},
    "batch": {"micro": 1, "accumulation": 1},
    "precision": {"dtype": "fp32"},
}


@pytest.fixture
def launching(gold: Path, training: TrainingPage, qtbot: QtBot) -> RunDialog:
    """The launch dialog with a run so small that its steps take no time."""
    training.open_dialog(None)
    dialog = training.dialog.now
    assert dialog is not None
    dialog._form.set_values(SMALL)
    qtbot.waitUntil(dialog._find.isEnabled, timeout=20_000)
    return dialog


@pytest.fixture
def search(context: AppContext, gold: Path, qtbot: QtBot) -> Iterator[Callable[..., FinderDialog]]:
    """`search("micro")`: a finder's dialog on its own."""
    made: list[FinderDialog] = []

    def begin(finder: str, base: Path = STARTER) -> FinderDialog:
        config = from_mapping({"model": {"base": "starter"}, **SMALL, "data": {**SMALL["data"], "snapshot": "gold"}})
        dialog = FinderDialog(context, Question(finder, config, base, gold))
        dialog.open()
        made.append(dialog)
        return dialog

    yield begin
    for dialog in made:
        dialog.reject()
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=20_000)
    for dialog in made:
        shiboken6.delete(dialog)


def shown(dialog: FinderDialog, name: str) -> str:
    found = dialog.findChild(QLabel, name)
    return found.text() if found.isVisible() else ""


def searches(workspace: Workspace) -> list[JobFolder]:
    return [job.folder for job in jobs.list_jobs(workspace.jobs) if job.kind == "find"]


@pytest.mark.slow
def test_a_learning_rate_is_found_by_a_range_test_and_used_in_the_form(
    launching: RunDialog, workspace: Workspace, context: AppContext, qtbot: QtBot
) -> None:
    launching.findChild(QAction, "find-learning-rate").trigger()
    dialog = launching.findChild(FinderDialog)
    use = dialog.findChild(QPushButton, "finderUse")
    assert not use.isEnabled()
    qtbot.waitUntil(use.isEnabled, timeout=120_000)
    sentence = shown(dialog, "finderSentence")
    assert sentence.endswith("(range test, Smith 2017).")
    curve = dialog.findChild(FinderCurve)
    assert curve.isVisible()
    assert len(curve.points()) > 20
    assert "is suggested" in curve.accessibleDescription()
    assert dialog.focusWidget() is use
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(use, Qt.Key.Key_Return)
    rate = chosen.args[0]["optimizer"]["learning_rate"]
    assert launching.values()["optimizer"]["learning_rate"] == rate
    assert float(sentence.partition(":")[0]) == rate
    assert launching.values()["batch"] == {"micro": 1, "accumulation": 1}, "nothing else has changed"
    qtbot.waitUntil(lambda: not context.tasks.busy() and not searches(workspace), timeout=20_000)


@pytest.mark.slow
def test_cancel_ends_the_job_and_removes_it(
    search: Callable[..., FinderDialog], workspace: Workspace, context: AppContext, qtbot: QtBot
) -> None:
    dialog = search("batch")
    qtbot.waitUntil(lambda: bool(searches(workspace)), timeout=20_000)
    (job,) = searches(workspace)
    qtbot.waitUntil(lambda: jobs.info(job).state == "running", timeout=20_000)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not job.path.exists(), timeout=20_000)
    qtbot.waitUntil(lambda: not members(job.path), timeout=10_000)
    assert dialog.isHidden()


@pytest.mark.slow
def test_what_goes_wrong_is_a_sentence_in_the_dialog(
    search: Callable[..., FinderDialog], tmp_path: Path, qtbot: QtBot
) -> None:
    dialog = search("learning-rate", tmp_path)
    banner = dialog.findChild(Banner, "finderBanner")
    qtbot.waitUntil(lambda: bool(banner.text), timeout=30_000)
    assert "tokenizer" in banner.text
    assert not dialog.findChild(QPushButton, "finderUse").isEnabled()
    assert dialog.findChild(QPushButton, "finderCancel").text() == "Close"


def test_a_search_behind_a_run_says_that_it_waits(
    search: Callable[..., FinderDialog],
    begin_nap: Callable[..., JobFolder],
    workspace: Workspace,
    qtbot: QtBot,
) -> None:
    nap = begin_nap(workspace.jobs, "a run", kind="train", resources=(LEASE,), steps=1_000_000)
    qtbot.waitUntil(lambda: jobs.info(nap).state == "running", timeout=20_000)
    dialog = search("micro")
    qtbot.waitUntil(lambda: shown(dialog, "finderNote") == WAITING, timeout=20_000)
    assert not dialog.findChild(FinderCurve).isVisible(), "only the range test has a curve worth a look"


def test_a_curve_that_diverges_leaves_room_for_what_matters(theme: Theme, qtbot: QtBot) -> None:
    curve = FinderCurve(theme)
    qtbot.addWidget(curve)
    points = [(10 ** (-7 + place / 10), 3.0 - place / 50) for place in range(40)] + [(1e-2, 500.0)]
    curve.add(points[:20])
    curve.add(points[20:])
    assert curve.points() == tuple(points)
    curve.show_finding(Finding(2e-4, "2e-4: so it is.", tuple(points)))
    (low, high) = curve._plot.getViewBox().viewRange()[1]
    assert low < 2.22
    assert 3.0 < high < 6.0
    assert curve.accessibleDescription() == "The loss is lowest, 2.22, at 7.9e-4; 2e-4 is suggested."
