"""An answer of the playground made into a sample, with where it comes from: which model, asked what, with which settings, changed or not.

One operation of the log, so that undo takes it out again. Whether the answer is good is said by a person, and by Go where it was asked.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.database import transaction
from core.errors import UserError
from core.golang.answers import AnswerVerdict
from core.samples import contamination, minhash, neighbours, operations
from core.samples.adding import add
from core.samples.conversation import Message, NewSample, content_hash, problem, text_of
from core.samples.operations import Operation
from core.samples.store import STATUSES, VerdictRecord, put_verdicts

NEAR = 0.8
"""Similarity of code from which a sample is named as a near copy."""
_ASKED = 8


@dataclass(frozen=True, slots=True)
class Answered:
    """model, path, run, step: as in `core.models.Model`. conversation, message: ids in the workspace's conversations. settings: really used.

    original: what the model said, None where the person changed nothing. created: seconds since the epoch, when it became a sample.
    """

    model: str
    path: str
    run: str
    step: int | None
    conversation: str
    message: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    original: str | None = None
    created: int = 0


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of it: the new sample, and the entry of the log."""

    sample: int
    operation: Operation


def save(
    connection: sqlite3.Connection,
    messages: Sequence[Message],
    origin: Answered,
    *,
    status: str = "new",
    tags: Sequence[str] = (),
    verdict: AnswerVerdict | None = None,
    author: str = "me",
) -> Saved:
    """Store the conversation as a sample whose source is the model's name. verdict: what Go said of the last message, with its own test.

    Raises UserError when the messages are no sample, when a sample with the same text is there, and for a status that there is not.
    """
    reason = problem(messages)
    if reason:
        raise UserError(f"This cannot be a sample: {reason}.", "Change the answer, or choose another turn.")
    if status not in STATUSES:
        raise UserError(f"There is no decision “{status}”.", f"Known are: {', '.join(STATUSES)}.")
    with transaction(connection):
        there = same_text(connection, messages)
        if there is not None:
            raise UserError(f"Sample {there} has this text already.", "Nothing was added.")
        (key,) = add(connection, [NewSample(tuple(messages), source=origin.model, tags=tuple(tags))], author=author).ids
        now = int(time.time())
        connection.execute(
            "INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, origin.model, origin.path, origin.run, origin.step, origin.conversation, origin.message,
                json.dumps(dict(origin.settings)), origin.original, now,
            ),
        )  # fmt: skip
        if status != "new":
            connection.execute(
                "UPDATE review SET status = ?, author = ?, updated = ? WHERE sample_id = ?",
                (STATUSES.index(status), author, now, key),
            )
        version = connection.execute("SELECT version_id FROM sample WHERE id = ?", (key,)).fetchone()[0]
        if verdict is not None and not verdict.given:
            record = VerdictRecord(
                version, dict(verdict.states), verdict.diagnostics, verdict.toolchain, verdict.policy
            )
            put_verdicts(connection, [record])
        entry = operations.begin(connection, author)
        operations.put_part(connection, entry, "review", {"deleted": 1}, {"deleted": 0}, [key])
        label = f"Save an answer of {origin.model} as sample {key}"
        operations.close(connection, entry, label, 1)
        return Saved(key, Operation(entry, label, 1, operations.changes_of(connection, entry, 1)))


def origin(connection: sqlite3.Connection, sample_id: int) -> Answered | None:
    """Where a sample comes from; None for one that was not made of an answer."""
    row = connection.execute(
        "SELECT model, path, run, step, conversation, message, settings, original, created FROM answered WHERE sample_id = ?",
        (sample_id,),
    ).fetchone()
    if row is None:
        return None
    model, path, run, step, conversation, message, settings, original, created = row
    return Answered(model, path, run, step, conversation, message, json.loads(settings), original, created)


def same_text(connection: sqlite3.Connection, messages: Sequence[Message]) -> int | None:
    """The living sample that has, or had, exactly this text."""
    row = connection.execute(
        "SELECT t.sample_id FROM version t JOIN review r ON r.sample_id = t.sample_id WHERE t.hash = ? AND r.deleted = 0",
        (content_hash(messages),),
    ).fetchone()
    return None if row is None else int(row[0])


def warnings(connection: sqlite3.Connection, messages: Sequence[Message]) -> list[str]:
    """What speaks against storing this text: that it is there already, or nearly, or that it gives away a problem of a suite; a sentence each.

    Near copies are looked for among the samples whose words are most like these; reads only, some ten milliseconds.
    """
    if problem(messages):
        return []
    there = same_text(connection, messages)
    if there is not None:
        return [f"Sample {there} has this text already."]
    return [*_near_copies(connection, messages), *_given_away(connection, messages)]


def _near_copies(connection: sqlite3.Connection, messages: Sequence[Message]) -> Iterator[str]:
    text = text_of(messages)
    if not text.code:
        return
    best: tuple[float, int] = (0.0, 0)
    for key in neighbours.nearest(connection, f"{text.prompt}\n{text.code}", _ASKED):
        code = connection.execute(
            "SELECT t.code FROM sample s JOIN version t ON t.id = s.version_id WHERE s.id = ?", (key,)
        ).fetchone()[0]
        if code:
            best = max(best, (minhash.similarity(text.code, code), key))
    if best[0] >= NEAR:
        yield f"Its code is {best[0]:.0%} that of sample {best[1]}."


def _given_away(connection: sqlite3.Connection, messages: Sequence[Message]) -> Iterator[str]:
    known = contamination.problems(connection)
    if known:
        text = text_of(messages)
        found = contamination.places(contamination.index_of(known), text.prompt, text.response, text.code)
        tasks = sorted({known[one.problem].task for one in found})
        if tasks:
            yield f"It gives away {', '.join(tasks[:3])}{' and more' if len(tasks) > 3 else ''} of a suite: it will never leave the workspace."
