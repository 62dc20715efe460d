"""The table: exact at any size, cheap at any size, and clear about what a decision would be about."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QPoint, QSettings, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.samples.columns import COLUMNS, GO, STATUS, TITLE, go_sentence, go_word
from app.samples.model import BLOCK, SampleModel
from app.samples.table import SampleTable
from app.theme import Theme
from core.samples.store import SampleRow, Verdicts


def row(number: int, **other: object) -> SampleRow:
    values: dict[str, object] = {
        "id": number,
        "title": f"Sample {number}",
        "status": "new",
        "rating": None,
        "topic": "io",
        "source": "gpt-4",
        "tokens": 1204,
        "lines": 12,
        "verdict": Verdicts(),
        "tags": (),
        "duplicate": False,
        "version": number,
        "deleted": False,
        "score": None,
    }
    return SampleRow(**{**values, **other})  # type: ignore[arg-type]


class Store:
    """Rows on demand, counting how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[Sequence[int]] = []
        self.gone: set[int] = set()
        self.status = "new"

    def fetch(self, ids: Sequence[int]) -> list[SampleRow | None]:
        self.asked.append(list(ids))
        return [None if one in self.gone else row(one, status=self.status) for one in ids]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def model(store: Store) -> SampleModel:
    made = SampleModel(store.fetch)
    made.set_ids(array("q", range(1, 1001)))
    return made


@pytest.fixture
def table(model: SampleModel, theme: Theme, qtbot: QtBot) -> SampleTable:
    made = SampleTable(model, theme)
    qtbot.addWidget(made)
    made.resize(900, 400)
    made.show()
    return made


def test_the_model_keeps_qts_contract(model: SampleModel, qtbot: QtBot) -> None:
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_ids(array("q", range(50)))
    model.refresh([3])
    model.set_ids(array("q"))
    tester.deleteLater()


def test_rows_are_fetched_in_blocks_and_once(model: SampleModel, store: Store) -> None:
    assert model.row(130) == row(131)
    assert model.row(200) is not None
    assert [len(asked) for asked in store.asked] == [BLOCK]


def test_a_change_fetches_only_what_changed(model: SampleModel, store: Store) -> None:
    model.row(0)
    model.row(300)
    store.asked.clear()
    store.status = "accepted"
    model.refresh([1])
    assert model.data(model.index(0, STATUS)) == "Accepted"
    assert model.data(model.index(300, STATUS)) == "New"
    assert len(store.asked) == 1
    model.refresh(None)
    assert model.data(model.index(300, STATUS)) == "Accepted"


def test_a_sample_that_is_gone_leaves_an_empty_row(model: SampleModel, store: Store, table: SampleTable) -> None:
    store.gone = {2}
    model.refresh(None)
    assert model.data(model.index(1, TITLE)) == ""
    table.viewport().repaint()


@pytest.mark.parametrize(
    ("verdict", "word", "tone"),
    [
        (Verdicts(), "unchecked", "dim"),
        (Verdicts("pass", "pass", "pass"), "passes", "good"),
        (Verdicts("pass", "fail", "pass", "skipped"), "format", "bad"),
        (Verdicts("pass", "pass", "skipped", external=True), "external", "dim"),
        (Verdicts("pass", "fail", "skipped", external=True), "format", "bad"),
        (Verdicts("pass", "pass", "fail", "fail", "fail"), "types +2", "bad"),
    ],
)
def test_a_verdict_is_a_word_and_a_colour(verdict: Verdicts, word: str, tone: str) -> None:
    assert go_word(verdict) == (word, tone)


def test_a_verdict_is_told_in_full_to_a_screen_reader(store: Store) -> None:
    verdict = Verdicts("pass", "pass", "fail", "skipped", None)
    told = "parse passes, format passes, types fails, vet skipped, test unchecked"
    assert go_sentence(verdict) == told
    model = SampleModel(lambda ids: [row(one, verdict=verdict) for one in ids])
    model.set_ids(array("q", [1]))
    assert model.data(model.index(0, GO), Qt.ItemDataRole.AccessibleTextRole) == told


def test_select_all_selects_no_row_and_means_everything(table: SampleTable, model: SampleModel, qtbot: QtBot) -> None:
    table.choose(3)
    with qtbot.waitSignal(table.scope_changed):
        qtbot.keyClick(table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert table.all_selected
    assert table.selected_count() == 1
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert not table.all_selected
    assert list(table.selected_ids()) == [5]


def test_escape_takes_select_all_back(table: SampleTable, qtbot: QtBot) -> None:
    table.selectAll()
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert not table.all_selected


def test_selected_ids_come_in_the_order_of_the_table(table: SampleTable, model: SampleModel, qtbot: QtBot) -> None:
    table.choose(10)
    for _ in range(2):
        qtbot.keyClick(table, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert list(table.selected_ids()) == [9, 10, 11]
    assert table.selected_count() == 3


def test_stepping_stops_at_the_ends(table: SampleTable) -> None:
    table.choose(0)
    assert not table.step(-1)
    assert table.step(1)
    table.choose(999)
    assert not table.step(1)
    assert table.currentIndex().row() == 999


def test_letters_are_no_search_in_the_table(table: SampleTable, store: Store, qtbot: QtBot) -> None:
    table.viewport().repaint()
    store.asked.clear()
    qtbot.keyClick(table, Qt.Key.Key_Z)
    assert store.asked == []


def test_the_header_has_a_selection_of_its_own(table: SampleTable) -> None:
    assert table.horizontalHeader().selectionModel() is not table.selectionModel()


def test_everything_stays_quick_with_a_million_samples(theme: Theme, store: Store, qtbot: QtBot) -> None:
    """The two traps of large tables take seconds to minutes when they snap; two seconds tell them apart."""
    model = SampleModel(store.fetch)
    table = SampleTable(model, theme)
    qtbot.addWidget(table)
    table.resize(900, 400)
    table.show()
    model.set_ids(array("q", range(1, 1_000_001)))
    start = time.perf_counter()
    table.selectAll()
    table.choose(500_000)
    table.scrollToBottom()
    bottom = table.visualRect(model.index(999_999, TITLE)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, bottom)
    assert table.selected_count() == 500_000
    table.repaint()
    table.horizontalHeader().repaint()
    model.refresh(None)
    table.viewport().repaint()
    assert time.perf_counter() - start < 2.0
    assert sum(len(asked) for asked in store.asked) < 5_000


def test_a_header_click_asks_for_an_order_and_a_second_one_for_the_reverse(table: SampleTable, qtbot: QtBot) -> None:
    asked: list[tuple[str, bool]] = []
    table.sort_wanted.connect(lambda key, down: asked.append((key, down)))
    header = table.horizontalHeader()
    tokens = next(place for place, column in enumerate(COLUMNS) if column.key == "tokens")
    for place in (TITLE, tokens, tokens):
        middle = header.sectionViewportPosition(place) + header.sectionSize(place) // 2
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(middle, 10))
        table.show_sort(*asked[-1])
    assert asked == [("title", False), ("tokens", True), ("tokens", False)]


def test_a_narrow_table_gives_up_the_least_important_columns(table: SampleTable, qtbot: QtBot) -> None:
    def shown() -> list[str]:
        return [column.key for place, column in enumerate(COLUMNS) if not table.isColumnHidden(place)]

    table.resize(1000, 400)
    assert shown() == ["title", "status", "go", "tokens", "topic", "source", "rating"]
    table.resize(440, 400)
    assert shown() == ["title", "status", "go"]
    assert table.columnWidth(TITLE) >= 170


@pytest.fixture
def kept(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


def another(model: SampleModel, theme: Theme, qtbot: QtBot) -> SampleTable:
    table = SampleTable(model, theme)
    qtbot.addWidget(table)
    table.resize(1200, 400)
    table.show()
    return table


def hidden(table: SampleTable) -> set[str]:
    return {column.key for place, column in enumerate(COLUMNS) if table.isColumnHidden(place)}


def test_columns_are_remembered(
    table: SampleTable, model: SampleModel, theme: Theme, kept: QSettings, qtbot: QtBot
) -> None:
    table.resize(1200, 400)
    table._want("tags", True)
    table._want("topic", False)
    table.save_state(kept)
    other = another(model, theme, qtbot)
    assert "tags" in hidden(other)
    other.restore_state(kept)
    assert "tags" not in hidden(other)
    assert "topic" in hidden(other)
    kept.setValue("samples/header", QByteArray(b"nonsense"))
    other.restore_state(kept)
    assert "tags" not in hidden(other)


def test_what_a_version_with_other_columns_kept_is_not_taken(
    table: SampleTable, model: SampleModel, theme: Theme, kept: QSettings, qtbot: QtBot
) -> None:
    """Qt takes the state of a header with fewer sections, and then paints only some of the columns."""
    table._want("topic", False)
    table.save_state(kept)
    kept.setValue("samples/layout", "title status go")
    other = another(model, theme, qtbot)
    other.restore_state(kept)
    assert "topic" not in hidden(other)
    kept.remove("samples/layout")
    other.restore_state(kept)
    assert "topic" not in hidden(other)
    header = other.horizontalHeader()
    assert header.length() == sum(header.sectionSize(place) for place in range(header.count()))
