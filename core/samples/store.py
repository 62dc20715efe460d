"""Read samples: rows for lists, whole samples for the detail pane, their versions; and take verdicts in.

Lists get list columns only, never text. Nothing here changes what a person wrote: that is `edits`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.changes import Changes
from core.database import transaction
from core.errors import UserError
from core.golang.checker import CHECKS, Diagnostic
from core.samples.conversation import Message, messages_of

STATUSES = ("new", "accepted", "rejected", "needs_work")
"""The decisions; a review stores the position in this tuple."""
STATES = ("fail", "pass", "skipped")
"""What a check can say; a verdict stores the position in this tuple, NULL while unchecked."""
NAMED_IDS = 2000
"""Changes to more samples than this name no ids: a view refreshes as a whole."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What each check says: pass, fail, skipped, or None while unchecked. external: it imports beyond the standard library, so that most cannot be asked."""

    parse: str | None = None
    format: str | None = None
    types: str | None = None
    vet: str | None = None
    test: str | None = None
    external: bool = False


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample as a list shows it. title: at most 120 characters. tokens: estimated. duplicate: a near copy that is not its cluster's keeper.

    score: how likely the apprentice thinks that a person accepts it, in percent; judge: the newest score of its text by a judge, 0 to 100.
    Both None where nobody asked.
    """

    id: int
    title: str
    status: str
    rating: int | None
    topic: str
    source: str
    tokens: int
    lines: int
    verdict: Verdicts
    tags: tuple[str, ...]
    duplicate: bool
    version: int
    deleted: bool
    score: int | None
    judge: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A whole sample at its current version. created, updated: seconds since the epoch, UTC; updated is the last edit or decision.

    author: who decided last. policy: what Gosmith complains of where the compiler does not; each one's `check` is of `language.POLICIES`.
    """

    id: int
    uid: str
    version: int
    messages: tuple[Message, ...]
    prompt: str
    response: str
    code: str
    test: str
    status: str
    rating: int | None
    reasons: tuple[str, ...]
    note: str
    topic: str
    source: str
    tags: tuple[str, ...]
    verdict: Verdicts
    diagnostics: tuple[Diagnostic, ...]
    toolchain: str
    duplicate: bool
    deleted: bool
    author: str
    created: int
    updated: int
    score: int | None
    judge: int | None
    policy: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable text of a sample; parent is None for the first."""

    id: int
    parent: int | None
    messages: tuple[Message, ...]
    author: str
    created: int


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """What the toolchain says of one version. states: check -> pass, fail or skipped; checks not named keep what they had.

    policy: all that breaks a policy, the kind as `check`; None where nobody looked, and then what is stored stays.
    """

    version: int
    states: dict[str, str]
    diagnostics: tuple[Diagnostic, ...] = ()
    toolchain: str = ""
    policy: tuple[Diagnostic, ...] | None = None


JUDGE = "(SELECT j.score FROM judgement j WHERE j.version_id = s.version_id AND j.score IS NOT NULL ORDER BY j.id DESC LIMIT 1)"
"""SQL of the newest score that a judge gave the present text of sample `s`."""
_COLUMNS = f"""
    s.title, r.status, r.rating, s.topic, s.source, s.tokens, s.lines, v.parse, v.format, v.types, v.vet, v.test,
    (SELECT group_concat(name, char(31)) FROM (SELECT name FROM tag WHERE sample_id = s.id ORDER BY name)) AS tags,
    EXISTS (SELECT 1 FROM duplicate d WHERE d.sample_id = s.id AND d.keeper <> s.id) AS duplicate,
    s.version_id, r.deleted, (SELECT percent FROM score WHERE score.version_id = s.version_id), {JUDGE},
    EXISTS (SELECT 1 FROM policy p WHERE p.version_id = s.version_id AND p.kind = 'external')
"""
_TABLES = "sample s JOIN review r ON r.sample_id = s.id JOIN verdict v ON v.version_id = s.version_id"


def rows(connection: sqlite3.Connection, ids: Sequence[int]) -> list[SampleRow | None]:
    """The rows of `ids`, in that order; None where there is no such sample. Deleted samples still have their row."""
    statement = f"SELECT s.id, {_COLUMNS} FROM {_TABLES} WHERE s.id IN (SELECT value FROM json_each(?))"
    found = {row[0]: _row(row) for row in connection.execute(statement, (json.dumps(list(ids)),))}
    return [found.get(key) for key in ids]


def _row(row: Sequence[Any]) -> SampleRow:
    (
        key,
        title,
        status,
        rating,
        topic,
        source,
        tokens,
        lines,
        *checks,
        tags,
        duplicate,
        version,
        deleted,
        score,
        judge,
        external,
    ) = row
    return SampleRow(
        key,
        title,
        STATUSES[status],
        rating,
        topic,
        source,
        tokens,
        lines,
        verdicts(checks, external=bool(external)),
        _split(tags),
        bool(duplicate),
        version,
        bool(deleted),
        score,
        judge,
    )


def verdicts(checks: Sequence[int | None], *, external: bool = False) -> Verdicts:
    """The five stored numbers as words."""
    parse, format_, types, vet, test = (None if state is None else STATES[state] for state in checks)
    return Verdicts(parse, format_, types, vet, test, external)


def _split(tags: str | None) -> tuple[str, ...]:
    return tuple(tags.split("\x1f")) if tags else ()


def sample(connection: sqlite3.Connection, sample_id: int) -> Sample:
    """The sample with everything that belongs to its current version. Raises UserError when there is none."""
    found = connection.execute(
        f"""
        SELECT s.uid, t.context, t.prompt, t.response, t.code, t.test, r.reasons, r.note, v.toolchain, r.author,
               s.created, max(t.created, coalesce(r.updated, 0)), {_COLUMNS}
        FROM {_TABLES} JOIN version t ON t.id = s.version_id WHERE s.id = ?
        """,
        (sample_id,),
    ).fetchone()
    if found is None:
        raise UserError(f"There is no sample {sample_id}.", "List the samples to see which there are.")
    uid, context, prompt, response, code, test, reasons, note, toolchain, author, created, updated, *columns = found
    row = _row((sample_id, *columns))
    return Sample(
        id=sample_id, uid=uid, version=row.version, messages=messages_of(context, prompt, response), prompt=prompt, response=response, code=code,
        test=test, status=row.status, rating=row.rating, reasons=tuple(json.loads(reasons)), note=note, topic=row.topic, source=row.source,
        tags=row.tags, verdict=row.verdict, diagnostics=diagnostics(connection, row.version), toolchain=toolchain, duplicate=row.duplicate,
        deleted=row.deleted, author=author, created=created, updated=updated, score=row.score, judge=row.judge, policy=policy(connection, row.version),
    )  # fmt: skip


def touch(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Read the texts of these samples once, so that whoever asks for them next finds them in memory."""
    statement = "SELECT sum(length(t.response)) FROM sample s JOIN version t ON t.id = s.version_id WHERE s.id IN (SELECT value FROM json_each(?))"
    connection.execute(statement, (json.dumps(list(ids)),)).fetchone()


def diagnostics(connection: sqlite3.Connection, version: int) -> tuple[Diagnostic, ...]:
    """What the checks said of a version, in the order they said it; lines count from the first line of its code."""
    statement = 'SELECT "check", line, "column", message FROM diagnostic WHERE version_id = ? ORDER BY position'
    return tuple(Diagnostic(*row) for row in connection.execute(statement, (version,)))


def policy(connection: sqlite3.Connection, version: int) -> tuple[Diagnostic, ...]:
    """What breaks a policy in a version, from top to bottom."""
    statement = 'SELECT kind, line, "column", message FROM policy WHERE version_id = ? ORDER BY line, "column", kind'
    return tuple(Diagnostic(*row) for row in connection.execute(statement, (version,)))


def versions(connection: sqlite3.Connection, sample_id: int) -> list[Version]:
    """All texts the sample has had, oldest first."""
    statement = (
        "SELECT id, parent, context, prompt, response, author, created FROM version WHERE sample_id = ? ORDER BY id"
    )
    return [
        Version(key, parent, messages_of(context, prompt, response), author, created)
        for key, parent, context, prompt, response, author, created in connection.execute(statement, (sample_id,))
    ]


def save_verdicts(connection: sqlite3.Connection, results: Iterable[VerdictRecord]) -> Changes:
    """Store what the toolchain says, in one transaction; versions that do not exist are passed over.

    A verdict of a version that is no longer its sample's text is kept too: undoing an edit brings it back.
    """
    with transaction(connection):
        return put_verdicts(connection, results)


def put_verdicts(connection: sqlite3.Connection, results: Iterable[VerdictRecord]) -> Changes:
    """`save_verdicts` inside the caller's transaction."""
    ids: set[int] = set()
    for record in results:
        found = connection.execute(
            "SELECT sample_id, toolchain FROM verdict WHERE version_id = ?", (record.version,)
        ).fetchone()
        if found is None:
            continue
        if found[1] and record.toolchain and found[1] != record.toolchain:
            _forget_later_checks(connection, record)
        checks = [check for check in CHECKS if check in record.states]
        assignments = "".join(f"{check} = ?, " for check in checks)
        states = [STATES.index(record.states[check]) for check in checks]
        connection.execute(
            f"UPDATE verdict SET {assignments}toolchain = ? WHERE version_id = ?",
            (*states, record.toolchain, record.version),
        )
        _replace_diagnostics(connection, record)
        if record.policy is not None:
            _replace_policy(connection, record.version, record.policy)
        ids.add(found[0])
    return Changes(verdict=bool(ids), ids=tuple(sorted(ids)) if len(ids) <= NAMED_IDS else None)


def _forget_later_checks(connection: sqlite3.Connection, record: VerdictRecord) -> None:
    """What another toolchain said in the checks after those of the record must not pass for what this one says."""
    for check in CHECKS[max((CHECKS.index(name) for name in record.states), default=len(CHECKS)) + 1 :]:
        connection.execute(f"UPDATE verdict SET {check} = NULL WHERE version_id = ?", (record.version,))
        connection.execute(
            'DELETE FROM diagnostic WHERE version_id = ? AND "check" = ?', (record.version, check)
        )  # fmt: skip


def _replace_diagnostics(connection: sqlite3.Connection, record: VerdictRecord) -> None:
    kept = [d for d in diagnostics(connection, record.version) if d.check not in record.states]
    connection.execute("DELETE FROM diagnostic WHERE version_id = ?", (record.version,))
    connection.executemany(
        "INSERT INTO diagnostic VALUES (?, ?, ?, ?, ?, ?)",
        [
            (record.version, position, d.check, d.line, d.column, d.message)
            for position, d in enumerate((*kept, *record.diagnostics))
        ],
    )


def _replace_policy(connection: sqlite3.Connection, version: int, found: Iterable[Diagnostic]) -> None:
    connection.execute("DELETE FROM policy WHERE version_id = ?", (version,))
    connection.executemany(
        "INSERT OR IGNORE INTO policy VALUES (?, ?, ?, ?, ?)",
        [(version, d.check, d.line, d.column, d.message) for d in found],
    )
