"""Opening a workspace: what is made, what is left alone, what is refused with a sentence."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import UserError
from core.samples import edits, query
from core.samples.language import Query, parse
from core.workspace import open_workspace


def test_a_new_workspace_holds_the_bundled_samples_and_gets_them_once(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    workspace = open_workspace(tmp_path / "w", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    with closing(workspace.connect()) as connection:
        assert query.count(connection, parse("tag:bundled")) >= 270
        edits.delete(connection, Query())
    with closing(open_workspace(tmp_path / "w").connect()) as connection:
        assert query.count(connection, Query()) == 0


def test_what_cannot_be_a_workspace_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError) as caught:
            open_workspace(root)
        assert caught.value.hint
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "gosmith.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(UserError):
        open_workspace(tmp_path / "damaged")


def test_a_workspace_of_a_newer_gosmith_is_not_touched(tmp_path: Path) -> None:
    path = open_workspace(tmp_path / "w").database_path
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    with pytest.raises(UserError, match="newer"):
        open_workspace(tmp_path / "w")


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "w")
    with (
        closing(workspace.connect(readonly=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM tag")


def test_opening_one_that_exists_does_not_pay_for_pandas(tmp_path: Path) -> None:
    open_workspace(tmp_path / "w")
    script = (
        "import sys; from pathlib import Path; from core.workspace import open_workspace;"
        f"open_workspace(Path({str(tmp_path / 'w')!r}));"
        "print([name for name in ('pandas', 'sqlite_utils', 'torch', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
