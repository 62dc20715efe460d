"""Put new samples into the workspace: the one door for imports, mining, the bundle and the teacher's answers.

A conversation whose text any living sample has or had is a duplicate and stays out. Recording the operation is the caller's business.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from core.samples.conversation import NewSample, Text, text_of

_WORDS = "INSERT INTO words (rowid, prompt, response) VALUES (?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Added:
    """ids: of the samples that are new, in the order given. duplicates: how many were there already or came twice."""

    ids: tuple[int, ...]
    duplicates: int


def add(connection: sqlite3.Connection, new: Sequence[NewSample], *, author: str) -> Added:
    """Insert samples inside the caller's transaction. author: who brought them, such as `import`. The messages must be samples."""
    texts = [text_of(sample.messages) for sample in new]
    known = _known_hashes(connection, texts)
    fresh: list[tuple[NewSample, Text]] = []
    for sample, text in zip(new, texts, strict=True):
        if text.hash not in known:
            known.add(text.hash)
            fresh.append((sample, text))
    first = _next_id(connection, "sample")
    first_version = _next_id(connection, "version")
    now = int(time.time())
    ids = range(first, first + len(fresh))
    uids = secrets.token_hex(8 * len(fresh))
    numbered = list(zip(ids, range(first_version, first_version + len(fresh)), fresh, strict=True))
    connection.executemany(
        "INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                key,
                uids[16 * n : 16 * n + 16],
                version,
                text.title,
                sample.topic,
                sample.source,
                text.tokens,
                text.lines,
                now,
            )
            for n, (key, version, (sample, text)) in enumerate(numbered)
        ],
    )
    connection.executemany(
        """
        INSERT INTO version (id, sample_id, hash, title, tokens, lines, author, created, context, prompt, response, code, test)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [(version, key, *_columns(text, author, now)) for key, version, (_, text) in numbered],
    )
    connection.executemany(_WORDS, [(version, text.prompt, text.response) for _, version, (_, text) in numbered])
    connection.executemany("INSERT INTO review (sample_id) VALUES (?)", [(key,) for key in ids])
    connection.executemany("INSERT INTO verdict (version_id, sample_id, current) VALUES (?, ?, 1)", [(version, key) for key, version, _ in numbered])  # fmt: skip
    connection.executemany(
        "INSERT OR IGNORE INTO tag (name, sample_id) VALUES (?, ?)",
        [(tag, key) for key, _, (sample, _) in numbered for tag in sample.tags],
    )
    return Added(tuple(ids), len(new) - len(fresh))


def add_version(connection: sqlite3.Connection, sample_id: int, parent: int, text: Text, *, author: str) -> int:
    """Store another text of a sample inside the caller's transaction, without choosing it; returns the version."""
    version = _next_id(connection, "version")
    connection.execute(
        """
        INSERT INTO version (id, sample_id, hash, title, tokens, lines, author, created, context, prompt, response, code, test, parent)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (version, sample_id, *_columns(text, author, int(time.time())), parent),
    )
    connection.execute(_WORDS, (version, text.prompt, text.response))
    connection.execute("INSERT INTO verdict (version_id, sample_id, current) VALUES (?, ?, 0)", (version, sample_id))
    return version


def _columns(text: Text, author: str, now: int) -> tuple[object, ...]:
    return (
        text.hash, text.title, text.tokens, text.lines, author, now, text.context, text.prompt, text.response, text.code, text.test,
    )  # fmt: skip


def _next_id(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])


def _known_hashes(connection: sqlite3.Connection, texts: Sequence[Text]) -> set[bytes]:
    known: set[bytes] = set()
    for start in range(0, len(texts), 500):
        hashes = [text.hash for text in texts[start : start + 500]]
        marks = ",".join("?" * len(hashes))
        known.update(
            row[0]
            for row in connection.execute(
                f"SELECT t.hash FROM version t JOIN review r ON r.sample_id = t.sample_id WHERE t.hash IN ({marks}) AND r.deleted = 0",
                hashes,
            )
        )
    return known
