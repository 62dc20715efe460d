"""Filter chips: the conditions people use all day, one click each, with what they would leave.

A chip is nothing but a way of writing the search: it shows what stands in the field, and pressing it writes there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.buttons import Chip
from app.widgets.flow import FlowLayout
from core.samples import query as queries
from core.samples.query import Query


@dataclass(frozen=True, slots=True)
class Filter:
    """One value of one key of the search language."""

    key: str
    value: str
    title: str
    tip: str


FILTERS = (
    Filter("status", "new", "New", "Not reviewed yet"),
    Filter("status", "accepted", "Accepted", "Accepted by a reviewer"),
    Filter("status", "needs_work", "Needs work", "Worth mending"),
    Filter("status", "rejected", "Rejected", "Rejected by a reviewer"),
    Filter("verdict", "fail", "Fails Go", "At least one check of the Go toolchain fails"),
    Filter("verdict", "pass", "Passes Go", "Every check that ran passes"),
    Filter("verdict", "unchecked", "Unchecked", "No check has run yet"),
    Filter("dup", "yes", "Near copies", "Resembles another sample that is worth keeping"),
)


def chosen(query: Query, key: str) -> tuple[str, ...]:
    """The values of `key` that the search asks for; a negated condition is nothing a chip can show."""
    return tuple(
        value
        for condition in query.conditions
        if condition.key == key and not condition.negated
        for value in condition.values
    )


def toggled(query: Query, which: Filter) -> Query:
    """The search with this value added, or taken out if it is there."""
    now = chosen(query, which.key)
    values = [value for value in now if value != which.value] if which.value in now else [*now, which.value]
    return queries.having(query, which.key, values)


def counts(connection: sqlite3.Connection, query: Query) -> list[int]:
    """For each filter: how many samples there are under all other conditions of the search."""
    return [queries.count(connection, queries.having(query, which.key, (which.value,))) for which in FILTERS]


class FilterChips(QWidget):
    """Signals: wanted(Query), the search that a press of a chip asks for."""

    wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._query = Query()
        self._chips: list[Chip] = []
        row = FlowLayout(self)
        for which in FILTERS:
            chip = Chip(which.title, theme, name=f"filter_{which.key}_{which.value}", tip=which.tip)
            # toggled and not clicked: assistive technology may check a chip without pressing it
            chip.toggled.connect(partial(self._on_toggled, which))
            row.addWidget(chip)
            self._chips.append(chip)

    def show_query(self, query: Query) -> None:
        """Mark the chips that this search asks for."""
        self._query = query
        for which, chip in zip(FILTERS, self._chips, strict=True):
            with QSignalBlocker(chip):
                chip.setChecked(which.value in chosen(query, which.key))

    def show_counts(self, numbers: Sequence[int]) -> None:
        """Write the number of samples on each chip, in the order of FILTERS."""
        for chip, number in zip(self._chips, numbers, strict=True):
            chip.set_count(number)

    def _on_toggled(self, which: Filter, _checked: bool) -> None:
        wanted = toggled(self._query, which)
        self.show_query(self._query)  # the search decides what is checked
        self.wanted.emit(wanted)
