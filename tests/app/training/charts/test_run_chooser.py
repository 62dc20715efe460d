"""Choosing runs to compare with: by keyboard, in the order of the ticks, and no more than colours can tell apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.training.charts.run_chooser import MOST, RunChooser
from core.jobs import JobInfo, info
from tests.app.training.runs import run


@pytest.fixture
def jobs(tmp_path: Path) -> list[JobInfo]:
    return [info(run(tmp_path, f"run {n:02}", 1)) for n in range(MOST + 2)]


@pytest.fixture
def parent(theme: Theme, qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


def test_runs_are_told_in_the_order_of_their_ticks(jobs: list[JobInfo], theme: Theme, parent: QWidget) -> None:
    chooser = RunChooser(jobs, (jobs[3].id,), theme, parent)
    told: list[tuple[str, ...]] = []
    chooser.chosen.connect(told.append)
    QTest.keyClicks(chooser.filter, "07")
    assert chooser.list.model().rowCount() == 1
    QTest.keyClick(chooser.list, Qt.Key.Key_Space)
    chooser.filter.setText("RUN 01")
    QTest.keyClick(chooser.list, Qt.Key.Key_Return)
    assert told[-1] == (jobs[3].id, jobs[7].id, jobs[1].id)
    chooser.filter.setText("run 03")
    QTest.keyClick(chooser.list, Qt.Key.Key_Space)
    assert told[-1] == (jobs[7].id, jobs[1].id)


def test_there_are_no_more_than_colours_can_tell_apart(jobs: list[JobInfo], theme: Theme, parent: QWidget) -> None:
    chooser = RunChooser(jobs, [job.id for job in jobs[:MOST]], theme, parent)
    told: list[tuple[str, ...]] = []
    chooser.chosen.connect(told.append)
    chooser.filter.setText(jobs[MOST].title)
    QTest.keyClick(chooser.list, Qt.Key.Key_Space)
    assert told == []
    index = chooser.list.model().index(0, 0)
    assert index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Unchecked.value


def test_one_button_ends_the_comparison(jobs: list[JobInfo], theme: Theme, parent: QWidget) -> None:
    chooser = RunChooser(jobs, [job.id for job in jobs[:3]], theme, parent)
    told: list[tuple[str, ...]] = []
    chooser.chosen.connect(told.append)
    chooser._on_none()
    assert told[-1] == ()
