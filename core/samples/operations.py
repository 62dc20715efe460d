"""The operation log: every change that a person makes is one entry with its inverse, so that undo and redo work on bulk and after a restart.

An entry has parts; a part says what a list of samples looked like before (all alike) and after. Undo writes `before`, redo writes `after`.
The log is a line, not a tree: a new operation forgets what was undone. What machines write (verdicts, near copies) is not logged: it belongs to
versions, which never change. All functions but `undo` and `redo` run inside the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.changes import Changes
from core.database import transaction
from core.samples.query import Query, select
from core.samples.store import NAMED_IDS

_FEW = 8

Scope = Sequence[int] | Query
"""Which samples an operation is about: ids, or all that a query finds at that moment."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One entry of the log. id: 0 when nothing changed and nothing was logged. changed: how many samples."""

    id: int
    label: str
    changed: int
    changes: Changes


@dataclass(frozen=True, slots=True)
class UndoState:
    """What undo and redo would do now; None when there is nothing."""

    undo_label: str | None
    redo_label: str | None


def set_scope(connection: sqlite3.Connection, scope: Scope) -> None:
    """Put the ids of `scope` that exist into the temporary table `scope`."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS scope (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM temp.scope")
    if isinstance(scope, Query):
        sql, parameters = select(scope, ordered=False)
        connection.execute(f"INSERT INTO temp.scope {sql}", parameters)
    else:
        connection.execute(
            "INSERT OR IGNORE INTO temp.scope SELECT r.sample_id FROM json_each(?) e CROSS JOIN review r ON r.sample_id = e.value",
            (json.dumps(list(map(int, scope))),),
        )


def begin(connection: sqlite3.Connection, author: str) -> int:
    """Open an entry of the log and return its id. `close` must follow in the same transaction."""
    cursor = connection.execute(
        "INSERT INTO operation (label, author, created, changed) VALUES ('', ?, ?, 0)", (author, int(time.time()))
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def close(connection: sqlite3.Connection, operation: int, label: str, changed: int) -> None:
    """Name the entry and say how many samples it changed. With none, the entry is forgotten; else what was undone before it is."""
    if changed:
        connection.execute("UPDATE operation SET label = ?, changed = ? WHERE id = ?", (label, changed, operation))
        connection.execute("DELETE FROM operation WHERE undone = 1")
    else:
        connection.execute("DELETE FROM operation WHERE id = ?", (operation,))


def grow(connection: sqlite3.Connection, operation: int, changed: int) -> None:
    """Say how many samples a long operation has changed by now, after another part of it."""
    connection.execute("UPDATE operation SET changed = ? WHERE id = ?", (changed, operation))


def is_open(connection: sqlite3.Connection, operation: int) -> bool:
    """Whether the entry still stands: neither undone nor forgotten. A long import asks before each batch."""
    return (
        connection.execute("SELECT 1 FROM operation WHERE id = ? AND undone = 0", (operation,)).fetchone() is not None
    )


def put_part(connection: sqlite3.Connection, operation: int, subject: str, before: Mapping[str, object], after: Mapping[str, object], ids: Sequence[int]) -> None:  # fmt: skip
    """Log that `ids` go from `before` to `after`; the caller makes it so."""
    connection.execute(
        "INSERT INTO operation_part (operation_id, subject, before, after, ids) VALUES (?, ?, ?, ?, ?)",
        (operation, subject, json.dumps(before), json.dumps(after), json.dumps(list(ids), separators=(",", ":"))),
    )


def apply(connection: sqlite3.Connection, operation: int, subject: str, before: Mapping[str, object], after: Mapping[str, object], ids: Sequence[int]) -> None:  # fmt: skip
    """Log that `ids` go from `before` to `after`, and make it so. subject `opinion`: a reviewer and rows, which replace that reviewer's on `ids`."""
    put_part(connection, operation, subject, before, after, ids)
    _write(connection, subject, dict(after), json.dumps(list(ids)))


def change_review(
    connection: sqlite3.Connection, operation: int, values: Mapping[str, object], always: Mapping[str, object]
) -> int:
    """Set columns of the reviews in the scope, and log it. Returns how many samples changed.

    values: what decides whether a sample changes; always: written along with it, such as who and when. One part a distinct state before, made
    in SQL: fifty thousand samples that were all new are one part. The first few states are parted off one by one, each from what is left;
    grouping sorts everything by four columns, which costs six times as much.
    """
    columns = {**values, **always}
    differs = " OR ".join(f"{column} IS NOT :{column}" for column in values)
    listed, after = ", ".join(columns), json.dumps(columns)
    log = "INSERT INTO operation_part (operation_id, subject, before, after, ids)"
    rows, wanted = "temp.scope CROSS JOIN review ON sample_id = id", differs
    known: dict[str, object] = dict(values)
    first = connection.execute(f"SELECT sample_id FROM {rows} WHERE {wanted} LIMIT 1", known).fetchone()
    for _ in range(_FEW):
        if first is None or first[0] is None:
            break
        before = connection.execute(f"SELECT {listed} FROM review WHERE sample_id = ?", first).fetchone()
        alike = " AND ".join(f"{column} IS :old_{column}" for column in columns)
        state = {f"old_{column}": value for column, value in zip(columns, before, strict=True)}
        found, rest = connection.execute(
            f"""
            SELECT json_group_array(sample_id) FILTER (WHERE {alike}), json_group_array(sample_id) FILTER (WHERE NOT ({alike}))
            FROM {rows} WHERE {wanted}
            """,
            {**known, **state},
        ).fetchone()
        was = json.dumps(dict(zip(columns, before, strict=True)))
        connection.execute(f"{log} VALUES (?, 'review', ?, ?, ?)", (operation, was, after, found))
        rows, wanted, known = "json_each(:rest) CROSS JOIN review ON sample_id = value", "1", {"rest": rest}
        first = connection.execute("SELECT json_extract(?, '$[0]')", (rest,)).fetchone()
    else:
        state_now = "json_object(" + ", ".join(f"'{column}', {column}" for column in columns) + ")"
        connection.execute(
            f"{log} SELECT :operation, 'review', {state_now}, :after, json_group_array(sample_id) FROM {rows} GROUP BY {listed}",
            {**known, "operation": operation, "after": after},
        )
    assignments = ", ".join(f"{column} = :{column}" for column in columns)
    inside = f"sample_id IN (SELECT id FROM temp.scope) AND ({differs})"
    return connection.execute(f"UPDATE review SET {assignments} WHERE {inside}", columns).rowcount


def change_tag(connection: sqlite3.Connection, operation: int, name: str, *, present: bool) -> None:
    """Give the samples in the scope a tag or take it from them, and log it."""
    held = "SELECT sample_id FROM tag WHERE name = :name"
    inside = f"id {'NOT IN' if present else 'IN'} ({held})"
    connection.execute(
        f"""
        INSERT INTO operation_part (operation_id, subject, before, after, ids)
        SELECT :operation, 'tag', json_object('name', :name, 'present', :absent), json_object('name', :name, 'present', :present), json_group_array(id)
        FROM temp.scope WHERE {inside} HAVING count(*) > 0
        """,
        {"operation": operation, "name": name, "present": int(present), "absent": int(not present)},
    )
    _write_tag(connection, name, "SELECT id FROM temp.scope", (), present=present)


def choose_version(connection: sqlite3.Connection, sample_id: int, version: int) -> None:
    """Make `version` the sample's text; what lists show of it follows. Logging it is the caller's business."""
    connection.execute(
        """
        UPDATE sample SET (version_id, title, tokens, lines) = (SELECT id, title, tokens, lines FROM version WHERE id = ?) WHERE id = ?
        """,
        (version, sample_id),
    )


def undo(connection: sqlite3.Connection) -> Operation | None:
    """Take back the last operation that stands; None when there is none. Returns what it was, with what changed now."""
    return _step(
        connection, "SELECT id, label, changed FROM operation WHERE undone = 0 ORDER BY id DESC LIMIT 1", undone=True
    )


def redo(connection: sqlite3.Connection) -> Operation | None:
    """Do again what was undone last; None when there is nothing."""
    return _step(
        connection, "SELECT id, label, changed FROM operation WHERE undone = 1 ORDER BY id LIMIT 1", undone=False
    )


def undo_state(connection: sqlite3.Connection) -> UndoState:
    """The labels of what undo and redo would do."""
    undoable = connection.execute("SELECT label FROM operation WHERE undone = 0 ORDER BY id DESC LIMIT 1").fetchone()
    redoable = connection.execute("SELECT label FROM operation WHERE undone = 1 ORDER BY id LIMIT 1").fetchone()
    return UndoState(undoable and undoable[0], redoable and redoable[0])


def changes_of(connection: sqlite3.Connection, operation: int, changed: int) -> Changes:
    """What the entry, which changed so many samples, touches in either direction."""
    aspects = {"membership": False, "text": False, "review": False, "tag": False}
    for subject, after in connection.execute(
        "SELECT subject, after FROM operation_part WHERE operation_id = ?", (operation,)
    ):
        aspect = (
            "membership"
            if subject == "review" and "deleted" in json.loads(after)
            else {"version": "text", "opinion": "review"}.get(subject, subject)
        )
        aspects[aspect] = True
    if changed > NAMED_IDS:
        return Changes(**aspects, ids=None)
    listed = "SELECT DISTINCT e.value FROM operation_part p JOIN json_each(p.ids) e WHERE p.operation_id = ? ORDER BY 1"
    return Changes(**aspects, ids=tuple(key for (key,) in connection.execute(listed, (operation,))))


def _step(connection: sqlite3.Connection, statement: str, *, undone: bool) -> Operation | None:
    with transaction(connection):
        found = connection.execute(statement).fetchone()
        if found is None:
            return None
        operation, text, changed = found
        parts = connection.execute(
            f"SELECT subject, {'before' if undone else 'after'}, ids FROM operation_part WHERE operation_id = ? ORDER BY id {'DESC' if undone else ''}",
            (operation,),
        )
        for subject, state, ids in parts.fetchall():
            _write(connection, subject, json.loads(state), ids)
        connection.execute("UPDATE operation SET undone = ? WHERE id = ?", (int(undone), operation))
        return Operation(operation, text, changed, changes_of(connection, operation, changed))


def _write(connection: sqlite3.Connection, subject: str, state: dict[str, object], ids: str) -> None:
    if subject == "review":
        assignments = ", ".join(f"{column} = ?" for column in state)
        connection.execute(
            f"UPDATE review SET {assignments} WHERE sample_id IN (SELECT value FROM json_each(?))",
            (*state.values(), ids),
        )
    elif subject == "tag":
        _write_tag(
            connection, str(state["name"]), "SELECT value FROM json_each(?)", (ids,), present=bool(state["present"])
        )
    elif subject == "opinion":
        connection.execute(
            "DELETE FROM opinion WHERE reviewer = ? AND sample_id IN (SELECT value FROM json_each(?))",
            (state["reviewer"], ids),
        )
        rows = state["rows"]
        assert isinstance(rows, list)
        connection.executemany(
            "INSERT INTO opinion (sample_id, reviewer, status, rating, reasons, note, updated) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(key, state["reviewer"], *rest) for key, *rest in rows],
        )
    else:
        for sample_id in json.loads(ids):
            choose_version(connection, sample_id, int(str(state["version"])))


def _write_tag(connection: sqlite3.Connection, name: str, ids: str, parameters: tuple[object, ...], *, present: bool) -> None:  # fmt: skip
    if present:
        connection.execute(
            f"INSERT OR IGNORE INTO tag (name, sample_id) SELECT ?, x.* FROM ({ids}) x", (name, *parameters)
        )
    else:
        connection.execute(f"DELETE FROM tag WHERE name = ? AND sample_id IN ({ids})", (name, *parameters))
