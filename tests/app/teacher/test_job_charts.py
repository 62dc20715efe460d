"""The charts of a job: one crosshair over both, a part of time chosen by hand, tokens where no price is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.teacher import job_facts
from app.teacher.job_charts import JobCharts
from app.theme import Theme
from app.widgets.facts_row import FactsRow
from core.teacher.pace import Course, Pace
from core.teacher.statistics import Reviews


def course(folder: Path, cost: float | None = 0.01) -> Course:
    """A sample a second for two minutes."""
    path = folder / f"events-{cost}.jsonl"
    with path.open("w") as file:
        for t in range(121):
            event = {"t": t, "kind": "teacher", "requested": 240, "done": t, "verified": t / 2, "prompt_tokens": 9 * t, "completion_tokens": t, "asked": t}  # fmt: skip
            file.write(json.dumps({**event, "cost_usd": None if cost is None else cost * t}) + "\n")
    return Pace(path).poll()


@pytest.fixture
def charts(theme: Theme, qtbot: QtBot) -> Iterator[JobCharts]:
    made = JobCharts(theme)
    made.resize(800, 300)
    made.show()
    yield made
    shiboken6.delete(made)


def test_the_newest_values_stand_at_the_right(charts: JobCharts, tmp_path: Path) -> None:
    charts.show_course(course(tmp_path), other=True)
    assert charts.speed._value.text() == "30 verified · 60 in all"
    assert charts.money._value.text() == "$1.20"
    assert charts.money.isVisible()
    assert not charts._spent.isVisible()


def test_a_crosshair_on_one_chart_tells_the_values_of_both(charts: JobCharts, tmp_path: Path) -> None:
    charts.show_course(course(tmp_path), other=True)
    charts.speed.canvas.draw_now()
    charts.speed.pointed.emit(60.0)
    assert charts.speed._value.text() == "1 min"
    assert [one.text for one in charts.speed.canvas._readings] == ["30 verified", "60 in all"]
    assert charts.money._value.text() == "$0.60"
    charts.speed.pointed.emit(None)
    assert charts.money._value.text() == "$1.20"


def test_a_part_of_time_is_chosen_and_left_again_and_another_job_is_shown_whole(
    charts: JobCharts, tmp_path: Path, qtbot: QtBot
) -> None:
    whole = course(tmp_path)
    charts.show_course(whole, other=True)
    charts.speed.span_wanted.emit(20.0, 50.0)
    for chart in (charts.speed, charts.money):
        chart.canvas.draw_now()
        assert chart.canvas.picture is not None
        assert (chart.canvas.picture.x.low, chart.canvas.picture.x.high) == (20, 50)
    charts.show_course(whole, other=False)
    assert charts._span == (20, 50)
    charts.speed.canvas.setFocus()
    qtbot.keyClick(charts.speed.canvas, Qt.Key.Key_Home)
    assert charts._span is None
    charts.money.span_wanted.emit(100.0, 900.0)
    assert charts._span is None
    charts.money.span_wanted.emit(100.0, 130.0)
    assert charts._span == (90, 120)
    charts.show_course(whole, other=True)
    assert charts._span is None


def test_where_no_price_is_known_tokens_are_drawn(charts: JobCharts, tmp_path: Path) -> None:
    charts.show_course(course(tmp_path, None), other=True)
    assert not charts.money.isVisible()
    assert charts._spent._value.text() == "1.2k"


def test_facts_are_said_aloud_as_they_are_read(theme: Theme, tmp_path: Path, qtbot: QtBot) -> None:
    row = FactsRow(job_facts.FACTS, name="facts", says="Where it stands")
    qtbot.addWidget(row)
    row.show_facts(job_facts.of_course(course(tmp_path), running=True))
    row.show_facts(job_facts.of_reviews(Reviews(60, 12, 8, 40)))
    assert row.texts() == {
        "verified": "60.0", "unverified": "0", "refused": "0", "failed": "0", "accepted": "12", "tokens": "1.2k",
        "spent": "$1.20", "each": "$0.0200", "left": "2 min",
    }  # fmt: skip
    assert row.cells["accepted"].accessibleName() == "Accepted: 12 of 20"
    assert row.cells["verified"].accessibleName() == "Verified: 60.0 50 %"
    row.show_facts(job_facts.of_course(course(tmp_path, None), running=False))
    assert row.texts()["spent"] == "—"
    assert "left" not in row.texts()
