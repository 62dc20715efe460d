"""Generations in the window: rows and chart, where they lead, and what is gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMenu
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.evaluation.generations_view import GenerationsView
from app.widgets.buttons import Button
from app.widgets.empty import EmptyState
from core.workspace import Workspace
from tests.core.evaluation.measured import Groups, evaluated
from tests.core.teacher.loops import Loop

WEAK: Groups = {("time", "easy"): (0, 2), ("io", "hard"): (5, 5)}
BETTER: Groups = {("time", "easy"): (6, 8), ("io", "hard"): (5, 6)}
Open = Callable[[], GenerationsView]


@pytest.fixture
def loop(workspace: Workspace) -> Iterator[Loop]:
    workspace.jobs.mkdir(exist_ok=True)
    with closing(workspace.connect()) as connection:
        yield Loop(workspace.root, connection)


@pytest.fixture
def student(loop: Loop, tmp_path: Path) -> Path:
    """The checkpoint of a first generation that two jobs of a teacher taught; base and student were evaluated."""
    base = tmp_path / "starter"
    base.mkdir()
    first = evaluated(loop.jobs, base, "starter", WEAK)
    loop.teach(first.id, {"time": 3})
    loop.teach("", {"io": 1})
    checkpoint = loop.train("first", base, loop.freeze("gold", "tag:topic-grid"))
    evaluated(loop.jobs, checkpoint, "checkpoint-20", BETTER)
    return checkpoint


@pytest.fixture
def view(context: AppContext, qtbot: QtBot) -> Iterator[Open]:
    """`view()`: shown, with what it has derived."""
    made: list[GenerationsView] = []

    def open_() -> GenerationsView:
        one = GenerationsView(context)
        made.append(one)
        one.resize(760, 500)
        context.jobs.start()
        one.show()
        qtbot.waitUntil(lambda: one._task is not None and one._task.finished and not context.tasks.busy())
        return one

    yield open_
    context.jobs.close()
    for one in made:
        one.hide()
        qtbot.waitUntil(lambda: not context.tasks.busy())
        shiboken6.delete(one)


def cells(view: GenerationsView, row: int) -> list[str]:
    return [str(view.model.index(row, column).data()) for column in range(view.model.columnCount())]


def detail(view: GenerationsView) -> str:
    found = view.findChild(QLabel, "generationsDetail")
    assert found is not None
    return found.text()


def press(view: GenerationsView, qtbot: QtBot, name: str) -> None:
    button = view.findChild(Button, name)
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_rows_chart_and_detail_tell_what_each_generation_learnt(view: Open, loop: Loop, student: Path) -> None:
    shown = view()
    assert cells(shown, 0)[:3] == ["0", "starter", "30.0 %"]
    assert cells(shown, 1)[:3] == ["1", "first/step-20", "62.5 %"]
    assert cells(shown, 1)[4:] == ["gold", "4", "4", "3 time, 1 io"]
    assert "which answers" in detail(shown), "the newest is chosen"
    assert "generation 1, first/step-20: 62.5 percent" in shown.chart.accessibleDescription()
    shown.chart.canvas.draw_now()
    picture = shown.chart.canvas.picture
    assert picture is not None
    assert [text for _, text in picture.x_ticks] == ["Generation 0", "Generation 1"]
    dots = [(float(one.x[0]), round(float(one.y[0]), 1)) for one in picture.strokes if one.points]
    assert dots == [(0.0, 30.0), (1.0, 62.5)]
    whiskers = [one for one in picture.strokes if len(one.x) == 2 and one.x[0] == one.x[1] == 1.0]
    assert [float(one.y[0]) < 62.5 < float(one.y[1]) for one in whiskers] == [True]


def test_a_row_leads_to_run_samples_and_teacher(view: Open, context: AppContext, qtbot: QtBot, student: Path) -> None:
    shown = view()
    run = student.parents[1].name
    with qtbot.waitSignal(context.to_run.made) as made:
        press(shown, qtbot, "generationsRun")
    assert made.args == [run]
    with qtbot.waitSignal(context.to_samples.made) as made:
        press(shown, qtbot, "generationsSamples")
    assert made.args == ["snapshot:gold"]
    press(shown, qtbot, "generationsTeacher")
    menu = shown.findChild(QMenu)
    assert menu is not None
    texts = [action.text() for action in menu.actions()]
    assert [text.rpartition(": ")[2] for text in texts] == ["3 samples", "1 sample"]
    with qtbot.waitSignal(context.to_teacher.made) as made:
        menu.actions()[0].trigger()
    assert made.args == [texts[0].partition(":")[0]]
    menu.hide()
    shown.table.selectRow(0)
    buttons = [shown.show_run, shown.show_samples, shown.show_teacher]
    assert not any(button.isEnabled() for button in buttons), "a base has none of these"
    assert detail(shown) == "A base that no run of this workspace made."


def test_what_is_gone_is_said_and_leads_nowhere(view: Open, loop: Loop, qtbot: QtBot, student: Path) -> None:
    shown = view()
    for folder in loop.jobs.glob("*-teacher-*"):
        shutil.rmtree(folder)
    shutil.rmtree(student)
    shown.refresh()
    qtbot.waitUntil(lambda: cells(shown, 1)[1] == "first/step-20 (deleted)")
    assert "its folder is gone" in detail(shown)
    assert "Its folder was deleted." in detail(shown)
    assert not shown.show_teacher.isEnabled()
    shutil.rmtree(student.parents[1])
    shown.refresh()
    qtbot.waitUntil(lambda: cells(shown, 1)[0] == "≥ 1")
    assert "Its run is gone" in detail(shown)
    assert not shown.show_run.isEnabled()


def test_another_suite_and_an_evaluation_that_ends_are_shown(
    view: Open, loop: Loop, context: AppContext, qtbot: QtBot, student: Path, tmp_path: Path
) -> None:
    evaluated(loop.jobs, student, "checkpoint-20", WEAK, suite="other")
    shown = view()
    assert shown.suites.currentText() == "other, mode fixed", "the one that was used last"
    assert shown.model.rowCount() == 1
    place = shown.suites.findText("set, mode fixed")
    shown.suites.setCurrentIndex(place)
    shown.suites.activated.emit(place)
    qtbot.waitUntil(lambda: shown.model.rowCount() == 2)
    evaluated(loop.jobs, tmp_path / "another", "another", BETTER)
    context.jobs.refresh()
    qtbot.waitUntil(lambda: shown.model.rowCount() == 3)
    assert shown.suites.currentText() == "set, mode fixed"


def test_nothing_measured_is_one_sentence_with_a_way_on(view: Open, context: AppContext, qtbot: QtBot) -> None:
    shown = view()
    empty = shown.findChild(EmptyState, "generationsEmpty")
    assert empty is not None
    assert empty.isVisible()
    assert "No model was evaluated on a suite yet" in empty.sentence
    with qtbot.waitSignal(context.page_wanted) as wanted:
        qtbot.mouseClick(empty.findChild(Button), Qt.MouseButton.LeftButton)
    assert wanted.args == ["training"]
