"""The charts of runs: only those that have something to say, all over the same part of x, each with its value in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.training.charts import run_colours
from app.training.charts.chart_card import ChartCard
from app.training.charts.chart_grid import ChartGrid
from app.training.charts.chart_specs import Shown, View
from app.widgets.charts.canvas import Picture
from core.training.metrics import RunMetrics
from tests.app.training.runs import step, write

NEW = {"trained": 4, "trained_per_second": 4.0, "memory": 3 << 30, "gpu": 97.0, "mfu": 0.41}
OLD_CHARTS = ["lossChart", "validationChart", "rateChart", "normChart", "speedChart"]


@pytest.fixture
def grid(theme: Theme, qtbot: QtBot) -> ChartGrid:
    made = ChartGrid(theme)
    qtbot.addWidget(made)
    made.resize(800, 900)
    made.show()
    return made


def metrics(path: Path, steps: int, **more: object) -> RunMetrics:
    write(path, *(step(n, **more) for n in range(1, steps + 1)), {"kind": "validation", "step": steps, "loss": 2.25})
    made = RunMetrics(path)
    made.poll()
    return made


def settled(grid: ChartGrid, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not grid._waiting and not grid._still.isActive())


def picture(card: ChartCard) -> Picture:
    card.canvas.draw_now()
    assert card.canvas.picture is not None
    return card.canvas.picture


def shown(grid: ChartGrid) -> list[str]:
    return [name for name, card in grid.cards.items() if not card.isHidden()]


def test_before_there_is_anything_the_loss_waits_alone(grid: ChartGrid) -> None:
    assert shown(grid) == ["lossChart"]


def test_an_older_log_shows_what_it_tells_and_a_newer_one_all(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:
    grid.set_runs((Shown("old", metrics(tmp_path / "old", 40)),), {})
    assert shown(grid) == OLD_CHARTS
    new = metrics(tmp_path / "new", 7, **NEW)
    write(new.path, {"kind": "answers", "step": 7, "parsed": 0.9, "compiled": 0.45, "count": 20})
    write(new.path, {"kind": "evaluation", "step": 7, "pass_at_1": 0.3, "interval": [0.15, 0.5], "compile_rate": 0.8})
    new.poll()
    grid.set_runs((Shown("new", new),), {})
    settled(grid, qtbot)
    assert shown(grid) == list(grid.cards)
    said = {name: card.accessibleDescription().partition(": ")[2] for name, card in grid.cards.items()}
    assert said == {
        "lossChart": "2.996", "validationChart": "2.250", "answersChart": "45 % compile · 90 % parse",
        "evaluationChart": "30 % pass@1 · 80 % compile", "rateChart": "1.0e-4",
        "normChart": "0.5", "speedChart": "10 read · 4 trained on", "memoryChart": "3.0 GiB", "gpuChart": "97 %", "mfuChart": "41 %",
    }  # fmt: skip


def test_problems_solved_have_whiskers_that_the_axis_holds_and_the_crosshair_tells(
    grid: ChartGrid, qtbot: QtBot, tmp_path: Path
) -> None:
    run = metrics(tmp_path / "log", 30)
    for at, share in ((0, 0.1), (10, 0.25), (20, 0.4)):
        told = {"pass_at_1": share, "interval": [share - 0.08, share + 0.3], "compile_rate": 0.5}
        write(run.path, {"kind": "evaluation", "step": at, **told})
    run.poll()
    grid.set_runs((Shown("one", run),), {})
    settled(grid, qtbot)
    card = grid.cards["evaluationChart"]
    drawn = picture(card)
    compiled, solved = drawn.strokes
    assert compiled.low is None
    assert solved.low is not None
    assert solved.high is not None
    assert solved.low.tolist() == pytest.approx([2, 17, 32])
    assert solved.high.tolist() == pytest.approx([40, 55, 70])
    assert drawn.y.low <= 2
    assert drawn.y.high >= 70
    card.point(10.0, here=True)
    assert "25 % pass@1 (17–55)" in card.canvas.accessibleDescription()


def test_noise_lies_behind_its_mean_and_alone_when_nothing_is_smoothed(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:  # fmt: skip
    grid.set_runs((Shown("one", metrics(tmp_path / "log", 40)),), {})
    settled(grid, qtbot)
    raw, smooth = picture(grid.cards["lossChart"]).strokes
    assert (raw.fine, smooth.fine) == (True, False)
    assert smooth.y[-1] == pytest.approx(raw.y[-20:].mean())
    grid.set_view(View(width=1))
    settled(grid, qtbot)
    [alone] = picture(grid.cards["lossChart"]).strokes
    assert len(alone.x) == 40


def test_runs_lie_over_one_another_each_in_its_colour(
    grid: ChartGrid, qtbot: QtBot, tmp_path: Path, theme: Theme
) -> None:
    runs = [Shown(f"run {n}", metrics(tmp_path / str(n), 20 + n), n) for n in range(12)]
    grid.set_runs(tuple(runs), {})
    settled(grid, qtbot)
    lines = picture(grid.cards["rateChart"]).strokes
    assert len({(line.colour, line.style) for line in lines}) == 12
    assert lines[-1].colour == run_colours.colour(0, theme.tokens)  # the one that is looked at, on top
    assert picture(grid.cards["rateChart"]).x.high == 31


def test_a_range_chosen_on_one_chart_is_that_of_all_and_stays_while_the_run_grows(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:  # fmt: skip
    run = metrics(tmp_path / "log", 400)
    grid.set_runs((Shown("one", run),), {})
    settled(grid, qtbot)
    grid.cards["normChart"].canvas.span_wanted.emit(100, 200)
    settled(grid, qtbot)
    write(run.path, step(401))
    run.poll()
    grid.redraw()
    settled(grid, qtbot)
    assert {(p.x.low, p.x.high) for p in (picture(grid.cards[name]) for name in OLD_CHARTS)} == {(100, 200)}
    grid.cards["lossChart"].canvas.span_wanted.emit(-500, 5000)
    assert grid.span() == (0, 401)
    assert grid.view.span is None
    grid.cards["lossChart"].canvas.span_wanted.emit(150.0, 150.1)
    assert grid.span() == (150, 154)  # never closer than a few steps


def test_x_is_the_step_the_tokens_or_the_time_by_number_or_by_decade(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:  # fmt: skip
    grid.set_runs((Shown("one", metrics(tmp_path / "log", 400)),), {})
    grid.set_view(View(along="tokens"))
    settled(grid, qtbot)
    assert (picture(grid.cards["lossChart"]).x.low, picture(grid.cards["lossChart"]).x.high) == (0, 4000)
    grid.set_view(View(along="time", log_x=True, log_y=True))
    settled(grid, qtbot)
    loss, speed = picture(grid.cards["lossChart"]), picture(grid.cards["speedChart"])
    assert (loss.x.low, loss.x.high, loss.x.log, loss.y.log) == (1, 400, True, True)
    assert not speed.y.log  # decades say nothing of a speed
    assert [text for _, text in loss.x_ticks] == ["1 s", "10 s", "1:40 min"]


def test_one_crosshair_goes_through_all_charts_and_tells_the_values(
    grid: ChartGrid, qtbot: QtBot, tmp_path: Path
) -> None:
    runs = (Shown("first", metrics(tmp_path / "1", 300)), Shown("short", metrics(tmp_path / "2", 100), 1))
    grid.set_runs(runs, {})
    grid.set_view(replace(grid.view, width=1))
    settled(grid, qtbot)
    loss, rate = grid.cards["lossChart"], grid.cards["rateChart"]
    loss.canvas.pointed.emit(50.2)
    assert loss.canvas.accessibleDescription() == "step 50: first  2.950; short  2.950"
    assert rate._value.text() == "1.0e-4"
    loss.canvas.pointed.emit(250.0)
    assert loss.canvas.accessibleDescription() == "step 250: first  2.750"  # the other was over by then
    loss.canvas.pointed.emit(None)
    assert loss._value.text() == "2.700"


def test_the_crosshair_is_moved_by_keys(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:
    grid.set_runs((Shown("one", metrics(tmp_path / "log", 400)),), {})
    settled(grid, qtbot)
    canvas = grid.cards["normChart"].canvas
    canvas.draw_now()
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.accessibleDescription().startswith("step 196: ")
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.accessibleDescription().startswith("step 192: ")


def test_what_is_usual_is_shaded_with_a_sentence_and_follows_the_configuration(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:  # fmt: skip
    grid.set_runs((Shown("one", metrics(tmp_path / "log", 40)),), {"optimizer": {"clip": 2.0}, "method": {"kind": "full"}})  # fmt: skip
    settled(grid, qtbot)
    norm, rate = grid.cards["normChart"], grid.cards["rateChart"]
    assert picture(norm).band == (0.1, 2.0)
    assert norm._why.text().startswith("Usual up to the clip of 2;")
    assert picture(rate).band == (1e-6, 5e-5)
    assert picture(grid.cards["lossChart"]).band is None


def test_a_validation_loss_that_rises_is_said(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:
    run = metrics(tmp_path / "log", 100)
    write(run.path, step(101), {"kind": "validation", "step": 101, "loss": 2.5})
    run.poll()
    grid.set_runs((Shown("one", run),), {})
    settled(grid, qtbot)
    assert grid.cards["validationChart"]._why.text().startswith("Lowest 2.250 at step 100, rising since")


def test_another_run_begins_with_the_whole_of_it(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:
    grid.set_runs((Shown("one", metrics(tmp_path / "1", 400)),), {})
    grid.cards["lossChart"].canvas.span_wanted.emit(100, 200)
    grid.set_runs((Shown("two", metrics(tmp_path / "2", 50)),), {})
    assert grid.span() == (0, 50)


def test_a_chart_that_nobody_sees_fetches_nothing(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:
    grid.hide()
    run = metrics(tmp_path / "log", 40)
    grid.set_runs((Shown("one", run),), {})
    settled(grid, qtbot)
    assert grid.cards["lossChart"].canvas.picture is None or not grid.cards["lossChart"].canvas.picture.strokes


def test_a_diverged_run_is_still_drawn(grid: ChartGrid, qtbot: QtBot, tmp_path: Path) -> None:
    log = tmp_path / "log"
    write(log, step(1, loss=2.0), step(2, loss=1e30), step(3, loss=None), step(4, loss=-1.0), step(5, loss=0.0))
    run = RunMetrics(log)
    run.poll()
    for log_y in (False, True):
        grid.set_view(View(width=1, log_y=log_y))
        grid.set_runs((Shown("one", run),), {})
        settled(grid, qtbot)
        assert picture(grid.cards["lossChart"]).strokes
