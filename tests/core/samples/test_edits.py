"""Decisions and edits: each is one operation, each can be undone, none that was acknowledged is lost."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import connect, migrate, transaction
from core.errors import UserError
from core.samples import adding, edits, query, store
from core.samples.language import parse
from tests.core.samples.conftest import dump, sample

Fill = Callable[..., tuple[int, ...]]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("status"), st.sampled_from(["accepted", "rejected", "needs_work", "new"]), st.sets(st.integers(1, 6))),
        st.tuples(st.just("rating"), st.integers(0, 5), st.sets(st.integers(1, 6))),
        st.tuples(st.just("tag"), st.sampled_from(["a", "b"]), st.sets(st.integers(1, 6))),
        st.tuples(st.just("untag"), st.sampled_from(["a", "b"]), st.sets(st.integers(1, 6))),
        st.tuples(st.just("delete"), st.none(), st.sets(st.integers(1, 6))),
        st.tuples(st.just("edit"), st.text("xyz", min_size=1, max_size=5), st.sets(st.integers(1, 6), min_size=1, max_size=1)),
    ),
    max_size=12,
)  # fmt: skip


def do(connection: sqlite3.Connection, step: tuple[str, object, set[int]]) -> None:
    what, value, ids = step
    scope = sorted(ids)
    if what == "status":
        edits.review(connection, scope, status=str(value), reasons=["why"] if value == "rejected" else None)
    elif what == "rating":
        edits.review(connection, scope, rating=int(str(value)))
    elif what == "tag":
        edits.tag(connection, scope, add=[str(value)])
    elif what == "untag":
        edits.tag(connection, scope, remove=[str(value)])
    elif what == "delete":
        edits.delete(connection, scope)
    else:
        base = store.sample(connection, scope[0]).version
        edits.edit(connection, scope[0], f"```go\npackage {value}\n```", base_version=base)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_undoing_everything_brings_back_the_first_state_and_redoing_everything_the_last(
    chosen: list[tuple[str, object, set[int]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(connect(Path(folder) / "db")) as connection:
        migrate(connection)
        with transaction(connection):
            adding.add(connection, [sample(n) for n in range(6)], author="test")
        first = dump(connection)
        for step in chosen:
            do(connection, step)
        last = dump(connection)
        undone = 0
        while edits.undo(connection) is not None:
            undone += 1
        assert dump(connection) == first
        for _ in range(undone):
            assert edits.redo(connection) is not None
        assert edits.redo(connection) is None
        assert dump(connection) == last


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


def test_no_acknowledged_decision_is_lost_to_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "gosmith.db"
    with closing(connect(path)) as connection:
        migrate(connection)
        with transaction(connection):
            adding.add(connection, [sample(n) for n in range(400)], author="test")
    script = (
        "import sys; from pathlib import Path; from core.database import connect; from core.samples import edits\n"
        f"connection = connect(Path({str(path)!r}))\n"
        "for key in range(1, 401):\n"
        "    edits.review(connection, [key], status='accepted')\n"
        "    print(key, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(60)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.stdout.read().split("\n")[:-1] if line]
    child.wait()
    child.stdout.close()
    with closing(connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        accepted = set(query.ids(connection, parse("status:accepted")))
        assert set(acknowledged) <= accepted
        assert edits.undo(connection) is not None
