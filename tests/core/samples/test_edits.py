"""Decisions and edits: each is one operation, each can be undone, none that was acknowledged is lost."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.changes import Changes
from core.database import connect, migrate, transaction
from core.errors import UserError
from core.samples import adding, edits, importing, query, store
from core.samples.language import Query, parse
from tests.core.samples.conftest import dump, sample

Fill = Callable[..., tuple[int, ...]]

some = st.one_of(st.sets(st.integers(1, 6)).map(sorted), st.sampled_from(["", "status:accepted", "tag:a", "-tag:b rating:>2", "deleted:yes", "id:2..5"]).map(parse))  # fmt: skip
steps = st.lists(
    st.one_of(
        st.tuples(st.just("status"), st.sampled_from(["accepted", "rejected", "needs_work", "new"]), some),
        st.tuples(st.just("rating"), st.integers(0, 5), some),
        st.tuples(st.just("note"), st.sampled_from(["", "why", "“quoted”"]), some),
        st.tuples(st.sampled_from(["tag", "untag"]), st.sampled_from(["a", "b", "A"]), some),
        st.tuples(st.sampled_from(["delete", "restore"]), st.none(), some),
        st.tuples(st.just("edit"), st.text("xyz", min_size=1, max_size=5), st.integers(1, 6)),
        st.tuples(st.just("import"), st.integers(1, 3), st.none()),
    ),
    max_size=14,
)  # fmt: skip


def do(connection: sqlite3.Connection, step: tuple[str, Any, Any]) -> None:
    what, value, scope = step
    if what == "status":
        edits.review(
            connection, scope, status=value, reasons=["why"] if value == "rejected" else None, author=f"by {value}"
        )
    elif what == "rating":
        edits.review(connection, scope, rating=value)
    elif what == "note":
        edits.review(connection, scope, note=value)
    elif what == "tag":
        edits.tag(connection, scope, add=[value], remove=["b"])
    elif what == "untag":
        edits.tag(connection, scope, remove=[value])
    elif what == "delete":
        edits.delete(connection, scope)
    elif what == "restore":
        edits.restore(connection, scope)
    elif what == "import":
        count = connection.execute("SELECT count(*) FROM sample").fetchone()[0]
        importing.take_in(connection, iter([sample(count + n) for n in range(value)]), label="Import", author="test")
    else:
        base = store.sample(connection, scope).version
        edits.edit(connection, scope, f"```go\npackage {value}\n```", base_version=base)


def visible(connection: sqlite3.Connection) -> str:
    """As `dump`, without samples whose import was undone: those stay, deleted."""
    text = json.loads(dump(connection))
    return json.dumps({name: [row for row in rows if row[0] <= 6] for name, rows in text.items()}) + str(
        query.ids(connection, Query())
    )


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(0, 5))
def test_undoing_everything_brings_back_the_first_state_and_redoing_everything_the_last(
    chosen: list[tuple[str, Any, Any]], back: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(connect(Path(folder) / "db")) as connection:
        migrate(connection)
        with transaction(connection):
            adding.add(connection, [sample(n) for n in range(6)], author="test")
        first = visible(connection)
        for step in chosen:
            do(connection, step)
        last = visible(connection)
        everything = dump(connection)
        for _ in range(back):  # there and back again is nothing
            edits.undo(connection)
        while edits.redo(connection) is not None:
            pass
        assert visible(connection) == last
        undone = 0
        while edits.undo(connection) is not None:
            undone += 1
        assert visible(connection) == first
        for _ in range(undone):
            assert edits.redo(connection) is not None
        assert edits.redo(connection) is None
        assert dump(connection) == everything
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_new_operation_forgets_what_was_undone_but_one_that_changes_nothing_does_not(
    connection: sqlite3.Connection, fill: Fill
) -> None:
    ids = fill(3)
    edits.review(connection, ids, status="accepted")
    edits.undo(connection)
    nothing = edits.review(connection, ids, status="new")
    assert (nothing.id, nothing.changed, bool(nothing.changes)) == (0, 0, False)
    assert edits.undo_state(connection).redo_label == "Accept 3 samples"
    edits.review(connection, ids[:1], rating=3)
    assert edits.undo_state(connection) == edits.UndoState("Rate 3: sample 1", None)
    assert edits.redo(connection) is None


def test_a_decision_over_many_different_states_brings_each_of_them_back(
    connection: sqlite3.Connection, fill: Fill
) -> None:
    ids = fill(40)
    for n, key in enumerate(ids):
        edits.review(connection, [key], rating=1 + n % 5, note=f"note {n}", author=f"person {n % 3}")
    before = dump(connection)
    operation = edits.review(connection, query.Query(), status="accepted", rating=5, note="all the same")
    assert operation.changed == 40
    edits.undo(connection)
    assert dump(connection) == before


def test_changes_say_what_a_view_must_refresh(connection: sqlite3.Connection, fill: Fill) -> None:
    ids = fill(3)
    many = fill(store.NAMED_IDS + 1)
    assert edits.review(connection, ids[:2], status="accepted").changes == Changes(review=True, ids=ids[:2])
    assert edits.tag(connection, ids[:1], add=["a"]).changes == Changes(tag=True, ids=ids[:1])
    assert edits.delete(connection, ids[:1]).changes == Changes(membership=True, ids=ids[:1])
    undone = edits.undo(connection)
    assert undone
    assert undone.changes == Changes(membership=True, ids=ids[:1])
    assert edits.review(connection, many, rating=1).changes == Changes(review=True, ids=None)


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (lambda c, ids: edits.review(c, ids, status="rejected"), "Reject 2 samples"),
        (lambda c, ids: edits.review(c, ids, status="needs_work"), "Mark as needing work: 2 samples"),
        (lambda c, ids: edits.review(c, ids[:1], note="x"), "Note on sample 1"),
        (lambda c, ids: edits.review(c, ids, reasons=["x"]), "Give reasons for 2 samples"),
        (lambda c, ids: edits.tag(c, ids, add=["a", "b"], remove=["c"]), "Tag a, b, −c: 2 samples"),
        (lambda c, ids: edits.delete(c, ids), "Delete 2 samples"),
    ],
)
def test_labels_say_what_was_done(
    connection: sqlite3.Connection, fill: Fill, change: Callable[..., edits.Operation], label: str
) -> None:
    assert change(connection, fill(2)).label == label


def test_accepting_takes_the_reasons_of_a_rejection_away(connection: sqlite3.Connection, fill: Fill) -> None:
    [one] = fill(1)
    edits.review(connection, [one], status="rejected", reasons=["wrong", " wrong ", "", "slow"])
    assert store.sample(connection, one).reasons == ("wrong", "slow")
    edits.review(connection, [one], rating=2)
    assert store.sample(connection, one).reasons == ("wrong", "slow")
    edits.review(connection, [one], status="accepted")
    assert store.sample(connection, one).reasons == ()
    edits.undo(connection)
    assert store.sample(connection, one).reasons == ("wrong", "slow")


@pytest.mark.parametrize(
    "change",
    [
        lambda c: edits.review(c, [1], status="maybe"),
        lambda c: edits.review(c, [1], rating=6),
        lambda c: edits.review(c, [1]),
        lambda c: edits.tag(c, [1]),
        lambda c: edits.tag(c, [1], add=[" "]),
        lambda c: edits.edit(c, 1, " ", base_version=1),
        lambda c: edits.edit(c, 99, "x", base_version=1),
        lambda c: edits.edit(c, 1, "half \ud800", base_version=1),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    connection: sqlite3.Connection, fill: Fill, change: Callable[..., object]
) -> None:
    fill(1)
    before = dump(connection)
    with pytest.raises(UserError) as caught:
        change(connection)
    assert caught.value.hint
    assert (dump(connection), edits.undo_state(connection).undo_label) == (before, None)


def test_ids_that_are_not_there_are_passed_over(connection: sqlite3.Connection, fill: Fill) -> None:
    ids = fill(1)
    assert edits.tag(connection, [*ids, *ids, 99], add=["a"]).changed == 1
    assert edits.review(connection, [99], status="accepted").changed == 0


def test_a_bulk_decision_over_a_search_is_one_operation_with_a_label(
    connection: sqlite3.Connection, fill: Fill
) -> None:
    fill(30, topic="errors")
    fill(10, topic="http")
    operation = edits.review(connection, parse("topic:errors"), status="accepted")
    assert (operation.changed, operation.label) == (30, "Accept 30 samples")
    assert query.count(connection, parse("status:accepted")) == 30
    assert edits.undo_state(connection).undo_label == "Accept 30 samples"
    edits.undo(connection)
    assert query.count(connection, parse("status:accepted")) == 0
    assert edits.undo_state(connection).redo_label == "Accept 30 samples"


def test_undo_works_after_a_restart(connection: sqlite3.Connection, fill: Fill, tmp_path: Path) -> None:
    ids = fill(2)
    edits.review(connection, ids, status="rejected", reasons=["wrong"])
    connection.close()
    with closing(connect(tmp_path / "gosmith.db")) as again:
        assert edits.undo(again) is not None
        assert [row.status for row in store.rows(again, ids) if row] == ["new", "new"]


def test_an_edit_makes_a_new_version_and_refuses_one_that_was_overtaken(
    connection: sqlite3.Connection, fill: Fill
) -> None:
    [one] = fill(1)
    base = store.sample(connection, one).version
    edits.edit(connection, one, "```go\npackage a\n```", base_version=base)
    assert store.sample(connection, one).code == "package a\n"
    assert len(store.versions(connection, one)) == 2
    with pytest.raises(UserError):
        edits.edit(connection, one, "```go\npackage b\n```", base_version=base)


def test_two_people_at_once_lose_nothing_and_never_overwrite_each_other(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    ids = fill(30)

    def work(name: str) -> int:
        refused = 0
        with closing(connect(tmp_path / "gosmith.db")) as own:
            for key in ids:
                base = store.sample(own, key).version
                try:
                    edits.edit(own, key, f"```go\npackage {name}\n```", base_version=base, author=name)
                except UserError:
                    refused += 1
                edits.tag(own, [key], add=[name])
        return refused

    with ThreadPoolExecutor(2) as pool:
        refused = sum(pool.map(work, ("anna", "ben")))
    found = [store.sample(connection, key) for key in ids]
    assert all(one.tags == ("anna", "ben") for one in found)
    assert sum(len(store.versions(connection, key)) - 1 for key in ids) == 60 - refused
    assert all(child.parent == mother.id for key in ids for mother, child in pairwise(store.versions(connection, key)))


@pytest.mark.parametrize("seed", range(3))
def test_no_acknowledged_edit_is_lost_to_sigkill(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "gosmith.db"
    with closing(connect(path)) as connection:
        migrate(connection)
        with transaction(connection):
            adding.add(connection, [sample(n) for n in range(400)], author="test")
    script = (
        "import sys; from pathlib import Path; from core.database import connect; from core.samples import edits, store\n"
        f"connection = connect(Path({str(path)!r}))\n"
        "for key in range(1, 401):\n"
        "    edits.review(connection, [key], status='accepted')\n"
        "    edits.edit(connection, key, f'```go\\npackage p{key}\\n```', base_version=store.sample(connection, key).version)\n"
        "    print(key, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(20 + 37 * seed)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.stdout.read().split("\n")[:-1] if line]
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()
    with closing(connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("INSERT INTO words(words) VALUES ('integrity-check')")
        assert set(acknowledged) <= set(query.ids(connection, parse("status:accepted")))
        assert all(store.sample(connection, key).code == f"package p{key}\n" for key in acknowledged)
        while edits.undo(connection) is not None:
            pass
        assert query.count(connection, parse("status:new")) == 400
        assert store.sample(connection, 1).code == sample(0).messages[-1].content.split("```go\n")[1].removesuffix(
            "```\n"
        )
