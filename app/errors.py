"""Where bugs end up: one report dialog, never a crash without a trace and never a silent `pass`.

What a user can mend (`UserError`) becomes a banner instead. Everything else, on whatever thread, is counted and shown once, with a
report that can be copied. Nothing is sent anywhere.
"""

from __future__ import annotations

import faulthandler
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TextIO

import PySide6
from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, QUrl, Signal, Slot, qInstallMessageHandler
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label, section
from core.errors import UserError
from core.secrets import hide

_LOG_BYTES = 1_000_000
_Trace = TracebackType | None


class Log:
    """A plain text file, one entry a line or a traceback; started afresh when it is over a megabyte."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _LOG_BYTES:
            path.replace(path.with_suffix(".old.log"))
        self.path = path
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Append an entry with the time of day."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        with self._lock, open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{stamp} {text.rstrip()}\n")


class CrashLog:
    """faulthandler's file: if the process dies in native code, its stacks are found there at the next start."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "crash.log"
        self.previous = folder / "crash.previous.log"
        self.found = self.path.exists() and self.path.stat().st_size > 0
        if self.found:
            self.path.replace(self.previous)
        self._file: TextIO = open(self.path, "w", encoding="utf-8")  # noqa: SIM115  faulthandler writes to it until we end
        faulthandler.enable(self._file)

    def close(self) -> None:
        """The window ends properly: nothing to tell the next start."""
        faulthandler.disable()
        self._file.close()
        self.path.unlink(missing_ok=True)


class ErrorReporter(QObject):
    """Takes errors from every hook and every thread to one dialog.

    Signals: problem(UserError), for what a user can mend.
    """

    problem = Signal(object)
    _caught = Signal(object)

    def __init__(self, theme: Theme, log: Log) -> None:
        super().__init__()
        self._theme = theme
        self._log = log
        self._dialog: ReportDialog | None = None
        self._restore: list[Callable[[], object]] = []
        self._caught.connect(self._on_caught, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Hook into Python, its threads, its destructors, and Qt's messages."""
        before = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook = self._on_exception
        threading.excepthook = lambda caught: self._on_exception(
            caught.exc_type, caught.exc_value or caught.exc_type(), caught.exc_traceback
        )
        sys.unraisablehook = self._on_unraisable
        qt_before = qInstallMessageHandler(self._on_qt_message)

        def restore() -> None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = before
            qInstallMessageHandler(qt_before)

        self._restore.append(restore)

    def remove(self) -> None:
        """Give the hooks back, and close the dialog."""
        while self._restore:
            self._restore.pop()()
        if self._dialog is not None:
            self._dialog.close()

    def report(self, error: BaseException) -> None:
        """Take an error from any thread; returns at once."""
        self._caught.emit(error)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: _Trace) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QGuiApplication.quit()
            return
        self.report(error)

    def _on_unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.exc_value is not None:
            self.report(unraisable.exc_value)

    def _on_qt_message(self, kind: QtMsgType, where: QMessageLogContext, text: str) -> None:
        self._log.write(f"Qt {kind.name}: {text}")
        if os.environ.get("GOSMITH_DEBUG"):
            sys.stderr.write(f"Qt {kind.name}: {text}\n")

    @Slot(object)
    def _on_caught(self, error: BaseException) -> None:
        if isinstance(error, UserError):
            self.problem.emit(error)
            return
        text = hide("".join(traceback.format_exception(error)))
        self._log.write(text)
        sys.stderr.write(text)
        if self._dialog is None:
            self._dialog = ReportDialog(self._theme, self._log.path)
        self._dialog.add(error, text)


class ReportDialog(QDialog):
    """What went wrong, in one sentence; the traceback below; copy it or open the log. Not modal: work goes on."""

    def __init__(self, theme: Theme, log: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._log = log
        self._reports: list[str] = []
        self.setObjectName("errorReport")
        self.setWindowTitle("Gosmith found a bug in itself")
        self.resize(640, 360)
        self._summary = label(wrap=True)
        self._trace = QPlainTextEdit()
        self._trace.setObjectName("errorTrace")
        self._trace.setAccessibleName("Report")
        self._trace.setReadOnly(True)
        self._trace.setTabChangesFocus(True)
        self._trace.setFont(fonts.code_font())
        self._trace.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._trace.setVisible(False)
        self._details = Button("Show report", theme, kind="quiet", name="errorDetails")
        self._details.clicked.connect(self._on_details)
        copy = Button("Copy report", theme, icon="copy", name="errorCopy")
        copy.clicked.connect(self._on_copy)
        open_log = Button("Open log", theme, name="errorLog")
        open_log.clicked.connect(self._on_open_log)
        close = Button("Go on", theme, kind="primary", name="errorClose")
        close.clicked.connect(self.close)
        close.setDefault(True)
        row = QHBoxLayout()
        for button in (self._details, copy, open_log):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(section("Something in Gosmith went wrong"))
        column.addWidget(self._summary)
        column.addWidget(self._trace, 1)
        column.addStretch()
        column.addLayout(row)

    @property
    def reports(self) -> list[str]:
        """All tracebacks so far."""
        return self._reports

    def add(self, error: BaseException, text: str) -> None:
        """Show this error, or count it when the dialog is open already."""
        self._reports.append(text)
        first = hide(f"{type(error).__name__}: {error}") if str(error) else type(error).__name__
        more = "" if len(self._reports) == 1 else f" {len(self._reports)} errors so far; this is the latest."
        self._summary.setText(
            f"{first[:400]}\n\nYour samples are safe: every change is stored as it is made.{more} You can go on; if it "
            "happens again, copy the report into an issue."
        )
        self._trace.setPlainText(self._report())
        if not self.isVisible():
            self.show()

    def _report(self) -> str:
        head = f"Gosmith · Python {platform.python_version()} · PySide6 {PySide6.__version__} · {platform.platform()}"
        return "\n\n".join([head, *self._reports[-5:]])

    def _on_details(self) -> None:
        shown = self._trace.isHidden()
        self._trace.setVisible(shown)
        self._details.setText("Hide report" if shown else "Show report")

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report())

    def _on_open_log(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log)))
