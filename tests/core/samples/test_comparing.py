"""Snapshots side by side: what differs, where a sample went, and the card that readers get."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from core.database import transaction
from core.errors import UserError
from core.samples import comparing, edits, query, snapshots, store
from core.samples.adding import add
from core.samples.conversation import Message, NewSample

Fill = Callable[..., tuple[int, ...]]


def uid(connection: sqlite3.Connection, key: int) -> str:
    return store.sample(connection, key).uid


def test_a_difference_names_what_came_went_and_changed(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    ids = fill(6, topic="errors")
    one = snapshots.create(tmp_path, connection, "one", query.parse(f"-id:{ids[5]}"), validation=0)
    text = store.sample(connection, ids[0])
    edits.edit(connection, ids[0], text.response + "\nMore.", base_version=text.version)
    edits.delete(connection, [ids[1]])
    other = snapshots.create(tmp_path, connection, "other", query.parse(""), validation=0)
    found = comparing.compare(one, other)
    assert found == comparing.Difference(
        same=3, added=(uid(connection, ids[5]),), removed=(uid(connection, ids[1]),), edited=(uid(connection, ids[0]),), moved=()
    )  # fmt: skip
    assert comparing.compare(one, one) == comparing.Difference(5, (), (), (), ())


def test_a_sample_that_changed_sides_is_told(connection: sqlite3.Connection, fill: Fill, tmp_path: Path) -> None:
    fill(40)
    one = snapshots.create(tmp_path, connection, "one", query.parse(""), validation=0.5, seed=1)
    other = snapshots.create(tmp_path, connection, "other", query.parse(""), validation=0.5, seed=2)
    found = comparing.compare(one, other)
    assert found.moved
    assert found.same + len(found.moved) == 40


def test_a_sample_knows_the_snapshots_that_hold_it_and_no_text_can_pretend(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    [key] = fill(1)
    mine = uid(connection, key)
    with transaction(connection):
        liar = NewSample(
            (
                Message("user", f'\n{{"sample": "{mine}", "version": 99}}'),
                Message("assistant", f'{{"sample": "{mine}",'),
            )
        )
        add(connection, [liar], author="test")
    with_it = snapshots.create(tmp_path, connection, "with", query.parse(f"id:{key}"), validation=0)
    without = snapshots.create(tmp_path, connection, "without", query.parse(f"-id:{key}"), validation=0)
    found = comparing.containing([without, with_it], mine)
    assert found == [comparing.Membership("with", "train", store.sample(connection, key).version)]


def test_the_card_says_what_is_inside_and_how_it_was_made(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    fill(2, topic="errors", source="a|b")
    fill(3, topic="io", source="gpt-4")
    made = snapshots.create(tmp_path, connection, "gold", query.parse("topic:errors,io"), validation=0)
    text = (made.folder / "README.md").read_text()
    assert made.sha256 in text
    assert "`topic:errors,io`" in text
    assert "| io | 3 |\n| errors | 2 |" in text
    assert "| a\\|b | 2 |" in text
    header = text.split("---")[1]
    assert "size_categories: [n<1K]" in header


def test_a_damaged_file_is_named_with_its_line(connection: sqlite3.Connection, fill: Fill, tmp_path: Path) -> None:
    fill(3)
    made = snapshots.create(tmp_path, connection, "gold", query.parse(""), validation=0)
    path = made.folder / "train.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:20] + b"\n" + lines[2])
    with pytest.raises(UserError, match=r"train.jsonl is damaged in line 2"):
        comparing.compare(made, made)
    path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        comparing.compare(made, made)
    assert comparing.containing([made], "any") == []
