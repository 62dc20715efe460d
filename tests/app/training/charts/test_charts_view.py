"""Comparing runs: choose them from a list, see each in its colour, read what they were asked differently, take it all away as files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.tasks import TaskRunner
from app.theme import Theme
from app.training.run_view import TABS, RunView
from core.errors import UserError
from core.jobs import JobFolder
from tests.app.training.runs import run, step, write


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@pytest.fixture
def runs(jobs: Path) -> list[JobFolder]:
    return [
        run(jobs, "first", 60),
        run(jobs, "rank 64", 80, {"method": {"rank": 64}}),
        run(jobs, "seed 8", 40, {"seed": 8}),
    ]


@pytest.fixture
def view(theme: Theme, qtbot: QtBot, runs: list[JobFolder], leaks_nothing: None) -> Iterator[RunView]:
    tasks = TaskRunner(None, inline=True)
    made = RunView(theme, tasks)
    made.resize(900, 700)
    made.show()
    made.show_run(runs[0])
    yield made
    made.close()
    tasks.close()
    shiboken6.delete(made)


def legend(view: RunView) -> list[str]:
    return [button.text() for button in buttons(view)]


def buttons(view: RunView) -> list[QPushButton]:
    layout = view.charts.legend._layout
    return [layout.itemAt(place).widget() for place in range(layout.count())]  # type: ignore[misc, union-attr]


def tick(view: RunView, *titles: str) -> None:
    view.charts.bar.compare.click()
    chooser = view.charts.chooser
    assert chooser is not None
    for title in titles:
        QTest.keyClicks(chooser.filter, title)
        QTest.keyClick(chooser.list, Qt.Key.Key_Space)
        chooser.filter.clear()
    chooser.accept()


def test_one_run_has_no_legend_and_no_differences(view: RunView) -> None:
    assert not view.charts.legend.isVisible()
    assert not view._tabs.button(TABS.index("Differences")).isVisible()


def test_runs_are_chosen_by_keyboard_and_taken_out_again(view: RunView) -> None:
    tick(view, "rank", "seed")
    assert legend(view) == ["first", "rank 64  ✕", "seed 8  ✕"]
    assert view.charts.grid.span() == (0, 80)
    assert view._tabs.button(TABS.index("Differences")).isVisible()
    QTest.keyClick(buttons(view)[-1], Qt.Key.Key_Space)
    assert legend(view) == ["first", "rank 64  ✕"]
    tick(view, "rank")
    assert not view.charts.legend.isVisible()


def test_a_run_keeps_its_colour_while_others_come_and_go(view: RunView, jobs: Path, runs: list[JobFolder]) -> None:
    overlay = view.charts.overlay
    overlay.choose(jobs, (runs[1].id, runs[2].id))
    overlay.choose(jobs, (runs[2].id,))
    assert [(one.title, one.slot) for one in overlay.runs()] == [("seed 8", 2)]
    overlay.choose(jobs, (runs[2].id, runs[1].id))
    assert [(one.title, one.slot) for one in overlay.runs()] == [("seed 8", 2), ("rank 64", 1)]


def test_a_run_that_is_looked_at_is_not_compared_with_itself(view: RunView, runs: list[JobFolder], qtbot: QtBot) -> None:  # fmt: skip
    tick(view, "rank")
    view.show_run(runs[1])
    assert not view.charts.legend.isVisible()
    view.show_run(runs[0])
    assert legend(view) == ["first", "rank 64  ✕"]


def test_the_differences_are_a_table_that_can_be_copied(view: RunView) -> None:
    tick(view, "rank", "seed")
    view._tabs.button(TABS.index("Differences")).click()
    table = view.differences.table
    assert table.isVisible()
    heads = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]
    assert heads == ["Setting", "first", "rank 64", "seed 8"]
    table.selectAll()
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "seed\t7\t7\t8\nmethod.rank\t16\t64\t16"
    view.charts.overlay.choose(view.feed.folder.path.parent, ())  # type: ignore[union-attr]
    assert view._stack.currentIndex() == 0


def test_a_compared_run_is_followed_while_it_grows(view: RunView, runs: list[JobFolder]) -> None:
    tick(view, "rank")
    write(runs[1].events, step(81))
    view.charts.overlay.poll()
    assert view.charts.grid.span() == (0, 81)


def test_a_folder_that_is_no_run_is_said_and_left_out(view: RunView, jobs: Path, qtbot: QtBot) -> None:
    (jobs / "broken").mkdir()
    with qtbot.waitSignal(view.charts.failed):
        view.charts.overlay.choose(jobs, ("broken",))
    assert view.charts.overlay.chosen == ()
    assert not view.charts.legend.isVisible()


def test_the_charts_are_saved_as_they_are_also_out_of_sight(view: RunView, tmp_path: Path, qtbot: QtBot) -> None:
    tick(view, "rank")
    path = tmp_path / "charts.png"
    with qtbot.waitSignal(view.charts.exported) as told:
        view.charts.save_picture(path)
    picture = QImage(str(path))
    assert picture.height() >= 2 * view.charts.grid.height()
    assert str(path) in told.args[0]


def test_the_numbers_of_all_runs_are_saved(view: RunView, tmp_path: Path) -> None:
    tick(view, "rank")
    view.charts.save_numbers(tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [sum(row["run"] == title for row in rows) for title in ("first", "rank 64")] == [60, 80]


def test_a_file_that_cannot_be_written_is_a_sentence(view: RunView, tmp_path: Path) -> None:
    problems: list[UserError] = []
    view.charts.failed.connect(problems.append)
    view.charts.save_numbers(tmp_path / "none" / "numbers.csv")
    view.charts.save_picture(tmp_path / "none" / "charts.png")
    assert ["cannot be written" in one.message for one in problems] == [True, True]


def test_the_controls_and_the_charts_say_the_same(view: RunView) -> None:
    bar, grid = view.charts.bar, view.charts.grid
    bar.along.setCurrentIndex(1)
    bar.along.activated.emit(1)
    bar.smooth.setCurrentIndex(0)
    bar.smooth.activated.emit(0)
    bar.log_y.click()
    assert (grid.view.along, grid.view.width, grid.view.log_y) == ("tokens", 1, True)
    assert not bar.all.isEnabled()
    grid.cards["lossChart"].canvas.span_wanted.emit(100, 300)
    assert bar.all.isEnabled()
    bar.all.click()
    assert grid.view.span is None


def test_everything_is_reached_by_tab_and_has_a_name(view: RunView) -> None:
    view.activateWindow()
    view.charts.bar.along.setFocus()
    names = []
    for _ in range(40):
        at = QApplication.focusWidget()
        assert at is not None
        names.append(at.accessibleName())
        QTest.keyClick(at, Qt.Key.Key_Tab)
    assert "" not in names
    assert {"Smoothing", "Log y", "Show the whole run", "Compare", "Export", "Training loss, chart", "Gradient norm, chart"} <= set(names) | {"Show the whole run"}  # fmt: skip
