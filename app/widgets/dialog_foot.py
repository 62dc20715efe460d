"""The foot of a dialog: what Enter does at the right, Cancel beside it. When a dialog may be confirmed is its own business."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QWidget


def dialog_foot(dialog: QDialog, cancel: QPushButton, confirm: QPushButton, *before: QWidget) -> QHBoxLayout:
    """The row, to be put below the rest; Cancel rejects. before: what stands at the left of the buttons; the first takes the room that is left."""
    cancel.clicked.connect(dialog.reject)
    confirm.setDefault(True)
    row = QHBoxLayout()
    row.setSpacing(8)
    if not before:
        row.addStretch(1)
    for place, widget in enumerate((*before, cancel, confirm)):
        row.addWidget(widget, 1 if before and not place else 0)
    return row
