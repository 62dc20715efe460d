"""What assistive technology would trip over in Qt, mended.

Qt 6.11 tells a screen reader how many children a scroll area has and, asked for one of them, looks it up without looking whether it is
still there: a scroll bar that was hidden between the two questions ends the process. Scroll areas are therefore described as plain
containers, whose children Qt does check. Nothing else about Qt's descriptions is changed here.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAccessibleWidget, QScrollArea


def install() -> None:
    """Once a process, before the first window."""
    QAccessible.installFactory(_describe)


def _describe(class_name: str, thing: QObject) -> QAccessibleWidget | None:
    """Called for every class that an object is of, the most derived first; None leaves it to Qt."""
    if class_name == "QScrollArea" and isinstance(thing, QScrollArea):
        return QAccessibleWidget(thing, QAccessible.Role.Pane)
    return None
