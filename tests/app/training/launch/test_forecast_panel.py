"""The forecast as a person reads it, and the count that is put beside it on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.training.launch.forecast_panel import ForecastPanel
from core.models import Model, list_models
from core.training.config import RunConfig
from core.training.config_file import from_mapping
from core.training.plan import forecast
from core.training.planned import Plan

Show = Callable[..., Plan]


@pytest.fixture
def panel(context: AppContext, qtbot: QtBot) -> Iterator[ForecastPanel]:
    made = ForecastPanel(context)
    made.resize(500, 260)
    made.show()
    yield made
    made.forget()
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=20_000)
    shiboken6.delete(made)


@pytest.fixture
def asked(context: AppContext) -> tuple[RunConfig, Model]:
    workspace = context.workspace
    starter = next(model for model in list_models(workspace.models, workspace.jobs) if model.name == "starter")
    return from_mapping({"model": {"base": "starter"}, "data": {"snapshot": "gold", "max_length": 64}}), starter


def text(panel: ForecastPanel, name: str) -> str:
    found = panel.findChild(QLabel, name)
    assert found is not None
    return found.text() if found.isVisibleTo(panel) else ""


def test_the_forecast_says_memory_processes_compute_and_where_it_knows_from(
    panel: ForecastPanel, asked: tuple[RunConfig, Model], gold: Path, context: AppContext
) -> None:
    plan = forecast(*asked, gold, context.workspace.jobs)
    panel.show_plan(plan, 12, *asked)
    assert "(estimated)" in text(panel, "forecast-memory")
    assert text(panel, "forecast-memory").startswith("Fits: ")
    assert text(panel, "forecast-mode") == "One process holds everything."
    assert "petaflop/s-days" in text(panel, "forecast-compute")
    panel.show_plan(replace(plan, measured=2, why="", fits=False), 12, *asked)
    assert "as 2 earlier runs measured" in text(panel, "forecast-memory")
    assert text(panel, "forecast-memory").startswith("Does not fit: ")
    assert text(panel, "forecast-mode") == "One process."


@pytest.mark.slow
def test_a_count_stands_beside_the_forecast_until_the_settings_change(
    panel: ForecastPanel, asked: tuple[RunConfig, Model], gold: Path, context: AppContext, qtbot: QtBot
) -> None:
    button = panel.findChild(QPushButton, "countExactly")
    assert button is not None
    assert not button.isEnabled()
    plan = forecast(*asked, gold, context.workspace.jobs)
    panel.show_plan(plan, 12, *asked)
    button.click()
    assert text(panel, "forecastCounted").startswith("Counting")
    qtbot.waitUntil(lambda: text(panel, "forecastCounted").startswith("Counted operation by operation"), timeout=60_000)
    panel.show_plan(plan, 12, *asked)
    assert text(panel, "forecastCounted")
    wider = replace(plan, load=replace(plan.load, rows=9))
    panel.show_plan(wider, 12, *asked)
    assert not text(panel, "forecastCounted")
    assert button.isEnabled()
    qtbot.waitUntil(lambda: not list(_counts(context)), timeout=20_000)


def _counts(context: AppContext) -> Iterator[Any]:
    return context.workspace.jobs.glob("*-count-*")
