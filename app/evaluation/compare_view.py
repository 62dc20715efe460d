"""An evaluation beside another one: how large the difference is, how sure, and the problems that flip, with both answers.

The other one comes first: what is told is what the chosen evaluation has on it. What cannot be compared is offered in grey, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app import fonts
from app.context import AppContext
from app.evaluation import words
from app.evaluation.interval_bar import IntervalBar
from app.evaluation.rows_model import Cell, Column, Row
from app.evaluation.rows_table import RowsTable
from app.theme import set_property
from app.widgets.calm_combo import CalmCombo
from app.widgets.empty import EmptyState
from app.widgets.labels import label
from app.widgets.side_by_side import SideBySide
from core.errors import UserError
from core.evaluation import comparing
from core.evaluation.board import Entry
from core.evaluation.comparing import Comparison, Flip
from core.evaluation.results import Candidate

_TONES = {"better": "good", "worse": "bad", "no evidence": ""}
_VERDICTS = {"better": "Better", "worse": "Worse", "no evidence": "No evidence of a difference"}
_COLUMNS = (
    Column("Problem", 0),
    Column("Flip", 76),
    Column("Other", 70, numeric=True),
    Column("This", 70, numeric=True),
    Column("Topic", 110, wide=520),
    Column("Difficulty", 90, wide=620),
)
_KS = (1, 2, 3, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found of two. telling: by task, the answer of each that shows the flip."""

    comparison: Comparison
    telling: dict[str, tuple[Candidate | None, Candidate | None]]


class CompareView(QWidget):
    """Attributes: other, k (choices), sentence, verdict, sure, bar, flips, sides; comparison (what is on show)."""

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = context.theme
        self._context = context
        self._this: Entry | None = None
        self._entries: tuple[Entry, ...] = ()
        self._wanted = ""
        self._number = 0
        self._found: Compared | None = None
        self._shown: tuple[str, str, int] | None = None
        self.other = CalmCombo()
        self.other.setObjectName("compareOther")
        self.other.setAccessibleName("Compared with")
        self.other.currentIndexChanged.connect(self._on_other_chosen)
        self.k = CalmCombo()
        self.k.setObjectName("compareK")
        self.k.setAccessibleName("Which pass@k")
        self.k.setMaximumWidth(120)
        self.k.currentIndexChanged.connect(self._compare)
        self.verdict = label(name="compareVerdict", size=15, wrap=True)
        self.verdict.setFont(fonts.ui_font(15, fonts.section_font().weight()))
        self.sentence = label(name="compareSentence", wrap=True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sure = label(name="compareSure", tone="dim", size=12, wrap=True)
        self.bar = IntervalBar(theme)
        self.flips = RowsTable(
            theme, _COLUMNS, name="flipsTable", says="Problems that flip", sort_by=(1, Qt.SortOrder.AscendingOrder)
        )
        self.flips.row_chosen.connect(self._show_flip)
        self._still = label("", tone="dim", name="noFlips")
        self._still.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._table = QStackedWidget()
        self._table.addWidget(self.flips)
        self._table.addWidget(self._still)
        self.sides = SideBySide(theme)
        self._nothing = EmptyState(theme, "scales", "", name="compareNothing")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._nothing)
        self._stack.addWidget(self._build())
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(label("Compared with", tone="dim"))
        line.addWidget(self.other, 1)
        line.addWidget(self.k)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(line)
        column.addWidget(self._stack, 1)
        self._offer()

    def _build(self) -> QWidget:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self.verdict, self.sentence, self.sure, self.bar):
            column.addWidget(part)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._table)
        splitter.addWidget(self.sides)
        splitter.setSizes([130, 260])
        splitter.setStretchFactor(1, 1)
        column.addWidget(splitter, 1)
        return whole

    @property
    def comparison(self) -> Comparison | None:
        """What is on show."""
        return self._found.comparison if self._found is not None else None

    def show_entries(self, this: Entry | None, entries: Sequence[Entry]) -> None:
        """Compare this one with one of these; None while it is not done."""
        if this == self._this and tuple(entries) == self._entries:
            return
        self._this, self._entries = this, tuple(entries)
        self._offer()

    def want(self, job_id: str) -> None:
        """Compare with this one, now or as soon as it is there."""
        self._wanted = job_id
        self._offer()

    def _offer(self) -> None:
        this = self._this
        others = [one for one in self._entries if this is not None and one.key != this.key]
        before = self.other.currentData()
        reasons = {one.key: comparing.why_not(one.evaluation, this.evaluation) for one in others if this is not None}
        with QSignalBlocker(self.other):
            self.other.clear()
            model = self.other.model()
            assert isinstance(model, QStandardItemModel)
            for place, one in enumerate(sorted(others, key=lambda one: bool(reasons[one.key]))):
                reason = reasons[one.key]
                self.other.addItem(
                    _caption(one) + (f" ({reason.split(',')[0].rstrip('.')})" if reason else ""), one.key
                )
                self.other.setItemData(place, reason or one.title, Qt.ItemDataRole.ToolTipRole)
                model.item(place).setEnabled(not reason)
            possible = [one.key for one in others if not reasons[one.key]]
            chosen = next((job for job in (self._wanted, before) if job in possible), possible[0] if possible else None)
            self.other.setCurrentIndex(self.other.findData(chosen) if chosen is not None else -1)
        self.other.setEnabled(bool(others))
        if this is None:
            self._nothing.say("What there is to compare comes when the evaluation is done.")
        elif not others:
            self._nothing.say("There is no other evaluation yet. Evaluate another checkpoint on the same suite.")
        elif not possible:
            self._nothing.say(f"None of the others can be compared with this one. {reasons[others[0].key]}")
        self._on_other_chosen()

    def _on_other_chosen(self) -> None:
        this, other = self._this, self._chosen()
        k = self.k.currentData() or 1
        most = comparing.largest_k(other.evaluation, this.evaluation) if this is not None and other is not None else 0
        with QSignalBlocker(self.k):
            self.k.clear()
            for one in [one for one in _KS if one <= most] or [1]:
                self.k.addItem(f"pass@{one}", one)
            self.k.setCurrentIndex(max(0, self.k.findData(k)))
        self.k.setEnabled(self.k.count() > 1)
        self._compare()

    def _chosen(self) -> Entry | None:
        job = self.other.currentData()
        return next((one for one in self._entries if one.key == job), None)

    def _compare(self) -> None:
        self._number += 1
        this, other, number = self._this, self._chosen(), self._number
        if this is None or other is None:
            self._forget("")
            return
        k = self.k.currentData()
        if self._shown != (this.key, other.key, k):
            self._forget("Comparing …")  # what stands there is of others
        self._context.tasks.run(
            lambda: _compared(other, this, k),
            lambda found: self._on_compared(number, found, (this.key, other.key, k)),
            lambda error: self._on_failed(number, error),
            owner=self,
        )

    def _on_failed(self, number: int, error: UserError) -> None:
        if number == self._number:
            self._forget(str(error))

    def _forget(self, why: str) -> None:
        """Nothing is compared, for this reason; "" leaves that which is said."""
        self._found, self._shown = None, None
        if why:
            self._nothing.say(why)
        self._stack.setCurrentIndex(0)

    def _on_compared(self, number: int, found: Compared, shown: tuple[str, str, int]) -> None:
        if number != self._number:
            return
        self._found, self._shown = found, shown
        told = found.comparison
        self.verdict.setText(_VERDICTS[told.word])
        set_property(self.verdict, "tone", _TONES[told.word])
        self.sentence.setText(comparing.sentence(told))
        self.sure.setText(comparing.how_sure(told))
        self.bar.show_difference(told.difference, told.interval, _TONES[told.word] or "info")
        rows = [self._row(flip, gained=True) for flip in told.gained]
        rows += [self._row(flip, gained=False) for flip in told.lost]
        self.flips.show_rows(rows)
        self._still.setText("No problem flips: each is solved by both or by neither.")
        self._table.setCurrentWidget(self.flips if rows else self._still)
        self.sides.setVisible(bool(rows))
        if rows and not self.flips.chosen:
            self.flips.choose(self.flips.rows.row(0).key)
        self._show_flip(self.flips.chosen)
        self._stack.setCurrentIndex(1)

    def _row(self, flip: Flip, *, gained: bool) -> Row:
        assert self._this is not None
        tally = next(one for one in self._this.evaluation.tallies if one.task == flip.task)
        return Row(
            flip.task,
            (
                Cell(words.short(flip.task, self._this.evaluation.origin.suite), tip=flip.task),
                Cell("Gained" if gained else "Lost", tone="good" if gained else "bad"),
                Cell(*words.passed_of(*flip.a)),
                Cell(*words.passed_of(*flip.b)),
                Cell(tally.topic),
                Cell(tally.difficulty),
            ),
        )

    def _show_flip(self, task: str) -> None:
        this, other = self._this, self._chosen()
        if self._found is None or this is None or other is None or task not in self._found.telling:
            self.sides.clear()
            return
        left, right = self._found.telling[task]
        self.sides.show_texts(
            left.code or left.completion if left is not None else "",
            right.code or right.completion if right is not None else "",
            _title(other, left),
            _title(this, right),
        )


def _compared(other: Entry, this: Entry, k: int) -> Compared:
    found = comparing.compare(other.evaluation, this.evaluation, k)
    left, right = comparing.by_task(other.evaluation), comparing.by_task(this.evaluation)
    telling = {
        flip.task: (
            comparing.telling(left.get(flip.task, ()), not gained),
            comparing.telling(right.get(flip.task, ()), gained),
        )
        for gained, flips in ((True, found.gained), (False, found.lost))
        for flip in flips
    }
    return Compared(found, telling)


def _caption(one: Entry) -> str:
    origin = one.evaluation.origin
    best = one.evaluation.pass_at.get(1)
    return f"{one.name} on {origin.suite}" + (f", {words.pass_at(1, best)}" if best is not None else "")


def _title(one: Entry, candidate: Candidate | None) -> str:
    return f"{one.name}: " + (words.WORDS[candidate.status].lower() if candidate is not None else "no answer at hand")
