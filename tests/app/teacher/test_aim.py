"""A plan that answers an evaluation: the wish of another page fills the dialog, and what steers it is read, kept and dropped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.teacher.page import TeacherPage
from app.teacher.plan_dialog import PlanDialog
from core.jobs import JobFolder
from core.teacher import recipes

WANTED: dict[str, Any] = {
    "recipe": "topic-grid", "samples": 30, "evaluation": "20261122-101500-evaluate_model-ab12",
    "quotas": {**dict.fromkeys(recipes.find("topic-grid").file.topics(), 0), "time": 20, "io": 10},
    "shares": {"difficulty": {"medium": 25.0, "hard": 75.0}},
}  # fmt: skip


def open_dialog(page: TeacherPage) -> PlanDialog:
    page.context.to_plan.make(WANTED)
    assert page.dialog.now is not None
    return page.dialog.now


def ready(dialog: PlanDialog, qtbot: QtBot) -> Any:
    qtbot.waitUntil(lambda: dialog.draft.settled and dialog.draft.plan is not None and told(dialog), timeout=40_000)
    return dialog.draft.plan


def told(dialog: PlanDialog) -> bool:
    found = dialog.findChild(QLabel, "plan-requests")
    assert found is not None
    return found.text() != "—"


def test_a_wish_fills_the_dialog_and_the_forecast_follows(teacher: TeacherPage, qtbot: QtBot) -> None:
    dialog = open_dialog(teacher)
    plan = ready(dialog, qtbot)
    assert (plan.samples, plan.evaluation, plan.model) == (30, WANTED["evaluation"], "gpt-4.1")
    assert (plan.quotas, plan.shares) == (WANTED["quotas"], WANTED["shares"])
    assert dialog.aim.text == (
        "Answers what failed in 20261122-101500-evaluate_model-ab12. Draws difficulty: medium 25 %, hard 75 %."
    )
    samples = dialog.findChild(QLabel, "plan-samples")
    assert samples is not None
    assert samples.text() == "30", "the rare topic is drawn to its last sample"


def test_a_recipe_without_the_axis_sets_it_aside_and_drop_forgets_it(teacher: TeacherPage, qtbot: QtBot) -> None:
    dialog = open_dialog(teacher)
    ready(dialog, qtbot)
    dialog.picker.choice.choose("explain")
    assert "has no difficulty to steer" in dialog.aim.text
    assert dialog.values()["shares"] == {}
    dialog.picker.choice.choose("topic-grid")
    assert dialog.values()["shares"] == WANTED["shares"]
    qtbot.mouseClick(dialog.aim.drop, Qt.MouseButton.LeftButton)
    assert not dialog.aim.isVisible()
    assert (dialog.values()["evaluation"], dialog.values()["shares"]) == ("", {})


def test_a_wish_reaches_a_dialog_that_is_open(teacher: TeacherPage, qtbot: QtBot) -> None:
    teacher.open_dialog()
    assert teacher.dialog.now is not None
    first = teacher.dialog.now
    ready(first, qtbot)
    assert not first.aim.isVisible()
    assert open_dialog(teacher) is first
    assert ready(first, qtbot).evaluation == WANTED["evaluation"]
    assert first.values()["quotas"]["time"] == 20


def test_the_next_plan_answers_nothing_by_itself(
    teacher: TeacherPage, qtbot: QtBot, launch: Callable[..., JobFolder]
) -> None:
    job = launch(begin=False, **{key: WANTED[key] for key in ("evaluation", "shares")})
    assert json.loads((job.path / "job.json").read_text())["request"]["plan"]["evaluation"] == WANTED["evaluation"]
    qtbot.waitUntil(lambda: bool(teacher.context.jobs.jobs))
    teacher.open_dialog()
    assert teacher.dialog.now is not None
    plan = ready(teacher.dialog.now, qtbot)
    assert (plan.evaluation, plan.shares) == ("", WANTED["shares"])
