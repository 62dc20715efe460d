"""Samples that bring a test of their own: what a model can be asked again, and judged by."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from core.samples import query as queries
from core.samples.query import Query


@dataclass(frozen=True, slots=True)
class Tested:
    """A sample's id and title."""

    id: int
    title: str


def with_tests(connection: sqlite3.Connection, search: Query, most: int) -> tuple[Tested, ...]:
    """Samples that the search finds and whose answer holds a test, in its order; at most `most`."""
    sql, parameters = queries.select(search)
    found = connection.execute(
        f"""
        SELECT s.id, s.title FROM ({sql} LIMIT -1) AS found
        JOIN sample s ON s.id = found.id JOIN version t ON t.id = s.version_id
        WHERE t.test <> '' LIMIT ?
        """,
        (*parameters, most),
    )
    return tuple(Tested(*row) for row in found)
