"""Rendered prompts to read, one at a time: what would be asked first for three draws."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label, section
from core.teacher.forecast import EXAMPLES, Example


class ExamplesView(QWidget):
    """Shows examples; the chosen one stays chosen when they change."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._examples: tuple[Example, ...] = ()
        self._drawn = label(tone="dim", size=12, wrap=True, name="exampleDraw")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setProperty("kind", "code")
        self.text.setProperty("framed", True)
        self.text.setFont(fonts.code_font())
        self.text.setTabStopDistance(4 * self.text.fontMetrics().horizontalAdvance(" "))
        self.text.setObjectName("examplePrompt")
        self.text.setAccessibleName("Example prompt")
        self.text.setPlaceholderText("Three prompts appear here as they would be sent.")
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(section("Prompts"))
        row.addStretch(1)
        self._buttons = QButtonGroup(self)
        for place in range(EXAMPLES):
            button = Button(f"Example {place + 1}", theme, kind="segment", name=f"example{place + 1}")
            button.setCheckable(True)
            button.setChecked(place == 0)
            self._buttons.addButton(button, place)
            row.addWidget(button)
        self._buttons.idClicked.connect(lambda _place: self._show())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self._drawn)
        column.addWidget(self.text, 1)
        theme.changed.connect(self._show)
        self._show()

    def show_examples(self, examples: Sequence[Example]) -> None:
        """Show these instead."""
        if tuple(examples) != self._examples:
            self._examples = tuple(examples)
            self._show()

    def _show(self) -> None:
        for button in self._buttons.buttons():
            button.setVisible(self._buttons.id(button) < max(1, len(self._examples)))
        place = min(self._buttons.checkedId(), len(self._examples) - 1)
        self.text.clear()
        if place < 0:
            self._drawn.setText("")
            return
        example = self._examples[place]
        drawn = ", ".join(f"{axis} {value}" for axis, value in example.draw.items())
        self._drawn.setText(f"{example.topic}" + (f" · {drawn}" if drawn else ""))
        role, plain = QTextCharFormat(), QTextCharFormat()
        role.setForeground(QColor(self._theme.tokens.accent))
        plain.setForeground(QColor(self._theme.tokens.text))
        cursor = self.text.textCursor()
        for number, (who, content) in enumerate(example.messages):
            cursor.insertText(f"{'' if number == 0 else chr(10) * 2}{who}\n", role)
            cursor.insertText(content, plain)
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
