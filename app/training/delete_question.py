"""The question before a run is deleted: what would be lost, and how much space it takes. It deletes nothing itself."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from core.jobs import JobInfo


class DeleteQuestion(QMessageBox):
    """Asks once; Cancel is what Enter and Esc do. `accepted` means yes."""

    def __init__(self, run: JobInfo, size: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("deleteQuestion")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Delete a run")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(f"Delete “{run.title}”?")
        self.setInformativeText(
            f"Its curves, its log and its checkpoints ({_amount(size)}) are removed from the disk. This cannot be undone."
        )
        yes = self.addButton("Delete", QMessageBox.ButtonRole.AcceptRole)
        yes.setObjectName("deleteConfirm")
        no = self.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        no.setObjectName("deleteCancel")
        self.setDefaultButton(no)
        self.setEscapeButton(no)


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder, as far as they are still there."""
    total = 0
    for parent, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


def _amount(size: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{max(1, round(size / 1e3)):,} kB"
