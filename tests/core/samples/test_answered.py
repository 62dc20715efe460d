"""An answer of the playground as a sample: stored once, found by its source, undone like anything else, warned of where it should not be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from core.golang.answers import check_answer
from core.samples import answered, contamination, edits, neighbours, query, store
from core.samples.answered import Answered
from core.samples.conversation import Message
from core.samples.query import parse

ORIGIN = Answered("gold/step-300", "/jobs/x/checkpoint-300", "x", 300, "talk-1", "m1", {"temperature": 0.2, "seed": 11})
CODE = "package a\n\nfunc Reverse(numbers []int) []int { return numbers }\n"


def messages(answer: str = f"So:\n\n```go\n{CODE}```\n", question: str = "Reverse a slice.") -> list[Message]:
    return [Message("system", "Be brief."), Message("user", question), Message("assistant", answer)]


def test_it_is_a_sample_with_source_decision_verdict_and_origin(connection: sqlite3.Connection) -> None:
    verdict = check_answer(messages()[-1].content)
    saved = answered.save(
        connection, messages(), ORIGIN, status="accepted", tags=["mine"], verdict=verdict, author="ann"
    )
    found = store.sample(connection, saved.sample)
    assert found.messages[0] == Message("system", "Be brief.")
    assert (found.status, found.source, found.tags, found.author) == ("accepted", "gold/step-300", ("mine",), "ann")
    assert found.verdict.types == "pass"
    assert found.toolchain.startswith("go1.")
    assert list(query.ids(connection, parse('source:"gold/step-300" status:accepted'))) == [saved.sample]
    kept = answered.origin(connection, saved.sample)
    assert kept is not None
    assert (kept.model, kept.step, kept.conversation, kept.original) == ("gold/step-300", 300, "talk-1", None)
    assert kept.settings == {"temperature": 0.2, "seed": 11}
    assert answered.origin(connection, saved.sample + 1) is None


def test_undo_takes_it_out_and_redo_brings_it_back_as_it_was(connection: sqlite3.Connection) -> None:
    saved = answered.save(connection, messages(), ORIGIN, status="accepted")
    undone = edits.undo(connection)
    assert undone is not None
    assert "gold/step-300" in undone.label
    assert undone.changes.membership
    assert query.count(connection, parse("status:accepted")) == 0
    edits.redo(connection)
    assert list(query.ids(connection, parse("status:accepted"))) == [saved.sample]


def test_the_same_text_is_stored_once_and_what_is_no_sample_never(connection: sqlite3.Connection) -> None:
    answered.save(connection, messages(), ORIGIN)
    with pytest.raises(UserError, match="has this text already"):
        answered.save(connection, messages(), ORIGIN)
    with pytest.raises(UserError, match="cannot be a sample"):
        answered.save(connection, messages(answer="  "), ORIGIN)
    with pytest.raises(UserError, match="no decision"):
        answered.save(connection, messages(question="Other."), ORIGIN, status="perhaps")
    assert query.count(connection, parse("")) == 1


def test_near_copies_and_given_away_problems_are_named(connection: sqlite3.Connection, tmp_path: Path) -> None:
    body = "\n".join(f"\tnumbers = append(numbers, reversed[{n}]*{n})" for n in range(20))
    code = f"package a\n\nfunc ReverseAll(reversed []int) (numbers []int) {{\n{body}\n\treturn numbers\n}}\n"
    saved = answered.save(connection, messages(f"```go\n{code}```\n"), ORIGIN)
    assert answered.warnings(connection, messages(f"```go\n{code}```\n")) == [f"Sample {saved.sample} has this text already."]  # fmt: skip
    nearly = messages(f"Here:\n\n```go\n{code.replace('reversed[3]*3', 'reversed[3]*4')}```\n")
    [warning] = answered.warnings(connection, nearly)
    assert f"that of sample {saved.sample}" in warning
    assert answered.warnings(connection, messages("```go\npackage b\n\nfunc Open() {}\n```\n", "Open a file.")) == []

    suite = tmp_path / "suite.jsonl"
    suite.write_text(_problem())
    contamination.add_suite(connection, suite)
    [warning] = answered.warnings(connection, messages(_solution(), "Something else."))
    assert "gives away" in warning


def test_the_nearest_share_the_rarest_words(
    connection: sqlite3.Connection, fill: Callable[..., tuple[int, ...]]
) -> None:
    fill(5)
    wanted = answered.save(connection, messages(question="Reverse a slice of integers in place."), ORIGIN, status="accepted").sample  # fmt: skip
    assert neighbours.nearest(connection, "How do I reverse slices? Reverse this slice please", 3)[0] == wanted
    assert neighbours.nearest(connection, "reverse", 3, parse("status:rejected")) == []
    assert neighbours.nearest(connection, "the of and", 3) == []
    assert neighbours.nearest(connection, '" OR * NEAR(', 3) == []
    assert neighbours.words_of("Write the Reverse of a reverse, 100 times ünïcode") == ("reverse", "ünïcode", "times")


def _problem() -> str:
    import json

    row = {"task_id": "T/1", "prompt": "// IntersectTwoSortedLists finds the numbers that both of the sorted lists hold in their order.\nfunc IntersectTwoSortedLists(a, b []int) []int {", "canonical_solution": _BODY, "test": "package main\n", "entry_point": "IntersectTwoSortedLists"}  # fmt: skip
    return json.dumps(row) + "\n"


_BODY = "\n\tvar both []int\n\tfor i, j := 0, 0; i < len(a) && j < len(b); {\n\t\tif a[i] == b[j] {\n\t\t\tboth = append(both, a[i])\n\t\t\ti++\n\t\t\tj++\n\t\t} else if a[i] < b[j] {\n\t\t\ti++\n\t\t} else {\n\t\t\tj++\n\t\t}\n\t}\n\treturn both\n}\n"


def _solution() -> str:
    return f"```go\npackage a\n\nfunc IntersectTwoSortedLists(a, b []int) []int {{{_BODY}```\n"
