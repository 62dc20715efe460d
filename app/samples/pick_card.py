"""Pick a part of what the search finds and give it a tag: different ones, few of each cluster, without the longest."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label, section

_METHODS = {
    "diverse": ("Those that differ most", "How many", "500"),
    "cap": ("At most a few of each cluster", "How many of each", "2"),
    "shorter": ("All but the longest", "Per cent left out", "5"),
}


class PickCard(QFrame):
    """Signals: wanted(method, amount, tag)."""

    wanted = Signal(str, float, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._method = QComboBox()
        self._method.setObjectName("pickMethod")
        self._method.setAccessibleName("How to pick")
        for key, (title, _, _) in _METHODS.items():
            self._method.addItem(title, key)
        self._method.currentIndexChanged.connect(self._on_method)
        self._amount = QLineEdit()
        self._amount.setObjectName("pickAmount")
        self._amount.setValidator(QDoubleValidator(0.0, 1e7, 2, self._amount))
        self._amount.setMaximumWidth(90)
        self._tag = QLineEdit()
        self._tag.setObjectName("pickTag")
        self._tag.setAccessibleName("Tag")
        self._tag.setPlaceholderText("Tag for them")
        self._go = Button(
            "Tag them", theme, name="pickStart", tip="Tag the picked samples, in one step that can be undone"
        )
        self._go.clicked.connect(self._on_go)
        self._said = label("Picked out of what the search finds, and tagged.", tone="dim", wrap=True, name="pickResult")
        for field in (self._amount, self._tag):
            field.textChanged.connect(self._on_edited)
            field.returnPressed.connect(self._on_go)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self._method, 1)
        first.addWidget(self._amount)
        second.addWidget(self._tag, 1)
        second.addWidget(self._go)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.addWidget(section("Pick a part"))
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self._said)
        column.addStretch(1)
        self._on_method()

    def say(self, words: str) -> None:
        """What came of it."""
        self._said.setText(words)
        self._on_edited()

    def _on_method(self) -> None:
        _, name, usual = _METHODS[self._method.currentData()]
        self._amount.setAccessibleName(name)
        self._amount.setToolTip(name)
        self._amount.setText(usual)

    def _on_edited(self) -> None:
        self._go.setEnabled(bool(self._tag.text().strip()) and self._amount.hasAcceptableInput())

    def _on_go(self) -> None:
        if self._go.isEnabled():
            self._go.setEnabled(False)
            self._said.setText("Picking…")
            amount, _ = self.locale().toDouble(self._amount.text())
            self.wanted.emit(self._method.currentData(), amount, self._tag.text().strip())
