"""The window's process, from start to end: hooks, look, workspace, window; and the reverse when it closes.

Kept light on purpose: the table must stand there within a second of the start, so nothing is imported here that the first page does
not need, and never torch.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QFileDialog

from app import accessibility, fonts
from app.collector import IdleCollector
from app.context import AppContext
from app.errors import CrashLog, ErrorReporter, Log
from app.instance import SingleInstance
from app.start import StartWindow
from app.tasks import TaskRunner
from app.theme import Theme
from app.window import MainWindow
from core.errors import UserError
from core.paths import data_dir, default_workspace, resources
from core.settings import Settings, load_settings
from core.workspace import Workspace, open_workspace

_PATIENCE_MS = 200
"""Opening a workspace that exists takes 20 ms; only one that takes longer gets a window of its own."""


class Desk(QObject):
    """Opens one workspace at a time and holds what belongs to it. Closing the last window ends the application.

    Attributes: window and context, None until a workspace is open.
    """

    def __init__(self, app: QApplication, settings: Settings, theme: Theme, reporter: ErrorReporter) -> None:
        super().__init__(app)
        self._app = app
        self._theme = theme
        self._reporter = reporter
        self._opening = TaskRunner(None, pool=1)
        self._start: StartWindow | None = None
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._show_start)
        self._instance: SingleInstance | None = None
        self.settings = settings
        self.window: MainWindow | None = None
        self.context: AppContext | None = None
        self.on_open: Callable[[], None] | None = None

    def open(self, root: Path) -> bool:
        """Open this workspace. False when another window has it; that one is asked to come to the front."""
        instance = SingleInstance(root, self)
        if not instance.first():
            instance.raise_other()
            return False
        self._close_window()
        self._instance = instance
        self._app.setQuitOnLastWindowClosed(False)
        self._patience.start()
        progress = self._opening.relay(self._on_progress, owner=self)
        self._opening.run(
            lambda: open_workspace(root, progress=progress), self._on_opened, self._on_cannot_open, owner=self
        )
        return True

    def close(self) -> None:
        """Put everything away; called when the event loop has ended."""
        self._close_window()
        self._opening.close()

    def _show_start(self) -> None:
        if self._start is None:
            self._start = StartWindow(self._theme)
            self._start.folder_wanted.connect(self._choose_folder)
            self._start.quit_wanted.connect(self._app.quit)
        self._start.show()

    def _on_progress(self, done: int, total: int) -> None:
        if self._start is not None:
            self._start.show_progress(done, total)

    def _on_cannot_open(self, error: UserError) -> None:
        self._patience.stop()
        self._show_start()
        if self._start is not None:
            self._start.show_problem(error)
        self._app.setQuitOnLastWindowClosed(True)

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self._start, "Open a workspace folder", str(Path.home()))
        if chosen:
            self._drop_start()
            self.open(Path(chosen))

    def _drop_start(self) -> None:
        self._patience.stop()
        if self._start is not None:
            self._start.close()
            self._start.deleteLater()
            self._start = None

    def _on_opened(self, workspace: Workspace) -> None:
        self._drop_start()
        self.context = AppContext(workspace, TaskRunner(workspace), self.settings, self._theme)
        self.context.workspace_wanted.connect(self._on_workspace_wanted)
        self._reporter.problem.connect(self.context.problem)
        self.window = MainWindow(self.context)
        self.window.show()
        self._app.setQuitOnLastWindowClosed(True)
        if self._instance is not None:
            self._instance.raise_wanted.connect(self._raise_window)
        QTimer.singleShot(0, self._after_first_paint)
        if self.on_open is not None:
            self.on_open()

    def _after_first_paint(self) -> None:
        """What can wait until the table stands there."""
        if self.context is None or self._instance is None:
            return
        self._instance.listen()
        self.context.jobs.start()
        self.context.tasks.run(partial(_prepare_go, self.context.workspace.jobs), owner=self)
        root = str(self.context.workspace.root)
        if self.context.settings.last_workspace != root:
            self.context.update_settings(replace(self.context.settings, last_workspace=root))

    def _on_workspace_wanted(self, root: Path) -> None:
        if self.window is None or self.context is None or root.absolute() == self.context.workspace.root:
            return
        self.settings = self.context.settings
        if self.window.close() and not self.open(root):
            self._app.quit()

    def _raise_window(self) -> None:
        if self.window is None:
            return
        self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.raise_()
        self.window.activateWindow()

    def _close_window(self) -> None:
        self._drop_start()
        if self.window is not None:
            self.window.close()
            self.window.deleteLater()
            self.window = None
        if self.context is not None:
            self.context.close()
            self.context.deleteLater()
            self.context = None
        if self._instance is not None:
            self._instance.release()
            self._instance = None


def _prepare_go(jobs: Path) -> None:
    from core.golang.warming import warm_if_cold  # late: not before the first paint

    warm_if_cold(jobs)


def run_window(root: Path | None = None) -> int:
    """Open the window on this workspace (default: the one of last time) and stay until it is closed. Returns the exit code."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("gosmith")
    app.setApplicationDisplayName("Gosmith")
    app.setDesktopFileName("gosmith")
    app.setWindowIcon(QIcon(str(resources() / "icons" / "gosmith.svg")))
    accessibility.install()
    fonts.load()
    settings = load_settings()
    theme = Theme(app, settings.theme)
    logs = data_dir() / "logs"
    crash_log = CrashLog(logs)
    reporter = ErrorReporter(theme, Log(logs / "gosmith.log"))
    reporter.install()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: app.quit())
    collector = IdleCollector(app)
    desk = Desk(app, settings, theme, reporter)
    if crash_log.found:
        desk.on_open = lambda: _tell_of_crash(desk, crash_log.previous)
    code = 0
    if desk.open(_chosen(root, settings)):
        code = app.exec()
    desk.close()
    collector.stop()
    reporter.remove()
    crash_log.close()
    return code


def _chosen(root: Path | None, settings: Settings) -> Path:
    if root is not None:
        return root
    if not os.environ.get("GOSMITH_WORKSPACE") and settings.last_workspace and Path(settings.last_workspace).is_dir():
        return Path(settings.last_workspace)
    return default_workspace()


def _tell_of_crash(desk: Desk, log: Path) -> None:
    desk.on_open = None
    if desk.context is not None:
        desk.context.problem.emit(
            UserError("Gosmith ended unexpectedly last time; no saved change was lost.", f"What happened is in {log}.")
        )


if __name__ == "__main__":
    sys.exit(run_window(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
