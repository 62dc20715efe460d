"""Charts show what the metrics hold: as many points as fit, the newest value in words, and never a stale run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.training.axes import step_text, tiny_text, value_text
from app.training.chart_card import ChartCard, Curve
from app.training.chart_grid import ChartGrid
from core.training.metrics import RunMetrics
from core.training.series import Series


def events(path: Path, steps: int) -> RunMetrics:
    rows = [
        {"t": n, "kind": "step", "step": n, "loss": 3.0 - n / steps, "lr": 1e-4, "grad_norm": 0.5, "tokens": 10, "tokens_per_second": 100.0}
        for n in range(1, steps + 1)
    ]  # fmt: skip
    rows.append({"t": steps, "kind": "validation", "step": steps, "loss": 2.25})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    metrics = RunMetrics(path)
    metrics.poll()
    return metrics


def test_a_card_draws_few_points_and_says_the_newest_value(theme: Theme, qtbot: QtBot) -> None:
    series = Series()
    series.extend(np.arange(100_000.0), np.sin(np.arange(100_000.0)))
    card = ChartCard("Training loss", "{:.3f}".format, theme)
    qtbot.addWidget(card)
    card.set_curves((Curve(series, lambda tokens: tokens.chart_raw),))
    card.resize(600, 300)
    card.redraw(99_999)
    [(x, y)] = card.points()
    assert 600 < len(x) < 6_000
    assert (y.min(), y.max()) == (series.y.min(), series.y.max())
    assert card.accessibleDescription() == f"Training loss: {series.last():.3f}"


def test_the_grid_shows_every_curve_of_a_run_and_then_those_of_another(
    theme: Theme, qtbot: QtBot, tmp_path: Path
) -> None:
    grid = ChartGrid(theme)
    qtbot.addWidget(grid)
    grid.resize(800, 600)
    grid.show()
    grid.set_metrics(events(tmp_path / "one.jsonl", 40))
    assert [len(card.points()[0][0]) for card in grid.cards] == [40, 1, 40, 40, 40]
    assert "2.250" in grid.validation.accessibleDescription()
    grid.set_metrics(events(tmp_path / "two.jsonl", 7))
    assert [len(card.points()[0][0]) for card in grid.cards] == [7, 1, 7, 7, 7]


@pytest.mark.parametrize(("step", "text"), [(0, "0"), (800, "800"), (9_999, "9999"), (12_000, "12k"), (2.5e6, "2.5M")])
def test_steps_are_written_shortly(step: float, text: str) -> None:
    assert step_text(step) == text


@pytest.mark.parametrize(
    ("value", "spacing", "text"),
    [
        (0.00015, 5e-5, "1.5e-4"), (0.0002, 5e-5, "2e-4"), (0.0, 5e-5, "0"), (1e-20, 5e-5, "0"),
        (2.94, 0.02, "2.94"), (3.5, 0.5, "3.5"), (3.0, 0.5, "3.0"), (0.15, 0.05, "0.15"),
        (41500.0, 500.0, "41.5k"), (6000.0, 1000.0, "6k"), (250.0, 50.0, "250"), (0.05, 0.005, "0.050"),
    ],
)  # fmt: skip
def test_values_on_an_axis_have_the_digits_that_tell_them_apart(value: float, spacing: float, text: str) -> None:
    assert value_text(value, spacing) == text


def test_a_small_number_is_short() -> None:
    assert [tiny_text(value) for value in (3.7e-8, 2e-4, 0.0)] == ["3.7e-8", "2.0e-4", "0"]
