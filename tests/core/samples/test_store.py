"""Reading samples, and taking verdicts in: rows in the order asked for, verdicts that belong to a text."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import transaction
from core.errors import UserError
from core.golang.checker import Diagnostic
from core.samples import adding, edits, store
from core.samples.conversation import TITLE_LENGTH, Message, NewSample, content_hash, estimate_tokens, title_of
from core.samples.store import VerdictRecord, Verdicts, save_verdicts
from tests.core.samples.judged import judged

Fill = Callable[..., tuple[int, ...]]


def test_rows_come_in_the_order_asked_for_with_gaps_where_there_is_none(
    connection: sqlite3.Connection, fill: Fill
) -> None:
    one, two, three = fill(3, topic="io", source="gpt-4", tags=("b", "a"))
    edits.delete(connection, [two])
    rows = store.rows(connection, [three, 99, one, two, three])
    assert [row and row.id for row in rows] == [three, None, one, two, three]
    assert [row and row.deleted for row in rows] == [False, None, False, True, False]
    row = rows[0]
    assert row is not None
    assert (row.title, row.topic, row.source, row.tags, row.lines, row.status) == (
        "Write function 2.",
        "io",
        "gpt-4",
        ("a", "b"),
        3,
        "new",
    )
    assert store.rows(connection, []) == []


def test_a_sample_has_all_its_messages(connection: sqlite3.Connection) -> None:
    turns = tuple(
        Message(role, f"{role} {n}") for n, role in enumerate(("system", "user", "assistant", "user", "assistant"))
    )
    with transaction(connection):
        [key] = adding.add(connection, [NewSample(turns)], author="test").ids
    found = store.sample(connection, key)
    assert found.messages == turns
    assert (found.prompt, found.response, found.code) == ("user 1\n\nuser 3", "assistant 4", "")
    edits.edit(connection, key, "```go\npackage a\n```", base_version=found.version)
    first, second = store.versions(connection, key)
    assert (first.messages, first.parent) == (turns, None)
    assert (second.messages[:-1], second.parent, second.author) == (turns[:-1], first.id, "me")


def test_a_sample_that_is_not_there_is_a_sentence(connection: sqlite3.Connection) -> None:
    with pytest.raises(UserError, match="99"):
        store.sample(connection, 99)


def test_a_later_check_adds_to_an_earlier_one_and_replaces_what_it_says_again(
    connection: sqlite3.Connection, fill: Fill
) -> None:
    [key] = fill(1)
    version = store.sample(connection, key).version
    types, format_ = Diagnostic("types", 3, 5, "undefined: x"), Diagnostic("format", 1, 1, "not gofmt-clean")
    save_verdicts(
        connection,
        [VerdictRecord(version, {"parse": "pass", "format": "fail", "types": "fail"}, (format_, types), "go1.26")],
    )
    vet = Diagnostic("vet", 2, 1, "unreachable code")
    changes = save_verdicts(
        connection,
        [
            VerdictRecord(version, {"types": "pass", "vet": "fail"}, (vet,), "go1.27"),
            VerdictRecord(99, {"vet": "pass"}),
        ],
    )
    assert (changes.verdict, changes.ids) == (True, (key,))
    found = store.sample(connection, key)
    assert found.verdict == Verdicts("pass", "fail", "pass", "fail", None)
    assert (found.diagnostics, found.toolchain) == ((format_, vet), "go1.27")
    assert not save_verdicts(connection, [VerdictRecord(99, {"vet": "pass"})])


def test_policy_belongs_to_a_version_and_is_replaced_as_a_whole(connection: sqlite3.Connection, fill: Fill) -> None:
    [key] = fill(1)
    version = store.sample(connection, key).version
    low, high = Diagnostic("panic", 9, 1, "stops"), Diagnostic("ignored_error", 3, 2, "dropped")
    save_verdicts(connection, [VerdictRecord(version, {"parse": "pass"}, policy=(low, high, high))])
    assert store.sample(connection, key).policy == (high, low)
    save_verdicts(connection, [VerdictRecord(version, {"vet": "pass"})])  # nobody looked
    assert store.sample(connection, key).policy == (high, low)
    edits.edit(connection, key, "```go\npackage a\n```", base_version=version)
    assert store.sample(connection, key).policy == ()
    edits.undo(connection)
    save_verdicts(connection, [VerdictRecord(version, {"parse": "pass"}, policy=())])
    assert store.sample(connection, key).policy == ()


def test_a_verdict_of_an_earlier_text_waits_for_undo(connection: sqlite3.Connection, fill: Fill) -> None:
    [key] = fill(1)
    first = store.sample(connection, key).version
    edits.edit(connection, key, "```go\npackage a\n```", base_version=first)
    save_verdicts(connection, [VerdictRecord(first, {"parse": "fail"})])
    assert store.sample(connection, key).verdict == Verdicts()
    edits.undo(connection)
    assert store.sample(connection, key).verdict == Verdicts(parse="fail")


def test_adding_needs_no_more_than_one_text_of_each(connection: sqlite3.Connection, fill: Fill) -> None:
    pair = (Message("user", "Q"), Message("assistant", "A"))
    spaced = (Message("user", " Q\n"), Message("assistant", "A "))
    with transaction(connection):
        added = adding.add(connection, [NewSample(pair), NewSample(spaced), NewSample(pair)], author="test")
    assert (len(added.ids), added.duplicates) == (1, 2)
    assert content_hash(pair) == content_hash(spaced) != content_hash(pair[::-1])
    assert len({store.sample(connection, key).uid for key in (*added.ids, *fill(50))}) == 51


@given(st.text())
def test_a_title_is_one_short_line(text: str) -> None:
    title = title_of(text)
    assert len(title) <= TITLE_LENGTH
    assert title == " ".join(title.split())


def test_a_title_passes_over_fences() -> None:
    assert title_of("```go\nfunc F() {}\n```\nWhy does this leak?") == "func F() {}"
    assert title_of("\n\n  Hello   there \nmore") == "Hello there"
    assert title_of("x" * 200).endswith("…")


def test_tokens_are_estimated_near_what_tokenizers_make_of_code() -> None:
    code = "func Sum(values []int) int {\n\ttotal := 0\n\tfor _, v := range values {\n\t\ttotal += v\n\t}\n\treturn total\n}\n"
    assert 35 <= estimate_tokens(code) <= 55  # 45 pieces in common byte-level vocabularies
    assert estimate_tokens("") == 0


def test_a_row_says_that_its_code_imports_beyond_the_standard_library(
    connection: sqlite3.Connection, fill: Callable[..., tuple[int, ...]]
) -> None:
    ids = fill(2)
    version = store.sample(connection, ids[0]).version
    found = (Diagnostic("external", 3, 1, "imports example.com/x"),)
    store.save_verdicts(connection, [store.VerdictRecord(version, {"parse": "pass"}, policy=found)])
    rows = store.rows(connection, ids)
    assert [row.verdict.external for row in rows if row] == [True, False]
    assert store.sample(connection, ids[0]).verdict.external


def test_the_score_of_a_judge_is_the_newest_of_the_present_text(connection: sqlite3.Connection, fill: Fill) -> None:
    (key,) = fill(1)
    assert (store.rows(connection, [key])[0].judge, store.sample(connection, key).judge) == (None, None)  # type: ignore[union-attr]
    for score in (40, 80, None):
        judged(connection, key, score)
    assert (store.rows(connection, [key])[0].judge, store.sample(connection, key).judge) == (80, 80)  # type: ignore[union-attr]
    edits.edit(connection, key, "package other", base_version=store.sample(connection, key).version)
    assert store.sample(connection, key).judge is None
    edits.undo(connection)
    assert store.sample(connection, key).judge == 80
