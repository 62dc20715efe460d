"""The log of what was refused, failed or could not be verified, with the reason; some of it can be chosen and tried again."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTableView, QVBoxLayout, QWidget

from app.teacher import words
from app.teacher.trouble_model import DRAWN, TroubleModel
from app.theme import Theme
from app.widgets.buttons import Button, Chip
from app.widgets.empty import EmptyState
from app.widgets.plain_table import plain_table
from core.teacher.statistics import Trouble

_WIDTHS = (76, 96, 0, 124, 220)
_FIRST = ("failed", "refused")
_NARROW = 640


class TroubleView(QWidget):
    """Signals: retry_wanted(numbers), when the user wants these samples tried again."""

    retry_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = TroubleModel(self)
        self.table = QTableView()
        plain_table(
            self.table, self.model, theme, name="teacherTroubles", says="What was refused or failed", widths=_WIDTHS
        )
        self._retry = Button(
            "Try again", theme, icon="arrow-clockwise", name="teacherRetry",
            tip="Asks for these samples once more, in a job of their own; what they cost is paid once more",
        )  # fmt: skip
        self._retry.clicked.connect(self.retry)
        self.chips = {result: Chip(word, theme, name=f"only-{result}") for result, word in words.RESULTS.items()}
        line = QHBoxLayout()
        line.setSpacing(6)
        for result, chip in self.chips.items():
            chip.setChecked(result in _FIRST)
            chip.toggled.connect(self._on_filtered)
            line.addWidget(chip)
        line.addStretch(1)
        line.addWidget(self._retry)
        self._nothing = EmptyState(theme, "check-circle", "", name="noTroubles")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._nothing)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(0, 0, 0, 0)
        column_.setSpacing(8)
        column_.addLayout(line)
        column_.addWidget(self._stack, 1)
        self.table.selectionModel().selectionChanged.connect(self._offer)
        self.model.modelReset.connect(self._offer)
        self._on_filtered()

    def restart(self) -> None:
        """Another job is shown."""
        self.model.restart()
        self._say()

    def add(self, found: Sequence[Trouble]) -> None:
        """These came."""
        self.model.add(found)
        self._say()
        self._offer()

    def numbers(self) -> list[int]:
        """The samples that would be tried again: those selected, else all on show."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        return [self.model.row(row).number for row in (rows or range(self.model.rowCount()))]

    def retry(self) -> None:
        """Ask for another try."""
        if numbers := self.numbers():
            self.retry_wanted.emit(numbers)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.table.setColumnHidden(DRAWN, self.width() < _NARROW)

    def _on_filtered(self) -> None:
        self.model.show_results([result for result, chip in self.chips.items() if chip.isChecked()])
        self._say()

    def _say(self) -> None:
        counts = self.model.counts()
        for result, chip in self.chips.items():
            chip.set_count(counts[result])
        self._stack.setCurrentWidget(self.table if self.model.rowCount() else self._nothing)
        hidden = sum(counts.values())
        self._nothing.say(
            f"Nothing of this kind; {words.samples(hidden)} of other kinds." if hidden else "Nothing was refused, and nothing failed."
        )  # fmt: skip

    def _offer(self) -> None:
        chosen = len(self.table.selectionModel().selectedRows())
        count = chosen or self.model.rowCount()
        self._retry.setEnabled(count > 0)
        which = "this one" if chosen == 1 else f"these {count:,}" if chosen else f"all {count:,}"
        self._retry.setText(f"Try {which} again" if count else "Try again")
        self._retry.setAccessibleName(self._retry.text())
