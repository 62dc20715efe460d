"""Rendered prompts to read, one at a time: what would be asked first for three samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label, section
from core.teacher.forecast import EXAMPLES, Example


@dataclass(frozen=True, slots=True)
class Prompt:
    """messages: (role, content) each. caption: what tells it from the others, in a line."""

    caption: str
    messages: tuple[tuple[str, str], ...]


def drawn(examples: Sequence[Example]) -> tuple[Prompt, ...]:
    """What a recipe asks for its draws, with what was drawn as the caption."""
    return tuple(Prompt(" · ".join((one.topic, *_values(one.draw))), one.messages) for one in examples)


def _values(draw: Mapping[str, str]) -> list[str]:
    return [", ".join(f"{axis} {value}" for axis, value in draw.items())] if draw else []


class ExamplesView(QWidget):
    """Shows prompts; the chosen one stays chosen when they change."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._prompts: tuple[Prompt, ...] = ()
        self._caption = label(tone="dim", size=12, wrap=True, name="exampleDraw")
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
        column.addWidget(self._caption)
        column.addWidget(self.text, 1)
        theme.changed.connect(self._show)
        self._show()

    def show_prompts(self, prompts: Sequence[Prompt]) -> None:
        """Show these instead."""
        if tuple(prompts) != self._prompts:
            self._prompts = tuple(prompts)
            self._show()

    def _show(self) -> None:
        for button in self._buttons.buttons():
            button.setVisible(self._buttons.id(button) < max(1, len(self._prompts)))
        place = min(self._buttons.checkedId(), len(self._prompts) - 1)
        self.text.clear()
        if place < 0:
            self._caption.setText("")
            return
        prompt = self._prompts[place]
        self._caption.setText(prompt.caption)
        role, plain = QTextCharFormat(), QTextCharFormat()
        role.setForeground(QColor(self._theme.tokens.accent))
        plain.setForeground(QColor(self._theme.tokens.text))
        cursor = self.text.textCursor()
        for number, (who, content) in enumerate(prompt.messages):
            cursor.insertText(f"{'' if number == 0 else chr(10) * 2}{who}\n", role)
            cursor.insertText(content, plain)
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
