"""Picking a part: different ones first, few of each cluster, without the longest; always the same ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from core.database import transaction
from core.errors import UserError
from core.samples import duplicates, query, selecting, store
from core.samples.adding import add
from core.samples.conversation import Message, NewSample
from core.samples.language import Query, parse

Fill = Callable[..., tuple[int, ...]]
WORDS = ["open", "read", "parse", "sort", "merge", "hash", "send", "wait", "lock", "close"]


@pytest.fixture
def families(connection: sqlite3.Connection) -> list[tuple[int, ...]]:
    """Five families of six near copies each."""
    made = []
    for family in range(5):
        lines = [f"\t{WORDS[(family * 3 + n) % 10]}{family}(x{n * family})" for n in range(25)]
        samples = [
            NewSample(
                (
                    Message("user", f"Family {family}, member {member}"),
                    Message(
                        "assistant",
                        "```go\npackage p\n\nfunc F() {\n" + "\n".join([*lines, f"\tend{member}()"]) + "\n}\n```",
                    ),
                )
            )
            for member in range(6)
        ]
        with transaction(connection):
            made.append(add(connection, samples, author="test").ids)
    return made


def test_diverse_ones_come_from_different_families(
    connection: sqlite3.Connection, families: list[tuple[int, ...]]
) -> None:
    picked = selecting.select(connection, Query(), "diverse", 5)
    assert len(picked) == 5
    assert all(len(set(family) & set(picked)) == 1 for family in families)
    assert selecting.select(connection, Query(), "diverse", 5) == picked
    assert selecting.select(connection, Query(), "diverse", 5, seed=8) != picked
    assert selecting.select(connection, Query(), "diverse", 99) == sorted(key for family in families for key in family)


def test_few_are_kept_of_each_cluster_the_best_among_them(
    connection: sqlite3.Connection, families: list[tuple[int, ...]], fill: Fill
) -> None:
    alone = fill(2)
    found = duplicates.clusters(connection, Query())
    assert sorted(cluster.ids for cluster in found) == sorted(families)
    picked = selecting.select(connection, Query(), "cap", 2)
    assert set(alone) <= set(picked)
    for cluster in found:
        assert len(set(cluster.ids) & set(picked)) == 2
        assert cluster.keeper in picked
    part = selecting.select(connection, parse(f"id:{families[0][0]},{families[0][1]}"), "cap", 1)
    assert len(part) == 1, "members outside the search do not count"


def test_the_longest_are_left_out(connection: sqlite3.Connection, fill: Fill, families: list[tuple[int, ...]]) -> None:
    short = fill(10)
    picked = selecting.select(connection, Query(), "shorter", 75)
    assert picked == sorted(short)
    tokens = {key: row.tokens for key in query.ids(connection, Query()) if (row := store.rows(connection, [key])[0])}
    half = selecting.select(connection, Query(), "shorter", 50)
    assert len(half) == 20
    assert max(tokens[key] for key in half) <= min(tokens[key] for key in tokens if key not in half)


@pytest.mark.parametrize(
    ("method", "amount", "words"),
    [
        ("diverse", 0, "whole number"),
        ("cap", 1.5, "whole number"),
        ("shorter", 100, "per cent"),
        ("luck", 1, "Known are"),
    ],
)
def test_what_cannot_be_is_refused(connection: sqlite3.Connection, method: str, amount: float, words: str) -> None:
    with pytest.raises(UserError) as caught:
        selecting.select(connection, Query(), method, amount)
    assert words in caught.value.hint


@pytest.mark.parametrize(("method", "amount"), [("diverse", 3), ("cap", 3), ("shorter", 3)])
def test_of_nothing_nothing_is_picked(connection: sqlite3.Connection, method: str, amount: float) -> None:
    assert selecting.select(connection, Query(), method, amount) == []
