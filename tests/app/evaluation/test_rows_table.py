"""Tables that are read: sorted by a press on a heading, with the chosen row chosen all the while."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.evaluation.rows_model import Cell, Column, Row
from app.evaluation.rows_table import RowsTable
from app.theme import Theme

COLUMNS = (Column("Name", 0), Column("Rate", 80, numeric=True), Column("Topic", 90, wide=400))


@pytest.fixture
def table(theme: Theme, leaks_nothing: None) -> Iterator[RowsTable]:
    made = RowsTable(theme, COLUMNS, name="t", says="Rates", sort_by=(0, Qt.SortOrder.AscendingOrder))
    made.resize(500, 300)
    made.show()
    made.show_rows([row("b", 0.5), row("a", None), row("c", 0.1)])
    yield made
    shiboken6.delete(made)


def row(name: str, rate: float | None) -> Row:
    return Row(name, (Cell(name), Cell("—" if rate is None else f"{rate:.0%}", rate), Cell("x")))


def names(table: RowsTable) -> list[str]:
    return [table.rows.row(place).key for place in range(table.rows.rowCount())]


def test_a_press_on_a_heading_sorts_and_the_next_one_turns_it(table: RowsTable, qtbot: QtBot) -> None:
    assert names(table) == ["a", "b", "c"]
    table.choose("b")
    header = table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(1) + 20, 10)
    for wanted, arrow in ((["c", "b", "a"], "↑"), (["b", "c", "a"], "↓")):
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert names(table) == wanted, "what has no number comes last either way"
        assert table.rows.headerData(1, Qt.Orientation.Horizontal) == f"Rate {arrow}"
        assert table.rows.row(table.currentIndex().row()).key == table.chosen == "b"


def test_the_chosen_row_stays_while_rows_come_and_tells_when_it_is_gone(table: RowsTable, qtbot: QtBot) -> None:
    heard: list[str] = []
    table.row_chosen.connect(heard.append)
    table.choose("c")
    table.show_rows([row("a", 0.2), row("b", 0.5), row("c", 0.1), row("d", 0.9)])
    assert (table.chosen, table.selected, heard) == ("c", ["c"], ["c"])
    table.show_rows([row("a", 0.2)])
    assert (table.chosen, heard) == ("", ["c", ""])
    assert not table.choose("c")


def test_columns_that_find_no_room_are_left_out(table: RowsTable) -> None:
    assert not table.isColumnHidden(2)
    table.resize(300, 300)
    assert table.isColumnHidden(2)
