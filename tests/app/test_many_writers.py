"""A window and command lines write into one workspace at once: everything that was acknowledged is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.samples.page import SamplesPage
from core.samples import query, store
from core.samples.language import parse
from core.workspace import Workspace

ROOT = Path(__file__).parents[2]
NEW = 12_000


def gosmith(workspace: Workspace, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "app.cli", "--workspace", str(workspace.root), "--json", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=dict(os.environ))


def test_decisions_go_on_while_two_command_lines_import_and_rate(
    page: SamplesPage, workspace: Workspace, tmp_path: Path, qtbot: QtBot, calm: Callable[[], None]
) -> None:
    files = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    for file in files:
        rows = ({"prompt": f"{file.name} {n}", "completion": f"answer {n}\n" + "x" * 700} for n in range(NEW))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shown = list(page.model.ids[:25])
    rated = [str(key) for key in page.model.ids[100:150]]
    told: list[int] = []
    page.writer.done.connect(lambda operation: told.extend(operation.changes.ids or ()))
    others = [
        gosmith(workspace, "samples", "import", str(files[0])),
        gosmith(workspace, "samples", "import", str(files[1])),
        gosmith(workspace, "samples", "review", *rated, "--rating", "5"),
    ]
    for _ in shown:
        with qtbot.waitSignal(page.writer.done, timeout=20_000):
            qtbot.keyClick(page.table, Qt.Key.Key_A)
    answers = [json.loads(other.communicate(timeout=120)[0]) for other in others]
    calm()
    assert [other.returncode for other in others] == [0, 0, 0]
    assert [answer["imported"] for answer in answers[:2]] == [NEW, NEW]
    assert told == shown
    with closing(workspace.connect()) as connection:
        assert [row.status for row in store.rows(connection, shown) if row] == ["accepted"] * len(shown)
        assert query.count(connection, parse("rating:5")) == len(rated)
        assert query.count(connection, parse("source:imported")) == 2 * NEW
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        operations = connection.execute("SELECT label, changed FROM operation").fetchall()
    assert ("Import a.jsonl", NEW) in operations
    assert ("Import b.jsonl", NEW) in operations
