"""Put new samples into the workspace: the one door for imports, mining, the bundle and the teacher's answers.

A conversation whose text any living sample has or had is a duplicate and stays out. Recording the operation is the caller's business.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.samples.conversation import Message, NewSample, Text, text_of

# After the first five columns those of `Text`, in its order.
_VERSION = """
    INSERT INTO version (id, sample_id, parent, author, created, hash, title, tokens, lines, context, prompt, response, code, test)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_WORDS = "INSERT INTO words (rowid, prompt, response) VALUES (?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Added:
    """ids: of the samples that are new, in the order given. duplicates: how many were there already or came twice."""

    ids: tuple[int, ...]
    duplicates: int


class Prepared(NamedTuple):
    """A sample ready to be stored: its text's columns are derived. Plain values, cheap to send to another process."""

    text: Text
    topic: str
    source: str
    tags: tuple[str, ...]


def prepare(messages: Sequence[Message], topic: str, source: str, tags: tuple[str, ...]) -> Prepared:
    """Derive what is stored; the messages must be a sample (`conversation.problem` is empty)."""
    return Prepared(text_of(messages), topic, source, tags)


def add(connection: sqlite3.Connection, new: Sequence[NewSample], *, author: str) -> Added:
    """Insert samples inside the caller's transaction. author: who brought them, such as `import`. The messages must be samples."""
    return insert(
        connection,
        [prepare(sample.messages, sample.topic, sample.source, sample.tags) for sample in new],
        author=author,
    )


def insert(connection: sqlite3.Connection, prepared: Sequence[Prepared], *, author: str) -> Added:
    """`add` of what is prepared already."""
    known = _known_hashes(connection, [one.text.hash for one in prepared])
    fresh: list[Prepared] = []
    for one in prepared:
        if one.text.hash not in known:
            known.add(one.text.hash)
            fresh.append(one)
    first = _next_id(connection, "sample")
    ids = range(first, first + len(fresh))
    first_version = _next_id(connection, "version")
    versions = range(first_version, first_version + len(fresh))
    now = int(time.time())
    chance = secrets.token_hex(8 * len(fresh))
    connection.executemany(
        "INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                key,
                f"{now:08x}{chance[16 * n : 16 * n + 16]}",
                version,
                one.text.title,
                one.topic,
                one.source,
                one.text.tokens,
                one.text.lines,
                now,
            )
            for n, (key, version, one) in enumerate(zip(ids, versions, fresh, strict=True))
        ],
    )
    connection.executemany(
        _VERSION,
        [(version, key, None, author, now, *one.text) for key, version, one in zip(ids, versions, fresh, strict=True)],
    )
    connection.executemany(
        _WORDS, [(version, one.text.prompt, one.text.response) for version, one in zip(versions, fresh, strict=True)]
    )
    connection.executemany("INSERT INTO review (sample_id) VALUES (?)", zip(ids))
    connection.executemany(
        "INSERT INTO verdict (version_id, sample_id, current) VALUES (?, ?, 1)", zip(versions, ids, strict=True)
    )
    connection.executemany(
        "INSERT OR IGNORE INTO tag (name, sample_id) VALUES (?, ?)",
        [(tag, key) for key, one in zip(ids, fresh, strict=True) for tag in one.tags],
    )
    return Added(tuple(ids), len(prepared) - len(fresh))


def add_version(connection: sqlite3.Connection, sample_id: int, parent: int, text: Text, *, author: str) -> int:
    """Store another text of a sample inside the caller's transaction, without choosing it; returns the version."""
    version = _next_id(connection, "version")
    connection.execute(_VERSION, (version, sample_id, parent, author, int(time.time()), *text))
    connection.execute(_WORDS, (version, text.prompt, text.response))
    connection.execute("INSERT INTO verdict (version_id, sample_id, current) VALUES (?, ?, 0)", (version, sample_id))
    return version


def _next_id(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])


def _known_hashes(connection: sqlite3.Connection, hashes: Sequence[bytes]) -> set[bytes]:
    known: set[bytes] = set()
    for start in range(0, len(hashes), 500):
        some = hashes[start : start + 500]
        marks = ",".join("?" * len(some))
        known.update(
            row[0]
            for row in connection.execute(
                f"SELECT t.hash FROM version t JOIN review r ON r.sample_id = t.sample_id WHERE t.hash IN ({marks}) AND r.deleted = 0",
                some,
            )
        )
    return known
