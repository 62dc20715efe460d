"""Everything a person does to samples: decide, rate, note, tag, edit, delete. Each is one operation of the log.

Every function is one transaction, durable when it returns, and works on ids or on a whole query. A change that changes nothing is not logged.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence

from core.changes import Changes
from core.database import transaction
from core.errors import UserError
from core.samples import operations
from core.samples.adding import add_version
from core.samples.conversation import Message, messages_of, problem, text_of
from core.samples.operations import Operation, Scope, UndoState, redo, undo, undo_state
from core.samples.store import STATUSES

__all__ = [
    "Operation",
    "Scope",
    "UndoState",
    "delete",
    "edit",
    "redo",
    "restore",
    "review",
    "tag",
    "undo",
    "undo_state",
]

_VERBS = {"new": "Reopen", "accepted": "Accept", "rejected": "Reject", "needs_work": "Mark as needing work:"}


def review(
    connection: sqlite3.Connection,
    scope: Scope,
    *,
    status: str | None = None,
    rating: int | None = None,
    reasons: Sequence[str] | None = None,
    note: str | None = None,
    author: str = "me",
) -> Operation:
    """Decide on samples; what is None stays as it is.

    status: one of STATUSES; another decision than a rejection or needs_work takes away the reasons. rating: 1 to 5, 0 takes it away.
    """
    values: dict[str, object] = {}
    if status is not None:
        if status not in STATUSES:
            raise UserError(f"There is no decision “{status}”.", f"Known are: {', '.join(STATUSES)}.")
        values["status"] = STATUSES.index(status)
        if reasons is None and status in ("new", "accepted"):
            reasons = ()
    if rating is not None:
        if not 0 <= rating <= 5:
            raise UserError(
                f"A rating of {rating} is not possible.", "Ratings go from 1 to 5; 0 takes the rating away."
            )
        values["rating"] = rating or None
    if reasons is not None:
        values["reasons"] = json.dumps(
            list(dict.fromkeys(reason.strip() for reason in reasons if reason.strip())), ensure_ascii=False
        )
    if note is not None:
        values["note"] = note
    if not values:
        raise UserError("Nothing was decided.", "Give a status, a rating, reasons or a note.")
    verb = _verb(status, rating, reasons, note)
    return _on_reviews(connection, scope, verb, values, author)


def _verb(status: str | None, rating: int | None, reasons: Sequence[str] | None, note: str | None) -> str:
    if status is not None:
        return _VERBS[status]
    if rating is not None:
        return f"Rate {rating}:" if rating else "Clear the rating of"
    return "Note on" if note is not None else "Give reasons for"


def delete(connection: sqlite3.Connection, scope: Scope, *, author: str = "me") -> Operation:
    """Put samples aside: they leave lists, counts, exports and snapshots, and can be restored."""
    return _on_reviews(connection, scope, "Delete", {"deleted": 1}, author)


def restore(connection: sqlite3.Connection, scope: Scope, *, author: str = "me") -> Operation:
    """Bring deleted samples back; as a query, one with `deleted:yes`."""
    return _on_reviews(connection, scope, "Restore", {"deleted": 0}, author)


def tag(
    connection: sqlite3.Connection,
    scope: Scope,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    author: str = "me",
) -> Operation:
    """Give samples tags and take tags away. Raises UserError for an empty tag."""
    added, removed = _tags(add), _tags(remove)
    if not added and not removed:
        raise UserError("No tag was named.", "Name at least one tag to add or to remove.")

    def change(operation: int) -> int:
        for name in added:
            operations.change_tag(connection, operation, name, present=True)
        for name in removed:
            operations.change_tag(connection, operation, name, present=False)
        listed = "SELECT DISTINCT e.value FROM operation_part p JOIN json_each(p.ids) e WHERE p.operation_id = ?"
        return int(connection.execute(f"SELECT count(*) FROM ({listed})", (operation,)).fetchone()[0])

    names = ", ".join([*added, *(f"−{name}" for name in removed)])
    return _operate(connection, scope, f"Tag {names}:", author, change)


def _tags(names: Iterable[str]) -> list[str]:
    cleaned = list(dict.fromkeys(" ".join(name.split()) for name in names))
    if "" in cleaned:
        raise UserError("A tag is empty.", "Give the tag a name.")
    return cleaned


def edit(
    connection: sqlite3.Connection, sample_id: int, response: str, *, base_version: int, author: str = "me"
) -> Operation:
    """Give a sample another last answer, as a new version on top of `base_version`; the old one stays.

    Raises UserError when the sample has another version by now (nothing is overwritten), when there is no such sample, or when the answer is empty.
    """
    with transaction(connection):
        found = connection.execute(
            "SELECT s.version_id, t.context, t.prompt, t.response FROM sample s JOIN version t ON t.id = s.version_id WHERE s.id = ?",
            (sample_id,),
        ).fetchone()
        if found is None:
            raise UserError(f"There is no sample {sample_id}.", "List the samples to see which there are.")
        current, context, prompt, old = found
        if current != base_version:
            raise UserError(
                f"Sample {sample_id} was changed by someone else since you opened it.",
                "Copy your text, open the sample again and put your change on top of the new version.",
            )
        title = f"Edit sample {sample_id}"
        if response == old:
            return Operation(0, title, 0, Changes())
        messages = (*messages_of(context, prompt, old)[:-1], Message("assistant", response))
        reason = problem(messages)
        if reason:
            raise UserError(
                f"Sample {sample_id} cannot be saved so: {reason}.", "Write an answer, or delete the sample."
            )
        version = add_version(connection, sample_id, base_version, text_of(messages), author=author)
        operation = operations.begin(connection, author)
        operations.put_part(
            connection, operation, "version", {"version": base_version}, {"version": version}, [sample_id]
        )
        operations.choose_version(connection, sample_id, version)
        operations.close(connection, operation, title, 1)
        return Operation(operation, title, 1, Changes(text=True, ids=(sample_id,)))


def _on_reviews(
    connection: sqlite3.Connection, scope: Scope, verb: str, values: dict[str, object], author: str
) -> Operation:
    always = {"author": author, "updated": int(time.time())}
    return _operate(
        connection,
        scope,
        verb,
        author,
        lambda operation: operations.change_review(connection, operation, values, always),
    )


def _operate(
    connection: sqlite3.Connection, scope: Scope, verb: str, author: str, change: Callable[[int], int]
) -> Operation:
    with transaction(connection):
        operations.set_scope(connection, scope)
        operation = operations.begin(connection, author)
        changed = change(operation)
        title = _title(connection, verb, operation, changed)
        changes = operations.changes_of(connection, operation, changed)
        operations.close(connection, operation, title, changed)
        return Operation(operation if changed else 0, title, changed, changes)


def _title(connection: sqlite3.Connection, verb: str, operation: int, changed: int) -> str:
    if changed == 1:
        only = connection.execute(
            "SELECT json_extract(ids, '$[0]') FROM operation_part WHERE operation_id = ?", (operation,)
        )
        return f"{verb} sample {only.fetchone()[0]}"
    return f"{verb} {changed:,} samples"
