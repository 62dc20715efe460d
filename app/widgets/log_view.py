"""The end of a job's log while it grows. It follows the newest line as long as the reader is at the bottom."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app import fonts

MOST_LINES = 5_000
FIRST_BYTES = 256 * 1024


class LogView(QPlainTextEdit):
    """Shows one log file; call `follow` as often as it may have grown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setProperty("kind", "code")
        self.setProperty("framed", True)
        self.setFont(fonts.code_font())
        self.setMaximumBlockCount(MOST_LINES)
        self.setAccessibleName("Log")
        self.setPlaceholderText("Nothing was logged yet.")
        self._path: Path | None = None
        self._offset = 0

    def set_path(self, path: Path) -> None:
        """Show this file from now on, a large one from near its end."""
        self.clear()
        self._path = path
        try:
            self._offset = max(0, path.stat().st_size - FIRST_BYTES)
        except FileNotFoundError:
            self._offset = 0
        self.follow()

    def follow(self) -> None:
        """Append what was written since the last call."""
        if self._path is None:
            return
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                added = file.read()
        except FileNotFoundError:
            return
        whole = added.rfind(b"\n") + 1
        if not whole:
            return
        self._offset += whole
        bar = self.verticalScrollBar()
        at_bottom = bar.value() >= bar.maximum() - 4
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(added[:whole].decode("utf-8", "replace"))
        if at_bottom:
            bar.setValue(bar.maximum())
