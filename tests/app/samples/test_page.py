"""The Samples page around the decisions: searching, what Go says, training, and what a sample was used for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.samples import results
from app.samples.page import SamplesPage
from app.window import MainWindow
from core.changes import Changes
from core.golang.checker import Diagnostic
from core.jobs import create
from core.samples import edits, snapshots, store
from core.samples.query import parse
from core.workspace import Workspace
from tests.app.samples.keyboard import CONTROL, Calm, button, focused, press, search

# --- searching -------------------------------------------------------------------------------------------------


def test_ctrl_f_searches_and_enter_returns_to_the_table(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    press(qtbot, page, Qt.Key.Key_F, modifier=CONTROL)
    qtbot.keyClicks(focused(page), "topic:io")
    press(qtbot, page, Qt.Key.Key_Return)
    calm()
    assert focused(page) is page.table
    assert {page.model.row(place).topic for place in range(page.model.rowCount())} == {"io"}  # type: ignore[union-attr]
    assert page.header.detail.text().endswith(f"{page.model.rowCount()} shown")


def test_a_chip_filters_and_counts(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    total = len(page.model.ids)
    chip = button(page, "filter_status_accepted")
    assert chip.text() == "Accepted  0"
    press(qtbot, page, Qt.Key.Key_A)
    calm()
    assert chip.text() == "Accepted  1"
    assert button(page, "filter_status_new").text() == f"New  {total - 1}"
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    calm()
    assert page.search.field.text() == "status:accepted"
    assert len(page.model.ids) == 1


def test_the_sample_in_front_stays_in_front(page: SamplesPage, calm: Calm) -> None:
    page.table.choose(40)
    kept = page.model.ids[40]
    topic = page.detail.sample.topic if page.detail.sample else ""
    search(page, f'topic:"{topic}" sort:-tokens', calm)
    assert page.detail.sample is not None
    assert page.detail.sample.id == kept
    assert page.model.ids[page.table.currentIndex().row()] == kept


def test_rows_stay_while_one_decides_until_f5(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    search(page, "status:new topic:time", calm)
    count = len(page.model.ids)
    press(qtbot, page, Qt.Key.Key_A, Qt.Key.Key_A)
    calm()
    assert len(page.model.ids) == count
    assert "2 no longer match (F5)" in page.header.detail.text()
    press(qtbot, page, Qt.Key.Key_F5)
    calm()
    assert len(page.model.ids) == count - 2


def test_a_click_on_a_header_sorts(page: SamplesPage, calm: Calm) -> None:
    page.table.sort_wanted.emit("tokens", True)
    calm()
    tokens = [page.model.row(place).tokens for place in range(10)]  # type: ignore[union-attr]
    assert tokens == sorted(tokens, reverse=True)
    assert page.search.field.text() == "sort:-tokens"


def test_a_search_without_result_offers_a_way_back(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    search(page, "nosuchwordanywhere", calm)
    assert page.stage.no_match.isVisible()
    assert page.detail.sample is None
    press_me = page.stage.no_match.findChild(QPushButton)
    assert press_me is not None
    qtbot.mouseClick(press_me, Qt.MouseButton.LeftButton)
    calm()
    assert page.table.isVisible()


def test_an_overtaken_search_never_wins(page: SamplesPage, calm: Calm) -> None:
    for text in ("topic:io", "topic:http", "topic:errors"):
        page.search_for(text)
    calm()
    assert page.results.query == parse("topic:errors")
    assert {page.model.row(place).topic for place in range(page.model.rowCount())} == {"errors"}  # type: ignore[union-attr]


# --- verdicts --------------------------------------------------------------------------------------------------


def test_complaints_are_shown_where_they_are_and_f8_goes_there(
    page: SamplesPage, context: AppContext, give_verdicts: Callable[..., None], qtbot: QtBot, calm: Calm
) -> None:
    first = page.model.ids[0]
    states = {"parse": "pass", "format": "pass", "types": "fail"}
    give_verdicts([first], states, Diagnostic("types", 3, 1, "undefined: x"), Diagnostic("types", 9, 2, "y"))
    context.report(Changes(verdict=True, ids=(first,)))
    calm()
    assert page.detail._verdict.text() == "Go: parse ✓  format ✓  types ✕  vet ·  test ·"
    assert [mark.line for mark in page.detail.view.code.marks] == [3, 9]
    press(qtbot, page, Qt.Key.Key_F8)
    assert page.detail.view.code.textCursor().blockNumber() == 2
    press(qtbot, page, Qt.Key.Key_F8)
    assert page.detail.view.code.textCursor().blockNumber() == 8


def test_verdicts_of_the_table_follow_the_news(
    page: SamplesPage, context: AppContext, give_verdicts: Callable[..., None], calm: Calm
) -> None:
    ids = list(page.model.ids[:2])
    give_verdicts(ids, {"parse": "fail"}, Diagnostic("parse", 1, 1, "expected"))
    context.report(Changes(verdict=True, ids=tuple(ids)))
    calm()
    assert [page.model.row(place).verdict.parse for place in range(3)] == ["fail", "fail", None]  # type: ignore[union-attr]
    assert button(page, "filter_verdict_fail").text() == "Fails Go  2"


# --- training --------------------------------------------------------------------------------------------------


def test_train_names_how_many_and_leaves_rejected_ones_out(
    page: SamplesPage, context: AppContext, qtbot: QtBot, calm: Calm
) -> None:
    total = len(page.model.ids)
    press(qtbot, page, Qt.Key.Key_R, Qt.Key.Key_R)
    calm()
    train = button(page, "samplesTrain")
    assert train.text() == f"Train on {total - 1}…"
    wanted: list[str] = []
    context.page_wanted.disconnect()
    context.to_training.made.connect(wanted.append)
    qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    assert wanted == ["-status:rejected"]
    assert context.to_training.take() == "-status:rejected"
    assert context.to_training.take() is None


@pytest.mark.parametrize("size", [(1024, 640), (1280, 800)])
def test_nothing_is_cut_off(window: MainWindow, page: SamplesPage, size: tuple[int, int]) -> None:
    window.resize(*size)
    for one in page.findChildren(QPushButton):
        if one.isVisible() and one.text():
            text = one.fontMetrics().horizontalAdvance(one.text().replace("&", ""))
            assert one.width() >= text + 8, one.text()
            corner = one.mapTo(window, one.rect().bottomRight())
            assert window.rect().contains(corner), one.text()


def test_a_long_answer_is_shown_from_its_first_rows_on_and_completed_without_moving_anything(
    page: SamplesPage, qtbot: QtBot, calm: Calm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FIRST", 20)
    parts: list[tuple[int, bool, int]] = []
    page.results.found.connect(
        lambda _query, ids, whole: parts.append((len(ids), whole, page.table.currentIndex().row()))
    )
    kept = page.model.ids[5]
    page.table.choose(5)
    page.search.set_query(parse("sort:id"))
    calm()
    assert [part[:2] for part in parts] == [(20, False), (page.model.rowCount(), True)]
    assert page.model.rowCount() > 200
    assert page.model.ids[page.table.currentIndex().row()] == kept
    assert page.header.detail.text().startswith(f"{page.model.rowCount()} samples")

    page.table.choose(page.model.rowCount() - 1)  # not among the first rows of the next answer
    last = page.model.ids[-1]
    page.search.set_query(parse("-id:1 sort:id"))
    calm()
    assert page.model.ids[page.table.currentIndex().row()] == last
    assert page.detail.sample is not None
    assert page.detail.sample.id == last


def test_an_answer_that_began_otherwise_is_shown_anew(page: SamplesPage, calm: Calm) -> None:
    ids = page.model.ids
    assert page.model.go_on(ids)
    assert not page.model.go_on(ids[1:])
    assert page.model.ids == ids


def test_a_sample_says_which_snapshots_and_runs_used_it(
    page: SamplesPage, workspace: Workspace, calm: Calm, qtbot: QtBot
) -> None:
    used = page.detail._used
    calm()
    assert not used.isVisible()
    first, second = page.model.ids[:2]
    with closing(workspace.connect()) as connection:
        snapshots.create(workspace.snapshots, connection, "gold", parse(f"id:{first}"), validation=0)
    create(workspace.jobs, "train", {"config": {"data": {"snapshot": "gold"}}}, title="my run")
    page.table.choose(1)
    calm()
    assert page.detail.sample is not None
    assert page.detail.sample.id == second
    assert not used.isVisible()
    page.table.choose(0)
    calm()
    assert used.text() == "In gold (train)"
    assert "my run" in [link.text() for link in page.detail.runs.findChildren(QPushButton)]
    with closing(workspace.connect()) as connection:
        before = store.sample(connection, first)
        edits.edit(connection, first, before.response + "\nMore.", base_version=before.version)
    page.context.report(Changes(text=True, ids=(first,)))
    calm()
    assert used.text() == "In gold (train, an earlier text)"
