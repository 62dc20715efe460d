"""What failed, by topic, and the press that makes it a plan: the numbers are those of the plan, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.evaluation.failures_panel import FailuresPanel
from app.widgets.empty import EmptyState
from core.evaluation.results import Evaluation
from tests.core.evaluation.measured import Groups, evaluation

MIXED: Groups = {
    ("time", "hard"): (0, 0, 5), ("data_structures", "easy"): (10, 9, 10), ("parcels", "medium"): (0, 3),
}  # fmt: skip
JOB = "20261122-101500-evaluate_model-ab12"
Show = Callable[..., None]


@pytest.fixture
def panel(context: AppContext, qtbot: QtBot) -> Iterator[FailuresPanel]:
    made = FailuresPanel(context)
    made.resize(700, 520)
    made.show()
    yield made
    made.hide()
    qtbot.waitUntil(lambda: not context.tasks.busy())
    shiboken6.delete(made)


@pytest.fixture
def show(panel: FailuresPanel, qtbot: QtBot) -> Show:
    def show(found: Evaluation) -> None:
        panel.show_evaluation(found, JOB)
        qtbot.waitUntil(lambda: panel.recipe.count() > 0)

    return show


def text_of(panel: FailuresPanel, name: str) -> str:
    found = panel.findChild(QLabel, name)
    assert found is not None
    return found.text()


def sentence(panel: FailuresPanel) -> str:
    found = panel.findChild(EmptyState, "failuresEmpty")
    assert found is not None
    assert found.isVisible()
    return found.sentence


def retype(panel: FailuresPanel, qtbot: QtBot, text: str) -> None:
    field = panel.findChild(QLineEdit, "failuresSamples")
    assert field is not None
    field.selectAll()
    qtbot.keyClicks(field, text)


def test_each_topic_has_its_bar_and_what_it_gets(panel: FailuresPanel, show: Show) -> None:
    show(evaluation(MIXED))
    assert text_of(panel, "failuresHeadline").startswith("4.3 of 8 problems of “set” fail, most of them in time")
    bars = {bar.key: bar for bar in panel.topics.bars}
    assert bars["time"].title == "time · 0.5 of 3 pass"
    assert bars["time"].share == pytest.approx(0.5 / 3)
    assert bars["data_structures"].title == "data structures · 2.9 of 3 pass"
    assert int(bars["time"].value) + int(bars["data_structures"].value) == 200
    assert bars["parcels"].value == "—"
    assert "no topic “parcels”" in text_of(panel, "failuresNotes")
    assert sum(int(bar.value.removesuffix(" %")) for bar in panel.difficulties.bars) == 100


def test_one_press_opens_the_plan_with_these_numbers(panel: FailuresPanel, show: Show, qtbot: QtBot) -> None:
    show(evaluation(MIXED))
    retype(panel, qtbot, "50")
    assert panel.ask.text() == "Ask the teacher for 50 samples…"
    with qtbot.waitSignal(panel._context.to_plan.made) as made:
        qtbot.mouseClick(panel.ask, Qt.MouseButton.LeftButton)
    (wanted,) = made.args
    assert (wanted["recipe"], wanted["samples"], wanted["evaluation"]) == ("topic-grid", 50, JOB)
    assert sum(wanted["quotas"].values()) == 50
    assert str(wanted["quotas"]["time"]) == next(bar.value for bar in panel.topics.bars if bar.key == "time")
    assert "secret" not in str(wanted)


@pytest.mark.parametrize("typed", ["", "0", "many", "1000001"])
def test_a_count_that_is_none_asks_for_nothing(panel: FailuresPanel, show: Show, qtbot: QtBot, typed: str) -> None:
    show(evaluation(MIXED))
    retype(panel, qtbot, typed) if typed else retype(panel, qtbot, "\b")
    assert not panel.ask.isEnabled()
    retype(panel, qtbot, "7")
    assert panel.ask.isEnabled()


def test_another_recipe_shares_out_among_its_own_topics(panel: FailuresPanel, show: Show, qtbot: QtBot) -> None:
    show(evaluation({("http", "hard"): (0, 0), ("time", "easy"): (0,)}))
    offered = [panel.recipe.itemData(place) for place in range(panel.recipe.count())]
    assert "topic-grid" in offered
    assert "evol-instruct" not in offered, "topics cannot steer what starts from samples"
    panel.recipe.setFocus()
    panel.recipe.setCurrentIndex(offered.index("self-consistency"))
    panel.recipe.activated.emit(panel.recipe.currentIndex())
    assert panel.answer is not None
    assert panel.answer.quotas["time"] == 200
    assert "no topic “http”" in text_of(panel, "failuresNotes")


def test_where_nothing_can_be_asked_a_sentence_says_so(panel: FailuresPanel, show: Show, qtbot: QtBot) -> None:
    assert "No evaluation is chosen" in sentence(panel)
    show(evaluation({("", ""): (0, 10)}, suite="humaneval-x"))
    assert "humaneval-x tell no topics" in sentence(panel)
    with qtbot.waitSignal(panel._context.to_plan.made) as made:
        panel.findChild(EmptyState, "failuresEmpty").findChild(type(panel.ask)).click()  # type: ignore[union-attr]
    assert made.args == [{"evaluation": JOB}]
    panel.show_evaluation(evaluation({("time", "easy"): (10, 10)}), JOB)
    assert "Nothing of set fails" in text_of(panel, "failuresNotes")
    assert not panel.ask.isEnabled()
    panel.show_evaluation(None, "")
    assert "No evaluation is chosen" in sentence(panel)


def test_a_bar_names_its_topic(panel: FailuresPanel, show: Show, qtbot: QtBot) -> None:
    show(evaluation(MIXED))
    with qtbot.waitSignal(panel.topic_chosen) as chosen:
        panel.topics.press("data_structures")
    assert chosen.args == ["data_structures"]
