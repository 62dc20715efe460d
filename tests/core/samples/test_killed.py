"""SIGKILL in the middle of work on many samples: what was acknowledged is there, what was under way never happened."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.samples import edits, query
from core.samples.importing import import_files
from core.samples.language import Query, parse
from tests.core.samples.conftest import dump

COUNT = 3000
_CHILD = """
import os, signal, sys
from pathlib import Path
from core.database import connect
from core.samples import edits, importing
from core.samples.language import Query, parse
connection = connect(Path(sys.argv[1]))
connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
table, event, condition = sys.argv[2].split()
connection.execute(f"CREATE TEMP TRIGGER kill AFTER {event} ON main.{table} WHEN {condition} BEGIN SELECT die(); END")
exec(sys.argv[3])
"""


def killed(folder: Path, trigger: str, statement: str) -> None:
    """Run a statement in a process that dies when the trigger's row is written."""
    command = [sys.executable, "-c", _CHILD, str(folder / "gosmith.db"), trigger, statement]
    assert subprocess.run(command, check=False, timeout=120).returncode == -signal.SIGKILL


def sound(connection: sqlite3.Connection) -> bool:
    """Is the file whole, and does the index of words know the same texts?"""
    connection.execute("INSERT INTO words(words) VALUES ('integrity-check')")
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",) and not broken


_REVIEWED = "review UPDATE new.sample_id=2000"
BULK = {
    "decision": ("edits.review(connection, Query(), status='accepted')", _REVIEWED, _REVIEWED),
    "rating": ("edits.review(connection, Query(), rating=4)", _REVIEWED, _REVIEWED),
    "deletion": ("edits.delete(connection, Query())", _REVIEWED, _REVIEWED),
    "tag": ("edits.tag(connection, Query(), add=['gold'])", "tag INSERT new.sample_id=2000", "tag DELETE old.sample_id=2000"),
}  # fmt: skip
"""name -> the work, the row at which it is killed, the row at which its undo is."""


@pytest.mark.parametrize("name", BULK)
def test_a_bulk_edit_and_its_undo_happen_whole_or_not_at_all(
    connection: sqlite3.Connection, fill: Callable[..., tuple[int, ...]], tmp_path: Path, name: str
) -> None:
    fill(COUNT)
    edits.review(connection, range(1, 500), status="rejected", reasons=["wrong"])
    before = dump(connection)
    work, row, undone_row = BULK[name]
    killed(tmp_path, row, work)
    assert sound(connection)
    assert dump(connection) == before
    exec(work, {"connection": connection, "edits": edits, "Query": Query})
    after = dump(connection)
    assert after != before
    killed(tmp_path, undone_row, "edits.undo(connection)")
    assert sound(connection)
    assert dump(connection) == after
    edits.undo(connection)
    assert dump(connection) == before


def test_an_import_keeps_its_batches_and_loses_the_one_under_way(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "many.jsonl"
    with path.open("w") as file:
        for n in range(20_000):
            pair = [{"role": "user", "content": f"q {n}"}, {"role": "assistant", "content": f"a {n} " + "x" * 500}]
            file.write(json.dumps({"messages": pair}) + "\n")
    killed(tmp_path, "version INSERT new.id=9000", f"importing.import_files(connection, [Path({str(path)!r})])")
    assert sound(connection)
    kept = query.count(connection, Query())
    assert kept == 500 + 1000 + 2000 + 4000
    result = import_files(connection, [path])
    assert (result.imported, result.duplicates) == (20_000 - kept, kept)
    edits.undo(connection)
    assert query.count(connection, Query()) == kept
    undone = edits.undo(connection)
    assert undone is not None
    assert undone.changed == kept
    assert query.count(connection, Query()) == 0
    assert query.count(connection, parse("deleted:yes")) == 20_000
