"""The window's process from start to end: light, alone on its workspace, and honest when it cannot open one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.errors import ErrorReporter, Log
from app.instance import SingleInstance
from app.main import Desk, _chosen
from app.theme import Theme
from core.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch",
    "transformers",
    "peft",
    "triton",
    "pandas",
    "numpy",
    "sqlite_utils",
    "pydantic",
    "openai",
    "pyqtgraph",
    "qtawesome",
    "datasets",
    "pyarrow",
)


@pytest.fixture
def desk(qapp: QApplication, theme: Theme, tmp_path: Path, leaks_nothing: None, go_ready: None) -> Iterator[Desk]:
    reporter = ErrorReporter(theme, Log(tmp_path / "log"))
    made = Desk(qapp, Settings(theme="light"), theme, reporter)
    yield made
    made.close()
    shiboken6.delete(made)
    qapp.setQuitOnLastWindowClosed(True)


def test_the_window_stands_without_anything_heavy() -> None:
    """In a process of its own: what this one has imported says nothing."""
    asks = f"""
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import app.main
timer = QTimer()
def look():
    for window in QApplication.topLevelWidgets():
        if window.objectName() == "mainWindow" and window.pages["samples"].model.rowCount() and window.pages["samples"]._counts:
            print("HEAVY", [name for name in {HEAVY!r} if name in sys.modules])
            window.close()
load = app.main.fonts.load
def start():
    load()
    timer.timeout.connect(look)
    timer.start(20)
app.main.fonts.load = start
code = app.main.run_window()
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-m", "app.cli", "samples", "count"],
        check=True,
        env=environment,
        capture_output=True,
        cwd=ROOT,
    )
    done = subprocess.run(
        [sys.executable, "-c", asks], capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "HEAVY []" in done.stdout


def test_a_new_workspace_is_made_and_remembered(desk: Desk, tmp_path: Path, qtbot: QtBot) -> None:
    assert desk.open(tmp_path / "new")
    qtbot.waitUntil(lambda: desk.window is not None, timeout=30_000)
    assert desk.window is not None
    assert desk.window.isVisible()
    qtbot.waitUntil(lambda: load_settings().last_workspace == str(tmp_path / "new"))


def test_one_window_a_workspace_and_the_second_start_raises_it(
    desk: Desk, workspace: object, tmp_path: Path, qtbot: QtBot
) -> None:
    root = tmp_path / "workspace"
    assert desk.open(root)
    qtbot.waitUntil(lambda: desk.window is not None)
    raised: list[bool] = []
    assert desk._instance is not None
    desk._instance.raise_wanted.connect(lambda: raised.append(True))
    second = SingleInstance(root)
    assert not second.first()
    qtbot.waitUntil(lambda: desk._instance is not None and desk._instance._server is not None)
    answered: list[bool] = []
    thread = threading.Thread(target=lambda: answered.append(_ask_in_another_process(root)))
    thread.start()
    qtbot.waitUntil(lambda: bool(raised), timeout=20_000)
    thread.join()
    assert answered == [True]


def _ask_in_another_process(root: Path) -> bool:
    asks = (
        "import sys, pathlib; from PySide6.QtCore import QCoreApplication; from app.instance import SingleInstance; "
        "application = QCoreApplication([]); one = SingleInstance(pathlib.Path(sys.argv[1])); "
        "sys.exit(0 if not one.first() and one.raise_other() else 1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asks, str(root)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    return done.returncode == 0


def test_a_lock_whose_owner_was_killed_is_taken_over(tmp_path: Path, eventually: Callable[..., None]) -> None:
    asks = (
        "import sys, time, pathlib; from app.instance import SingleInstance; "
        "one = SingleInstance(pathlib.Path(sys.argv[1])); print(one.first(), flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", asks, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "True"
    assert not SingleInstance(tmp_path).first()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert SingleInstance(tmp_path).first()


def test_a_workspace_that_cannot_be_opened_is_explained(desk: Desk, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "file").write_text("in the way")
    desk.open(tmp_path / "file")
    qtbot.waitUntil(lambda: desk._start is not None and desk._start._choose.isVisible())
    assert desk._start is not None
    text = desk._start.findChild(QLabel, "startText")
    assert text is not None
    assert "a file is in the way" in text.text()
    assert desk.window is None


def test_another_workspace_is_opened_in_the_same_window_s_place(
    desk: Desk, workspace: object, tmp_path: Path, qtbot: QtBot
) -> None:
    desk.open(tmp_path / "workspace")
    qtbot.waitUntil(lambda: desk.window is not None)
    first = desk.window
    assert desk.context is not None
    desk.context.workspace_wanted.emit(tmp_path / "other")
    qtbot.waitUntil(lambda: desk.window is not None and desk.window is not first, timeout=30_000)
    assert desk.context is not None
    assert desk.context.workspace.root == tmp_path / "other"
    assert SingleInstance(tmp_path / "workspace").first(), "the first one is free again"


def test_which_workspace_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = tmp_path / "last"
    last.mkdir()
    assert _chosen(tmp_path / "named", Settings(last_workspace=str(last))) == tmp_path / "named"
    assert _chosen(None, Settings(last_workspace=str(last))) == last
    monkeypatch.setenv("GOSMITH_WORKSPACE", str(tmp_path / "env"))
    assert _chosen(None, Settings(last_workspace=str(last))) == tmp_path / "env"
    monkeypatch.delenv("GOSMITH_WORKSPACE")
    assert _chosen(None, Settings(last_workspace=str(tmp_path / "gone"))).name == "workspace"
