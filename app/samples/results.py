"""What a search finds, found off the GUI thread: the ids for the table, and later the numbers for chips and buttons.

A newer search overtakes an older one, whose statement is interrupted and whose answer is dropped.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from app.samples import filters
from app.tasks import Task, TaskRunner
from core.errors import UserError
from core.samples import membership
from core.samples import query as queries
from core.samples.query import Condition, Query

_COUNT_MS = 120
"""Numbers may lag behind the rows; they must not stand in the way of the next key."""
FIRST = 512
"""Rows that are found and painted before the rest of a long answer."""


@dataclass(frozen=True, slots=True)
class Counts:
    """query: the search that was counted. total: samples in the workspace. unchecked: of these, by Go. matching: what the search finds now. trainable: without the rejected ones, unless it
    names a status. filters: in the order of FILTERS. names: values that occur, for completion."""

    query: Query
    total: int
    unchecked: int
    matching: int
    trainable: int
    filters: Sequence[int]
    names: Mapping[str, Sequence[str]]


def training_query(query: Query) -> Query:
    """What "Train on …" means: the search, but never rejected samples unless it names a status itself."""
    if any(condition.key == "status" for condition in query.conditions):
        return query
    return queries.parse(f"{queries.render(query)} -status:rejected".strip())


class Results(QObject):
    """Attributes: query (the search whose ids were delivered last).

    Signals:
        found(Query, ids, whole)    ids is an array("q"); of a long answer the first ids come at once, and soon after the whole
        arrived(Query, ids)         of the same search, samples that are newer than all that was delivered
        counted(Counts)
        failed(UserError)
    """

    arrived = Signal(object, object)
    found = Signal(object, object, bool)
    counted = Signal(object)
    failed = Signal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._search: Task | None = None
        self._count: Task | None = None
        self._arrivals: Task | None = None
        self._missed: Callable[[], array[int]] | None = None
        self._names: Mapping[str, Sequence[str]] | None = None
        self.query = Query()
        self._rest_timer = QTimer(self, singleShot=True, interval=0)  # after the paint of the first rows
        self._rest_timer.timeout.connect(self._search_rest)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_COUNT_MS)
        self._timer.timeout.connect(self._start_count)

    @property
    def searching(self) -> bool:
        """Is an answer on its way?"""
        return self._rest_timer.isActive() or (self._search is not None and not self._search.finished)

    def search(self, query: Query) -> None:
        """Find these samples; what was asked before is forgotten."""
        for task in (self._search, self._count):
            if task is not None and not task.finished:
                task.cancel()
        self._rest_timer.stop()
        self._search = self._tasks.run_query(
            lambda connection: queries.first(connection, query, FIRST),
            lambda ids: self._on_first(query, ids),
            self.failed.emit,
            owner=self,
        )

    def look_for_arrivals(self, shown: Callable[[], array[int]]) -> None:
        """Find what the same search finds by now that is newer than all that is shown; `arrived` follows, unless there is none."""
        if self._arrivals is not None and not self._arrivals.finished:
            self._missed = shown
            return
        query, ids, self._missed = self.query, shown(), None

        def look(connection: sqlite3.Connection) -> array[int]:
            newer = Condition("id", (f">{max(ids, default=0)}",))
            return queries.ids(connection, replace(query, conditions=(*query.conditions, newer)))

        self._arrivals = self._tasks.run_query(
            look, lambda found: self._on_arrived(query, found), self.failed.emit, owner=self
        )

    def _on_arrived(self, query: Query, ids: array[int]) -> None:
        if len(ids) and query == self.query:
            self.arrived.emit(query, ids)
        self.count_soon()
        if self._missed is not None:
            self.look_for_arrivals(self._missed)

    def count_soon(self, *, names: bool = False) -> None:
        """Count again in a moment. names: the values that occur may have changed as well."""
        if names:
            self._names = None
        self._timer.start()

    def _on_first(self, query: Query, ids: array[int]) -> None:
        if len(ids) < FIRST:
            self._on_whole(query, ids)
            return
        self.query = query
        self.found.emit(query, ids, False)
        self._rest_timer.start()

    def _search_rest(self) -> None:
        query = self.query
        self._search = self._tasks.run_query(
            lambda connection: queries.ids(connection, query),
            lambda ids: self._on_whole(query, ids),
            self.failed.emit,
            owner=self,
        )

    def _on_whole(self, query: Query, ids: array[int]) -> None:
        self.query = query
        self.found.emit(query, ids, True)
        self.count_soon()

    def _start_count(self) -> None:
        if self._count is not None and not self._count.finished:
            self._count.cancel()
        query, names = self.query, self._names
        self._count = self._tasks.run_query(
            lambda connection: _count(connection, query, names), self._on_counted, self._on_not_counted, owner=self
        )

    def _on_counted(self, counts: Counts) -> None:
        self._names = counts.names
        self.counted.emit(counts)

    def _on_not_counted(self, error: UserError) -> None:
        self.failed.emit(error)


def _count(connection: sqlite3.Connection, query: Query, names: Mapping[str, Sequence[str]] | None) -> Counts:
    everything = Query()
    matching = queries.count(connection, query)
    trainable = queries.count(connection, training_query(query))
    if names is None:
        facets = queries.facets(connection, everything)
        names = {
            "topic": list(facets.topic),
            "source": list(facets.source),
            "tag": list(facets.tag),
            "reason": list(facets.reason),
        }
    names = {**names, "snapshot": membership.known_names(connection)}  # they come and go without the samples' changing
    total = queries.count(connection, everything)
    unchecked = queries.count(connection, queries.having(everything, "verdict", ("unchecked",)))
    return Counts(query, total, unchecked, matching, trainable, filters.counts(connection, query), names)
