"""The search language: what is understood, what is refused and how."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.samples import edits, query
from core.samples.language import parse, render

EXAMPLES = [
    "", "errgroup", '"free text"', "status:accepted", "-status:rejected", "verdict:fail check:vet tokens:>200",
    "tag:concurrency source:gpt-4 rating:>=4 dup:yes sort:-tokens", 'topic:"data structures"', "lines:<10 id:17",
    "snapshot:gold-v1,silver* -snapshot:none",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(UserError):
        parse(text)


@pytest.mark.parametrize("text", EXAMPLES)
def test_what_is_rendered_means_the_same(text: str) -> None:
    found = parse(text)
    again = parse(render(found))
    assert (again.conditions, again.words, again.sort) == (found.conditions, found.words, found.sort)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("statsu:accepted", "status"),
        ("status:acepted", "accepted"),
        ("tokens:>many", "tokens"),
        ("sort:colour", "sort"),
    ],
)
def test_what_is_wrong_is_named_with_the_nearest_word(text: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text)
    assert words in str(caught.value)


def test_every_example_runs_against_a_database(connection: sqlite3.Connection, fill: Callable[..., object]) -> None:
    fill(20)
    for text in EXAMPLES:
        found = parse(text)
        assert query.count(connection, found) == len(query.ids(connection, found))


def test_conditions_mean_what_they_say(connection: sqlite3.Connection, fill: Callable[..., tuple[int, ...]]) -> None:
    errors = fill(5, topic="errors")
    http = fill(3, topic="http", source="gpt-4", tags=("web",))
    edits.review(connection, errors[:2], status="accepted", rating=4)
    edits.delete(connection, http[:1])

    def ids(text: str) -> set[int]:
        return set(query.ids(connection, parse(text)))

    assert ids("topic:errors") == set(errors)
    assert ids("-topic:errors") == set(http[1:])
    assert ids("status:accepted") == set(errors[:2])
    assert ids("rating:>=4") == set(errors[:2])
    assert ids("rating:>=5") == set()
    assert ids("tag:web source:gpt-4") == set(http[1:])
    assert ids("F3") == {errors[3]}
    assert ids('"function 3"') == {errors[3]}
    assert ids(f"id:{errors[0]}") == {errors[0]}
    assert list(query.ids(connection, parse("topic:errors sort:-id"))) == sorted(errors, reverse=True)
