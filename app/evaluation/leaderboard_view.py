"""All evaluations of one suite in one mode, the best first. Two of them are compared with one key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.evaluation import words
from app.evaluation.rows_model import Cell, Column, Row
from app.evaluation.rows_table import RowsTable
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.evaluation.board import Entry

_COLUMNS = (
    Column("Model", 0),
    Column("Step", 74, numeric=True, wide=840),
    Column("n", 54, numeric=True),
    Column("pass@1", 100, numeric=True),
    Column("95 % interval", 126, numeric=True, wide=400),
    Column("pass@k", 132, numeric=True, wide=760),
    Column("Compiles", 98, numeric=True, wide=640),
    Column("When", 118, wide=600),
    Column("Run", 190, wide=960),
)
PASS_AT_1 = 3


class LeaderboardView(QWidget):
    """Attributes: table. Signals: compare_wanted(key, other key): compare the first with the other; opened(key)."""

    compare_wanted = Signal(str, str)
    opened = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._this = ""
        self._about = label(tone="dim", wrap=True, name="leaderboardAbout")
        self._compare = Button(
            "Compare", theme, icon="scales", name="leaderboardCompare",
            tip="The two selected evaluations, or the selected one with the one that is open",
        )  # fmt: skip
        self._compare.clicked.connect(self.compare)
        self.table = RowsTable(
            theme, _COLUMNS, name="leaderboardTable", says="Evaluations of this suite", several=True,
            sort_by=(PASS_AT_1, Qt.SortOrder.DescendingOrder),
        )  # fmt: skip
        self.table.setToolTip("Enter or a double click opens an evaluation; select two and press C to compare them")
        self.table.row_opened.connect(self.opened)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._say())
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._about, 1)
        line.addWidget(self._compare, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(line)
        column.addWidget(self.table, 1)
        self.show_entries(None, ())

    def show_entries(self, this: Entry | None, entries: Sequence[Entry]) -> None:
        """Show those of these that are of the same suite and mode as this one; none while it is not done."""
        same = [one for one in entries if this is not None and _question(one) == _question(this)]
        self._this = this.key if this is not None else ""
        if this is None:
            self._about.setText("The others of the same suite come when the evaluation is done.")
        else:
            origin = this.evaluation.origin
            self._about.setText(
                f"{words.counted(len(same), 'evaluation')} of {origin.suite}, mode {origin.mode}. The best of many on the same suite is "
                "better there than elsewhere: confirm it on problems that chose nothing."
            )
        self.table.show_rows([_row(one, one.key == self._this) for one in same])
        self._say()

    def compare(self) -> None:
        """Compare the two selected ones, or the selected one with the one that is open."""
        if (pair := self._pair()) is not None:
            self.compare_wanted.emit(*pair)

    def _pair(self) -> tuple[str, str] | None:
        """What is compared, and with what: of two, the upper one with the lower one."""
        chosen = self.table.selected
        if len(chosen) == 2:
            return chosen[0], chosen[1]
        return (self._this, chosen[0]) if len(chosen) == 1 and chosen[0] != self._this else None

    def _say(self) -> None:
        self._compare.setEnabled(self._pair() is not None)


def _question(one: Entry) -> tuple[str, str]:
    return one.evaluation.origin.sha256, one.evaluation.origin.mode


def _row(one: Entry, this: bool) -> Row:
    result = one.evaluation
    first = result.pass_at.get(1)
    k = max(result.pass_at, default=1)
    larger = result.pass_at.get(k) if k > 1 else None
    samples = max((tally.n + tally.unjudged for tally in result.tallies), default=0)
    when = datetime.fromtimestamp(one.created)
    return Row(
        one.key,
        (
            Cell(one.name, tone="info" if this else "", tip=one.title),
            Cell("" if one.step is None else f"{one.step:,}", one.step),
            Cell(f"{samples:,}", samples),
            Cell(words.percent(first.value) if first is not None else "—", first.value if first is not None else None),
            Cell(words.between(first.interval) if first is not None else "", first.interval[0] if first else None, "dim"),
            Cell(f"{words.percent(larger.value)} (k = {k})" if larger else "", larger.value if larger else None, "dim"),
            Cell(words.percent(result.compile_rate) if result.compile_rate is not None else "—", result.compile_rate),
            Cell(f"{when:%b %d %H:%M}", one.created, "dim", f"{when:%Y-%m-%d %H:%M:%S}"),
            Cell(one.run, tone="dim"),
        ),
    )  # fmt: skip
