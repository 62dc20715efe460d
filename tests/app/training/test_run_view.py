"""One run on its page: where its checkpoints come from, its answers, and the way to its samples and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.samples.page import SamplesPage
from app.samples.run_links import RunLinks
from app.theme import Theme
from app.training.page import TrainingPage
from app.training.run_view import RunView
from app.window import MainWindow
from core.jobs import JobFolder
from core.samples import query
from core.samples.language import parse
from core.workspace import Workspace
from tests.app.training import runs
from tests.core.training.test_origin import keep, note

Calm = Callable[[], None]
ANSWERS = [
    {
        "prompt": "Write F.",
        "text": "Here:\n\n```go\npackage f\n\nfunc F() {}\n```",
        "verdict": "compiles",
        "message": "",
    },
    {"prompt": "Write G.", "text": "func G( {", "verdict": "fails", "message": "expected ')', found '{'"},
]


def button(widget: QWidget, name: str) -> QAbstractButton:
    found = widget.findChild(QAbstractButton, name)
    assert found is not None, name
    return found


def text(widget: QWidget, name: str) -> str:
    found = widget.findChild(QLabel, name)
    assert found is not None, name
    return found.text()


def words(widget: QWidget) -> str:
    return "\n".join(one.text() for one in widget.findChildren(QLabel) if not one.isHidden())


def exam(folder: JobFolder, step: int, answers: list[dict[str, str]]) -> None:
    (folder.output / f"answers-{step:06d}.json").write_text(json.dumps({"step": step, "answers": answers}))


@pytest.fixture
def run(workspace: Workspace, gold: Path) -> JobFolder:
    """A run on `gold` with three checkpoints, the second of which is the best."""
    folder = runs.run(workspace.jobs, "errgroup", 30)
    request = json.loads(folder.request.read_text())
    request["request"] |= {"snapshot": str(gold), "base": "/models/starter"}
    folder.request.write_text(json.dumps(request))
    sha = json.loads((gold / "manifest.json").read_text())["sha256"]
    for step, validation in ((10, 1.75), (20, 1.5), (30, 1.625)):
        keep(folder.output, note(step, 1.25, validation, snapshot={"name": "gold", "sha256": sha}))
    return folder


@pytest.fixture
def view(training: TrainingPage, run: JobFolder, qtbot: QtBot) -> RunView:
    """The run on its page, at its settings."""
    qtbot.waitUntil(lambda: training.runs.rows.rowCount() == 1)
    button(training.view, "runSettings").click()
    qtbot.waitUntil(lambda: training.view.details.widget() is not None)
    return training.view


def test_a_checkpoint_says_where_it_comes_from(view: RunView, run: JobFolder) -> None:
    told = words(view.details)
    assert "Where checkpoint-000030 comes from" in told
    for part in ("loss 1.250 · validation 1.500", "starter · abababababab", "cdcdcdcdcdcd", "0.3 · commit abc123, with changed files",
                 "torch 2.13.0 · peft 0.19", "CPU, 2 threads, 2 processes"):  # fmt: skip
        assert part in told, part
    assert told.count("best") == 1
    button(view, "origin-checkpoint-000020").click()
    told = words(view.details)
    assert "Where checkpoint-000020 comes from" in told
    assert "1.5000 (the best of those kept)" in told
    button(view, "copyCommand").click()
    assert QGuiApplication.clipboard().text() == f"python -m app.cli train {run.path}/config.toml"


def test_a_new_checkpoint_leaves_the_chosen_one_chosen(view: RunView, run: JobFolder) -> None:
    button(view, "origin-checkpoint-000020").click()
    keep(run.output, note(40, 1.0, 1.25))
    view.feed.poll()
    assert button(view, "origin-checkpoint-000040").isEnabled()
    assert button(view, "origin-checkpoint-000020").isChecked()
    assert "Where checkpoint-000020 comes from" in words(view.details)


def test_checkpoint_and_base_are_tried_in_the_playground(view: RunView, run: JobFolder, qtbot: QtBot) -> None:
    for name, path in (("try-checkpoint-000010", run.output / "checkpoint-000010"), ("try-base", "/models/starter")):
        with qtbot.waitSignal(view.checkpoint_chosen) as chosen:
            button(view, name).click()
        assert chosen.args == [str(path)]


def test_checkpoint_and_base_are_evaluated_on_the_page_for_it(
    training: TrainingPage, view: RunView, run: JobFolder, qtbot: QtBot
) -> None:
    requests = training.context.to_evaluation
    for name, path in (
        ("evaluate-checkpoint-000010", run.output / "checkpoint-000010"),
        ("evaluate-base", "/models/starter"),
    ):
        button(view, name).click()
        assert requests.take() == str(path)


def test_a_snapshot_that_is_gone_or_another_one_is_said_so(
    training: TrainingPage, run: JobFolder, gold: Path, qtbot: QtBot
) -> None:
    manifest = gold / "manifest.json"
    told: dict[str, Any] = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**told, "sha256": "other"}))
    details = training.view.details
    request = json.loads(run.request.read_text())["request"]
    details.show_run(request, run.output)
    assert "another snapshot has this name now" in words(details)
    manifest.unlink()
    details.show_run({**request, "on_gpu": True}, run.output)
    assert "no longer there" in words(details)
    assert details.findChild(QAbstractButton, "showSamples") is None


def test_answers_are_read_step_by_step(view: RunView, run: JobFolder, qtbot: QtBot) -> None:
    assert button(view, "runAnswers").isHidden()
    exam(run, 10, ANSWERS)
    view.feed.poll()
    button(view, "runAnswers").click()
    assert text(view, "answersSummary") == "1 of 2 answers compile, 1 parse"
    assert text(view, "answerVerdict") == "Compiles"
    assert view.answers.answer.code.toPlainText() == "package f\n\nfunc F() {}"
    view.answers.questions.setFocus()
    qtbot.keyClick(view.answers.questions, Qt.Key.Key_Down)
    assert text(view, "answerVerdict") == "Fails"
    exam(run, 20, [ANSWERS[1], {**ANSWERS[0], "prompt": "Write H."}])
    view.feed.poll()
    assert view.answers.steps.currentText() == "Step 20"
    assert "Write H." in words(view.answers.answer)
    view.answers.steps.setCurrentIndex(1)
    exam(run, 30, ANSWERS)
    view.feed.poll()
    assert view.answers.steps.currentText() == "Step 10"


def test_a_run_shows_its_samples_and_a_sample_its_runs(
    window: MainWindow, page: SamplesPage, run: JobFolder, workspace: Workspace, calm: Calm, qtbot: QtBot
) -> None:
    runs.run(workspace.jobs, "on other data", 3, {"data": {"snapshot": "silver"}})
    window.context.jobs.start()
    window.context.to_run.make(run.id)
    training = window.pages["training"]
    assert isinstance(training, TrainingPage)
    qtbot.waitUntil(lambda: training.view.feed.folder == run)
    button(training.view, "runSettings").click()
    qtbot.waitUntil(lambda: training.view.details.findChild(QAbstractButton, "showSamples") is not None)
    button(training.view, "showSamples").click()
    assert window.current_page() is page
    calm()
    with closing(workspace.connect(readonly=True)) as connection:
        frozen = list(query.ids(connection, parse("topic:errors")))
    assert page.search.field.text() == "snapshot:gold"
    assert list(page.model.ids) == frozen
    calm()
    assert [one.text() for one in page.detail.runs.findChildren(QAbstractButton) if not one.isHidden()] == ["errgroup"]
    assert not page.detail.runs.isHidden()
    training.runs.select(training.runs.rows.row(0).job.id)
    button(page.detail, f"run-{run.id}").click()
    assert window.current_page() is training
    assert training.view.feed.folder == run
    window.context.jobs.close()


def test_runs_that_find_no_room_are_in_a_menu(theme: Theme, qtbot: QtBot) -> None:
    links = RunLinks(theme)
    links.resize(320, 24)
    links.show_runs([(f"job{n}", f"errgroup, attempt number {n}") for n in range(7)])
    few = links.shown()
    links.resize(900, 24)
    assert 1 <= few < links.shown() <= 4
    menu = links.findChild(QMenu)
    assert menu is not None
    menu.aboutToShow.emit()
    assert [one.text() for one in menu.actions()] == [f"errgroup, attempt number {n}" for n in range(links.shown(), 7)]
    with qtbot.waitSignal(links.chosen) as chosen:
        menu.actions()[-1].trigger()
    assert chosen.args == ["job6"]
    links.show_runs([("job1", "one")])
    assert links.shown() == 1
    assert button(links, "moreRuns").isHidden()
    shiboken6.delete(links)


def test_a_sample_that_was_never_frozen_names_no_run(page: SamplesPage, run: JobFolder, calm: Calm) -> None:
    page.search_for("-snapshot:gold")
    calm()
    assert page.detail.sample is not None
    assert page.detail.runs.isHidden()
