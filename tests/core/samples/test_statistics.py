"""Numbers about a search: every bar is what the same search narrowed to that bar finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import transaction
from core.samples import edits, query, statistics, store
from core.samples.language import Query, parse
from core.samples.statistics import Acceptance, Bin

Fill = Callable[..., tuple[int, ...]]


@given(st.lists(st.integers(0, 10_000)))
def test_every_value_is_in_exactly_one_bin(values: list[int]) -> None:
    bins = statistics.histogram(values, statistics.TOKEN_EDGES)
    assert sum(one.count for one in bins) == len(values)
    for one in bins:
        assert one.count == sum(one.low <= value and (one.high is None or value < one.high) for value in values)


def test_each_bin_is_what_the_search_for_it_finds(connection: sqlite3.Connection, fill: Fill) -> None:
    ids = fill(30, topic="errors")
    edits.delete(connection, ids[:3])
    found = statistics.statistics(connection, Query())
    assert sum(one.count for one in found.tokens) == sum(one.count for one in found.lines) == 27
    for key, bins in (("tokens", found.tokens), ("lines", found.lines)):
        for one in bins:
            text = f"{key}:>={one.low}" + (f" {key}:<{one.high}" if one.high else "")
            assert query.count(connection, parse(text)) == one.count
    assert found.facets.topic == {"errors": 27}
    assert found.median <= found.largest


def test_acceptance_is_of_decided_samples_by_source(connection: sqlite3.Connection, fill: Fill) -> None:
    good, bad = fill(6, source="gpt-4"), fill(4, source="mined")
    edits.review(connection, good[:4], status="accepted")
    edits.review(connection, [good[4], *bad[:2]], status="rejected")
    edits.review(connection, bad[2:], status="needs_work")
    found = statistics.statistics(connection, Query())
    assert found.acceptance == (Acceptance("gpt-4", 5, 4), Acceptance("mined", 2, 0))
    narrowed = statistics.statistics(connection, parse("source:mined"))
    assert narrowed.acceptance == (Acceptance("mined", 2, 0),)


def test_of_nothing_there_are_no_numbers_and_no_error(connection: sqlite3.Connection) -> None:
    found = statistics.statistics(connection, Query())
    assert (found.median, found.largest, found.acceptance) == (0, 0, ())
    assert found.tokens[0] == Bin(0, 64, 0)
    assert statistics.count_tokens(connection, Query(), lambda texts: [1] * len(texts)) is None


def test_real_tokens_are_those_of_the_tokenizer(connection: sqlite3.Connection, fill: Fill) -> None:
    fill(25)
    found = statistics.count_tokens(
        connection, Query(), lambda texts: [len(text) for text in texts], limits=(10, 10_000), drawn=20
    )
    assert found is not None
    assert found.drawn == 20
    assert found.share_over == {10: 1.0, 10_000: 0.0}
    assert found.longest >= found.median > 50
    assert found.ratio > 1
    again = statistics.count_tokens(
        connection, Query(), lambda texts: [len(text) for text in texts], (10, 10_000), drawn=20
    )
    assert again == found, "the same samples are drawn each time"


@pytest.mark.parametrize("text", ["zebra", "status:rejected", "tokens:>100000"])
def test_a_search_without_a_match_has_numbers_too(connection: sqlite3.Connection, fill: Fill, text: str) -> None:
    fill(3)
    assert statistics.statistics(connection, parse(text)).facets.total == 0


def test_policies_are_counted_by_sample(connection: sqlite3.Connection, fill: Fill) -> None:
    ids = fill(4)
    versions = [store.sample(connection, key).version for key in ids]
    with transaction(connection):
        connection.executemany(
            "INSERT INTO policy VALUES (?, ?, ?, 1, '')",
            [
                (versions[0], "panic", 1),
                (versions[0], "panic", 5),
                (versions[1], "panic", 2),
                (versions[2], "external", 1),
            ],
        )
    assert dict(statistics.statistics(connection, Query()).policies) == {"panic": 2, "external": 1}
    assert dict(statistics.statistics(connection, parse(f"id:{ids[2]}")).policies) == {"external": 1}
