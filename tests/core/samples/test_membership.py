"""`snapshot:` in a search: exactly the samples that were frozen, whatever happened to them since."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from core.samples import edits, query, snapshots, store
from core.samples.language import parse
from core.samples.membership import known_names

Fill = Callable[..., tuple[int, ...]]


@pytest.fixture
def frozen(connection: sqlite3.Connection, fill: Fill, tmp_path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Twelve samples in `gold`, five others in `silver.1`."""
    gold, silver = fill(12, topic="errors"), fill(5, topic="io")
    folder = tmp_path / "snapshots"
    snapshots.create(folder, connection, "gold", parse("topic:errors"), validation=0.25)
    snapshots.create(folder, connection, "silver.1", parse("topic:io"))
    return gold, silver


def found(connection: sqlite3.Connection, text: str) -> set[int]:
    return set(query.ids(connection, parse(text)))


def test_both_sides_of_a_snapshot_are_found_and_nothing_else(
    connection: sqlite3.Connection, frozen: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    gold, silver = frozen
    assert found(connection, "snapshot:gold") == found(connection, "snapshot:GOLD") == set(gold)
    assert found(connection, "-snapshot:gold") == set(silver)
    assert found(connection, "snapshot:gold,silver.1") == found(connection, "snapshot:gold,sil*") == {*gold, *silver}
    assert found(connection, "snapshot:*") == set()  # a lone star is a name, as with other keys
    assert found(connection, "snapshot:gold topic:io") == set()


def test_what_was_edited_since_is_found_and_what_came_later_is_not(
    connection: sqlite3.Connection, fill: Fill, frozen: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    gold, _ = frozen
    fill(3, topic="errors")
    version = store.sample(connection, gold[0]).version
    edits.edit(connection, gold[0], "```go\npackage other\n```", base_version=version)
    edits.delete(connection, [gold[1]])
    assert found(connection, "snapshot:gold") == {*gold} - {gold[1]}
    assert found(connection, "snapshot:gold deleted:yes") == {gold[1]}


def test_a_snapshot_that_is_not_there_holds_nothing(
    connection: sqlite3.Connection, frozen: tuple[tuple[int, ...], tuple[int, ...]], tmp_path: Path
) -> None:
    assert known_names(connection) == ["gold", "silver.1"]
    assert found(connection, "snapshot:bronze") == set()
    shutil.rmtree(tmp_path / "snapshots" / "gold")
    assert found(connection, "snapshot:gold") == set()
    snapshots.create(tmp_path / "snapshots", connection, "gold", parse("topic:io"))
    assert found(connection, "snapshot:gold") == set(frozen[1])
