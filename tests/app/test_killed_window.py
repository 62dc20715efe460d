"""The window is killed in the middle of its work: what it showed as done is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from core.inference import conversation_files as files
from core.samples import store
from core.workspace import Workspace

ROOT = Path(__file__).parents[2]

ACCEPT_FOR_EVER = """
import pathlib, sys
from PySide6.QtCore import QTimer, Qt
from PySide6.QtTest import QTest
import app.main
from app.main import Desk
opened = Desk._on_opened
def ready(self, workspace):
    opened(self, workspace)
    page = self.window.pages["samples"]
    page.writer.done.connect(lambda operation: print("done", operation.changes.ids[0], flush=True))
    def press():
        print("asked", 0, flush=True)
        QTest.keyClick(page.table, Qt.Key.Key_A)
    self.timer = QTimer()
    self.timer.timeout.connect(press)
    self.timer.start(5)
Desk._on_opened = ready
app.main.run_window(pathlib.Path(sys.argv[1]))
"""


def test_every_decision_that_was_reported_survives_a_kill(workspace: Workspace, go_ready: None) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-c", ACCEPT_FOR_EVER, str(workspace.root)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    said: list[str] = []
    while sum(line.startswith("done") for line in said) < 20:
        said.append(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read().splitlines()
    child.wait()
    child.stdout.close()
    with closing(workspace.connect()) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        accepted = {
            row.id for row in store.rows(connection, range(1, 400)) if row is not None and row.status == "accepted"
        }
    told = {int(line.split()[1]) for line in said if line.startswith("done")}
    assert told <= accepted
    asked = sum(line.startswith("asked") for line in said)
    assert len(accepted) <= asked, (
        "what was under way may be done without having been told, but nothing that was not asked"
    )


ASK_AND_HOLD = """
import pathlib, sys, threading
from PySide6.QtCore import QTimer
import app.main, app.playground.page
from app.main import Desk
from app.playground.model_servers import Served
from tests.app.playground.benches import StandingServers
from tests.app.playground.scripted_model import Reply, ScriptedModel
model = ScriptedModel()
threading.Thread(target=model.serve_forever, daemon=True).start()
model.script.replies.append(Reply(["The first words", "never come"], held=threading.Event()))
app.playground.page.ModelServers = lambda *_: StandingServers(Served(model.address))
opened = Desk._on_opened
def ready(self, workspace):
    opened(self, workspace)
    self.window.show_page("playground")
    chat = self.window.pages["playground"].chat
    def ask():
        if chat.model is not None:
            self.timer.stop()
            chat.prompt.setPlainText("One?")
            chat.send()
    self.timer = QTimer()
    self.timer.timeout.connect(ask)
    self.timer.start(5)
Desk._on_opened = ready
app.main.run_window(pathlib.Path(sys.argv[1]))
"""


def test_an_answer_that_was_coming_in_is_there_after_a_kill_as_far_as_it_came(
    workspace: Workspace, go_ready: None, eventually: Callable[..., None]
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-c", ASK_AND_HOLD, str(workspace.root)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT,
    )  # fmt: skip

    def kept() -> list[str]:
        found = list(workspace.conversations.glob("*.json"))
        return [one.text for one in files.load(workspace.conversations, found[0].stem).conversation.messages] if found else []  # fmt: skip

    try:
        eventually(lambda: kept() == ["One?", "The first words"], seconds=60)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert kept() == ["One?", "The first words"]
    [entry] = files.entries(workspace.conversations)
    assert (entry.name, entry.problem) == ("One?", "")
    assert [path.name for path in workspace.conversations.iterdir() if path.suffix == ".json"] == [f"{entry.id}.json"]
