"""What lies over the table: clusters compared and decided, numbers that narrow the search, views that bring searches back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.samples.clusters import ClusterView
from app.samples.page import SamplesPage
from app.samples.statistics_view import StatisticsView
from core.samples import store, views
from core.samples.query import parse

Calm = Callable[[], None]


def click(page: SamplesPage, name: str, qtbot: QtBot) -> None:
    button = page.findChild(QAbstractButton, name)
    assert button is not None
    assert button.isEnabled(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def clusters(page: SamplesPage, qtbot: QtBot, calm: Calm) -> ClusterView:
    qtbot.keyClick(page.table, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    calm()
    found = page.stage.tool
    assert isinstance(found, ClusterView)
    click(page, "clusters-solutions", qtbot)
    calm()
    assert found.list.count() > 2
    return found


def test_copies_are_compared_with_the_one_worth_keeping(clusters: ClusterView, page: SamplesPage, qtbot: QtBot) -> None:
    cluster = clusters.list.currentItem().data(Qt.ItemDataRole.UserRole)
    reader = page.context.reader()
    assert clusters.comparison.left.toPlainText() == store.sample(reader, cluster.keeper).code.rstrip("\n")
    clusters.list.setFocus()
    before = clusters.comparison.right.toPlainText()
    qtbot.keyClick(clusters.list, Qt.Key.Key_Down)
    assert clusters.comparison.right.toPlainText() != before
    bars = clusters.comparison.left.verticalScrollBar(), clusters.comparison.right.verticalScrollBar()
    bars[0].setValue(3)
    assert bars[1].value() == bars[0].value()


def test_the_best_of_each_is_kept_in_one_step_that_can_be_undone(
    clusters: ClusterView, page: SamplesPage, qtbot: QtBot, calm: Calm, statuses: Callable[[list[int]], list[str]]
) -> None:
    found = [clusters.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(clusters.list.count())]
    copies = [key for cluster in found for key in cluster.ids if key != cluster.keeper]
    click(page, "keepBest", qtbot)
    calm()
    assert set(statuses(copies)) == {"rejected"}
    assert set(statuses([cluster.keeper for cluster in found])) == {"new"}
    assert "rejected" in clusters.members.item(0).text()
    page.context.commands.run("app.undo")
    calm()
    assert set(statuses(copies)) == {"new"}


def test_another_one_of_a_cluster_can_be_kept_instead(
    clusters: ClusterView, page: SamplesPage, qtbot: QtBot, calm: Calm, statuses: Callable[[list[int]], list[str]]
) -> None:
    cluster = clusters.list.currentItem().data(Qt.ItemDataRole.UserRole)
    other = clusters.members.currentItem().data(Qt.ItemDataRole.UserRole)
    click(page, "keepThis", qtbot)
    calm()
    assert statuses([cluster.keeper, other]) == ["rejected", "new"]


def test_renamed_code_and_questions_are_only_shown(
    clusters: ClusterView, page: SamplesPage, qtbot: QtBot, calm: Calm
) -> None:
    for kind in ("shapes", "instructions"):
        click(page, f"clusters-{kind}", qtbot)
        calm()
        assert clusters.kind == kind
        for name in ("keepBest", "keepThis"):
            button = page.findChild(QAbstractButton, name)
            assert button is not None
            assert not button.isVisible()
    clusters.setFocus()
    qtbot.keyClick(clusters, Qt.Key.Key_Escape)
    assert page.stage.tool is None
    assert page.table.isVisible()


@pytest.fixture
def numbers(page: SamplesPage, qtbot: QtBot, calm: Calm) -> StatisticsView:
    qtbot.keyClick(page.table, Qt.Key.Key_S)
    calm()
    found = page.stage.tool
    assert isinstance(found, StatisticsView)
    return found


def test_a_bar_narrows_the_search_and_widens_it_again(
    numbers: StatisticsView, page: SamplesPage, calm: Calm, context: AppContext
) -> None:
    bars = {bar.key: bar for bar in numbers.cards["topic"].bars}
    assert len(bars) == 12
    numbers.cards["topic"].press("errors")
    calm()
    assert page.search.field.text() == "topic:errors"
    assert page.stage.tool is numbers, "the numbers stay while one narrows"
    assert f"{page.model.rowCount():,}" == bars["errors"].value
    assert [bar.key for bar in numbers.cards["topic"].bars if bar.chosen] == ["errors"]
    widest = max(numbers.cards["tokens"].bars, key=lambda bar: bar.share)
    numbers.cards["tokens"].press(widest.key)
    calm()
    assert f"{page.model.rowCount():,}" == widest.value
    numbers.cards["topic"].press("errors")
    calm()
    assert "topic" not in page.search.field.text()


def test_every_bar_can_be_reached_and_says_what_it_is(numbers: StatisticsView, qtbot: QtBot) -> None:
    rows = numbers.cards["status"].findChildren(QAbstractButton)
    names = [row.accessibleName() for row in rows if row.isVisible()]
    assert [name.split(":")[0] for name in names] == ["New", "Accepted", "Rejected", "Needs work"]
    rows[0].setFocus()
    with qtbot.waitSignal(numbers.wanted):
        qtbot.keyClick(rows[0], Qt.Key.Key_Space)


def test_real_tokens_are_counted_by_the_starter(
    numbers: StatisticsView, page: SamplesPage, qtbot: QtBot, calm: Calm
) -> None:
    assert page.findChild(QComboBox, "tokenizerPicker").currentText() == "starter"
    click(page, "countTokens", qtbot)
    calm()
    text = page.findChild(QLabel, "tokenCount").text()
    assert text.startswith("Median ")
    assert "Of 290 samples drawn" in text


def test_a_part_is_picked_and_tagged_in_one_step(
    numbers: StatisticsView, page: SamplesPage, context: AppContext, qtbot: QtBot, calm: Calm
) -> None:
    go = numbers.picker.findChild(QAbstractButton, "pickStart")
    assert not go.isEnabled(), "a tag is missing"
    amount, tag = (numbers.picker.findChild(QLineEdit, name) for name in ("pickAmount", "pickTag"))
    amount.selectAll()
    qtbot.keyClicks(amount, "7")
    qtbot.keyClicks(tag, "varied")
    qtbot.mouseClick(go, Qt.MouseButton.LeftButton)
    calm()
    page.search_for("tag:varied")
    calm()
    assert page.model.rowCount() == 7
    context.commands.run("app.undo")
    calm()
    page.search_for("tag:varied")
    calm()
    assert page.model.rowCount() == 0

    page.clear_search()
    numbers.picker.findChild(QComboBox, "pickMethod").setCurrentIndex(2)
    amount.setText("100")
    qtbot.keyClick(tag, Qt.Key.Key_Return)
    calm()
    assert page.banner.text.startswith("Leaving out the longest cannot work with 100.")


def test_a_search_is_saved_as_a_view_chosen_again_and_forgotten(
    page: SamplesPage, context: AppContext, qtbot: QtBot, calm: Calm
) -> None:
    page.search.set_query(parse("topic:errors sort:-tokens"))
    calm()
    context.commands.run("samples.save_view")
    dialog = page.views.dialog
    assert dialog is not None
    save = dialog.findChild(QAbstractButton, "viewSave")
    assert not save.isEnabled()
    qtbot.keyClicks(dialog.findChild(QLineEdit, "viewName"), "long errors")
    qtbot.mouseClick(save, Qt.MouseButton.LeftButton)
    calm()
    assert page.views.dialog is None
    assert views.list_views(context.reader()) == [views.View("long errors", "topic:errors sort:-tokens")]

    page.clear_search()
    calm()
    actions = menu(page)
    actions["long errors"].trigger()
    calm()
    assert page.search.field.text() == "topic:errors sort:-tokens"

    forget = menu(page)["Forget a view"].menu()
    forget.actions()[0].trigger()
    calm()
    assert views.list_views(context.reader()) == []
    assert "Forget a view" not in menu(page)


def menu(page: SamplesPage) -> dict[str, QAction]:
    """What the Views button offers, as its menu is filled when it opens."""
    page.views._fill()
    return {action.text(): action for action in page.views.menu().actions() if action.text()}
