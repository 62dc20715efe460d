"""The search field helps while one types; chips are a way of writing the search."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.samples.filters import FILTERS, FilterChips, chosen, toggled
from app.samples.results import training_query
from app.samples.search import SearchField, completions
from app.theme import Theme
from core.samples.query import Query, parse, render

NAMES = {"topic": ["io", "http servers"], "tag": ["gold"], "snapshot": ["gold-v1"]}


@pytest.mark.parametrize(
    ("typed", "word", "offered"),
    [
        ("", "", []),
        ("sta", "sta", ["status:"]),
        ("free -ve", "-ve", ["-verdict:"]),
        ("status:", "status:", ["status:new", "status:accepted", "status:rejected", "status:needs_work"]),
        ("status:new,acc", "status:new,acc", ["status:new,accepted"]),
        ("topic:", "topic:", ["topic:io", 'topic:"http servers"']),
        ('topic:"ht', 'topic:"ht', ['topic:"http servers"']),
        ("sort:-tok", "sort:-tok", ["sort:-tokens"]),
        ("tokens:>2", "tokens:>2", []),
        ("status:new", "status:new", []),
        ("snap", "snap", ["snapshot:"]),
        ("-snapshot:go", "-snapshot:go", ["-snapshot:gold-v1"]),
    ],
)
def test_what_is_offered_while_typing(typed: str, word: str, offered: list[str]) -> None:
    assert completions(typed, NAMES) == (word, offered)


def test_every_offer_is_understood() -> None:
    for start in ("sta", "status:", "topic:", "check:", "dup:", "tag:", "sort:", "verdict:"):
        for offer in completions(start, NAMES)[1]:
            if not offer.endswith(":"):
                parse(offer)


@pytest.fixture
def search(theme: Theme, qtbot: QtBot) -> SearchField:
    made = SearchField(theme)
    qtbot.addWidget(made)
    made.show()
    made.field.setFocus()
    return made


def test_typing_searches_once_after_a_pause(search: SearchField, qtbot: QtBot) -> None:
    found: list[Query] = []
    search.changed.connect(found.append)
    qtbot.keyClicks(search.field, "merge")
    assert found == []
    qtbot.waitUntil(lambda: found == [parse("merge")])


def test_enter_searches_at_once_and_goes_to_the_results(search: SearchField, qtbot: QtBot) -> None:
    qtbot.keyClicks(search.field, "merge")
    with qtbot.waitSignals([search.changed, search.left_downwards], timeout=100):
        qtbot.keyClick(search.field, Qt.Key.Key_Return)
    assert not search._timer.isActive()


def test_a_mistake_is_explained_below_the_field_and_the_last_search_stays(search: SearchField, qtbot: QtBot) -> None:
    search.set_query(parse("status:new"))
    qtbot.keyClicks(search.field, " verdct:fail")
    qtbot.keyClick(search.field, Qt.Key.Key_Return)
    assert search.problem.isVisible()
    assert "did you mean “verdict”" in search.problem.text()
    assert search.query == parse("status:new")
    search.field.clear()
    qtbot.waitUntil(lambda: not search.problem.isVisible())
    assert search.query == Query()


def test_a_suggestion_is_taken_with_the_keyboard(search: SearchField, qtbot: QtBot) -> None:
    qtbot.keyClicks(search.field, "merge sta")
    assert search.suggestions.words == ["status:"]
    qtbot.keyClick(search.field, Qt.Key.Key_Down)
    qtbot.keyClick(search.field, Qt.Key.Key_Return)
    assert search.field.text() == "merge status:"
    assert "status:accepted" in search.suggestions.words, "and goes on with its values"
    qtbot.keyClick(search.field, Qt.Key.Key_Up)
    qtbot.keyClick(search.field, Qt.Key.Key_Tab)
    assert search.field.text() == "merge status:needs_work "
    assert search.suggestions.words == []


def test_suggestions_go_when_they_are_not_wanted(search: SearchField, qtbot: QtBot) -> None:
    qtbot.keyClicks(search.field, "sta")
    qtbot.keyClick(search.field, Qt.Key.Key_Escape)
    assert search.suggestions.words == []
    assert search.field.text() == "sta"
    qtbot.keyClicks(search.field, "t")
    assert search.suggestions.words
    search.field.clearFocus()
    assert search.suggestions.words == []
    search.field.clear()
    search.apply()


def test_escape_clears_and_a_second_one_leaves(search: SearchField, qtbot: QtBot) -> None:
    search.field.setText("merge")
    qtbot.keyClick(search.field, Qt.Key.Key_Escape)
    assert search.field.text() == ""
    with qtbot.waitSignal(search.left_downwards):
        qtbot.keyClick(search.field, Qt.Key.Key_Escape)
    search.apply()


def test_a_chip_adds_its_value_and_takes_it_away() -> None:
    by_value = {which.value: which for which in FILTERS}
    one = toggled(parse("merge -tag:x status:new"), by_value["accepted"])
    assert set(chosen(one, "status")) == {"new", "accepted"}
    assert render(one).startswith("-tag:x")
    none = toggled(toggled(one, by_value["accepted"]), by_value["new"])
    assert none == parse("merge -tag:x")


def test_chips_show_the_search_and_ask_for_another(theme: Theme, qtbot: QtBot) -> None:
    chips = FilterChips(theme)
    qtbot.addWidget(chips)
    chips.show_query(parse("verdict:fail status:rejected"))
    checked = {chip.objectName() for chip in chips.findChildren(QPushButton) if chip.isChecked()}
    assert checked == {"filter_verdict_fail", "filter_status_rejected"}
    chip = chips.findChild(QPushButton, "filter_verdict_fail")
    with qtbot.waitSignal(chips.wanted) as asked:
        qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert asked.args[0] == parse("status:rejected")


def test_rejected_samples_are_trained_on_only_when_they_are_asked_for() -> None:
    assert training_query(parse("topic:io")) == parse("topic:io -status:rejected")
    assert training_query(Query()) == parse("-status:rejected")
    assert training_query(parse("status:rejected")) == parse("status:rejected")
    assert training_query(parse('"open quote')) == parse('"open quote" -status:rejected')
