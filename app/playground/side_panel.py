"""The strip at the right of a conversation: settings, examples, and what the model reads, one of them at a time."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button

_TIPS = {
    "Settings": "How the next answer is sampled",
    "Examples": "Samples that are shown to the model before the conversation",
    "Prompt": "What the model really reads",
}


class SidePanel(QWidget):
    """Signals: shown(name), when another part came to the front."""

    shown = Signal(str)

    def __init__(self, theme: Theme, settings: QWidget, examples: QWidget, prompt: QWidget) -> None:
        super().__init__()
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(260)
        scroll = QScrollArea()
        scroll.setProperty("kind", "surface")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(settings)
        scroll.setAccessibleName("Sampling")
        self._stack = QStackedWidget()
        self._group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(12, 6, 12, 2)
        row.setSpacing(2)
        for place, (name, part) in enumerate((("Settings", scroll), ("Examples", examples), ("Prompt", prompt))):
            button = Button(name, theme, kind="segment", name=f"side{name}", tip=_TIPS[name])
            button.setCheckable(True)
            self._group.addButton(button, place)
            self._stack.addWidget(part)
            row.addWidget(button)
        row.addStretch(1)
        self._group.button(0).setChecked(True)
        self._group.idToggled.connect(self._on_toggled)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._stack, 1)

    @property
    def part(self) -> str:
        """What is in front."""
        return tuple(_TIPS)[self._stack.currentIndex()]

    def _on_toggled(self, place: int, chosen: bool) -> None:
        if chosen:
            self._stack.setCurrentIndex(place)
            self.shown.emit(self.part)
