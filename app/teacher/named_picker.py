"""The choice of a recipe or a rubric: titles in a list, the workspace's own copies marked, and below it what the chosen one is for.

Whoever holds it knows what is chosen from, and may put more beside the list or below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.widgets.calm_combo import CalmCombo
from app.widgets.labels import label


class Entry(Protocol):
    """One of the list. own: a copy in the workspace. problem: why it cannot be used, "" when it can."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def own(self) -> bool: ...
    @property
    def problem(self) -> str: ...


class NamedPicker(QWidget):
    """Attributes: box, about. Signals: chosen(Entry), also when the program chose."""

    chosen = Signal(object)

    def __init__(self, title: str, *, name: str, about: str, parent: QWidget | None = None) -> None:
        """title: what is chosen. name, about: objectNames of the list and of the text below it."""
        super().__init__(parent)
        self._entries: list[Entry] = []
        self.box = CalmCombo()
        self.box.setObjectName(name)
        self.box.setAccessibleName(title)
        self.box.activated.connect(self._on_activated)
        caption = label(title, tone="dim", size=12)
        caption.setBuddy(self.box)
        self.about = label(tone="dim", size=12, wrap=True, name=about)
        self._line = QHBoxLayout()
        self._line.setSpacing(8)
        self._line.addWidget(self.box, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(caption)
        column.addLayout(self._line)
        column.addWidget(self.about)

    def add_beside(self, widget: QWidget) -> None:
        """Put this at the right of the list."""
        self._line.addWidget(widget)

    @property
    def name(self) -> str:
        """Of the chosen one, "" for none."""
        place = self.box.currentIndex()
        return self._entries[place].name if 0 <= place < len(self._entries) else ""

    def set_entries(self, entries: Sequence[Entry], wanted: str) -> None:
        """Offer these and choose one, the first where the wanted one is not among them."""
        self._entries = list(entries)
        self.box.clear()
        for entry in entries:
            self.box.addItem(f"{entry.title}, your copy" if entry.own else entry.title, entry.name)
        if not self.choose(wanted) and entries:
            self.choose(entries[0].name)

    def choose(self, name: str) -> bool:
        """Choose this one; False when there is none."""
        place = self.box.findData(name)
        if place < 0:
            return False
        self.box.setCurrentIndex(place)
        self._on_activated(place)
        return True

    def _on_activated(self, place: int) -> None:
        entry = self._entries[place]
        self.about.setText(entry.problem or entry.about)
        self.chosen.emit(entry)
