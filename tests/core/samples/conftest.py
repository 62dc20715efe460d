"""A workspace database of a test's own, empty or with a few samples whose texts say who they are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.database import connect, migrate, transaction
from core.samples import adding, membership
from core.samples.conversation import Message, NewSample


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = connect(tmp_path / "gosmith.db")
    migrate(made)
    membership.attach(made, tmp_path / "snapshots")
    yield made
    made.close()


def sample(number: int, **fields: Any) -> NewSample:
    code = f"package p{number}\n\nfunc F{number}() int {{ return {number} }}\n"
    answer = f"Number {number}:\n\n```go\n{code}```\n"
    return NewSample((Message("user", f"Write function {number}."), Message("assistant", answer)), **fields)


@pytest.fixture
def fill(connection: sqlite3.Connection) -> Callable[..., tuple[int, ...]]:
    """`fill(5, topic="errors")` adds five samples and returns their ids."""
    start = 0

    def add(count: int, **fields: Any) -> tuple[int, ...]:
        nonlocal start
        with transaction(connection):
            added = adding.add(connection, [sample(start + n, **fields) for n in range(count)], author="test")
        start += count
        return added.ids

    return add


def dump(connection: sqlite3.Connection) -> str:
    """Everything a person could see or lose, as one text."""
    tables = {
        "review": "SELECT * FROM review ORDER BY 1",
        "tag": "SELECT sample_id, name FROM tag ORDER BY 1, 2",
        "sample": "SELECT id, version_id, title, tokens, lines FROM sample ORDER BY 1",
        "verdict": "SELECT sample_id, version_id FROM verdict WHERE current = 1 ORDER BY 1",
    }
    return json.dumps({name: connection.execute(sql).fetchall() for name, sql in tables.items()})
