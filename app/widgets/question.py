"""A question before something is lost: what, in a sentence, and two buttons. Cancel is what Enter and Esc do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def question(
    parent: QWidget, name: str, title: str, text: str, more: str, yes: str, run: Callable[[], object]
) -> QMessageBox:
    """A box that has only to be opened; it goes away by itself. name: its objectName, with "Confirm" behind it that of its button `yes`,
    which calls `run`."""
    box = QMessageBox(parent)
    box.setObjectName(name)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    box.setInformativeText(more)
    box.addButton(yes, QMessageBox.ButtonRole.AcceptRole).setObjectName(f"{name}Confirm")
    no = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    no.setObjectName(f"{name}Cancel")
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.accepted.connect(run)
    box.finished.connect(box.deleteLater)
    return box
