"""Saved views: searches worth keeping, by the name a person gave. A view is text of the search language and nothing more.

Saving under a name that exists replaces it; views are no part of the operation log, because they change no sample.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from core.database import transaction
from core.errors import UserError
from core.samples.language import parse, render

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class View:
    """query: in the plainest form of the search language."""

    name: str
    query: str


def save(connection: sqlite3.Connection, name: str, query: str) -> View:
    """Keep a search under a name. Raises UserError when the name is empty or too long, or the search is none."""
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise UserError(f"“{name[:_LONGEST]}” cannot be the name of a view.", f"Use 1 to {_LONGEST} visible letters.")
    view = View(name, render(parse(query)))
    with transaction(connection):
        connection.execute("DELETE FROM view WHERE name = ?", (name,))
        connection.execute("INSERT INTO view VALUES (?, ?, ?)", (name, view.query, int(time.time())))
    return view


def list_views(connection: sqlite3.Connection) -> list[View]:
    """All views by name."""
    return [View(*row) for row in connection.execute("SELECT name, query FROM view ORDER BY name")]


def find(connection: sqlite3.Connection, name: str) -> View:
    """One view, whatever the case of its name. Raises UserError when there is none."""
    row = connection.execute("SELECT name, query FROM view WHERE name = ?", (name,)).fetchone()
    if row is None:
        known = ", ".join(view.name for view in list_views(connection)[:8])
        raise UserError(f"There is no view “{name}”.", f"There are: {known}." if known else "Save a search first.")
    return View(*row)


def delete(connection: sqlite3.Connection, name: str) -> None:
    """Forget a view; its samples are not touched. Raises UserError when there is none."""
    view = find(connection, name)
    with transaction(connection):
        connection.execute("DELETE FROM view WHERE name = ?", (view.name,))
