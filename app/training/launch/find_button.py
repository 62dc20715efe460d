"""The button that offers the finders, each by the name of what it finds."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from core.training.finders import TITLES


class FindButton(Button):
    """Opens a menu, once it is enabled: a search needs a configuration that is right. Signals: wanted(finder), one of `core.training.finders.TITLES`."""

    wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            "Find…", theme, name="findValue", tip="Try on this machine what to set, and see why", parent=parent
        )
        menu = QMenu(self)
        for finder, title in TITLES.items():
            action = menu.addAction(f"{title}…")
            action.setObjectName(f"find-{finder}")
            action.setData(finder)
        menu.triggered.connect(self._on_triggered)
        self.setMenu(menu)
        self.setAccessibleName("Find a value by trying")
        self.setEnabled(False)

    def _on_triggered(self, action: QAction) -> None:
        self.wanted.emit(action.data())
