"""What the model really reads, token after token: marks of the template in colour, and the ids where they are wanted."""

from __future__ import annotations

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QCheckBox, QPlainTextEdit, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.labels import label
from core.inference.rendering import PromptToken, Rendering

MOST_SHOWN = 20_000
"""Tokens; a longer prompt is shown from its end, which is what the model goes on from."""


class PromptView(QWidget):
    """Attributes: text (the QPlainTextEdit)."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "surface")
        self._theme = theme
        self._rendering: Rendering | None = None
        self._ids = QCheckBox("Token ids")
        self._ids.setObjectName("promptIds")
        self._ids.toggled.connect(self._write)
        self._note = label(tone="dim", size=12, wrap=True, name="promptNote")
        self.text = QPlainTextEdit()
        self.text.setObjectName("renderedPrompt")
        self.text.setAccessibleName("What the model reads")
        self.text.setReadOnly(True)
        self.text.setProperty("kind", "code")
        self.text.setFont(fonts.code_font(12))
        self.text.setUndoRedoEnabled(False)
        self.text.setTabChangesFocus(True)
        self.text.setTabStopDistance(4 * self.text.fontMetrics().horizontalAdvance(" "))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 4, 14, 10)
        layout.setSpacing(8)
        layout.addWidget(self._note)
        layout.addWidget(self._ids)
        layout.addWidget(self.text, 1)
        theme.changed.connect(self._write)
        self.say("The model says what it reads as soon as it is loaded.")

    def say(self, sentence: str) -> None:
        """Show nothing but why."""
        self._rendering = None
        self._note.setText(sentence)
        self.text.clear()

    def show_rendering(self, rendering: Rendering) -> None:
        """Show these tokens."""
        if rendering == self._rendering:
            return
        self._rendering = rendering
        hidden = max(0, len(rendering.tokens) - MOST_SHOWN)
        said = f"{rendering.count:,} tokens; marks of the template are in colour."
        self._note.setText(f"{said} The first {hidden:,} are not shown." if hidden else said)
        self._write()

    def _write(self) -> None:
        rendering = self._rendering
        if rendering is None:
            return
        tokens = self._theme.tokens
        plain, special, faint, odd = (QTextCharFormat() for _ in range(4))
        plain.setForeground(QColor(tokens.text))
        odd.setForeground(QColor(tokens.text))
        odd.setBackground(QColor(tokens.hover))
        special.setForeground(QColor(tokens.accent))
        special.setBackground(QColor(tokens.accent_soft))
        faint.setForeground(QColor(tokens.faint))
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        cursor.beginEditBlock()
        shown = rendering.tokens[-MOST_SHOWN:]
        if self._ids.isChecked():
            for place, token in enumerate(shown):
                style = special if token.special else odd if place % 2 else plain
                cursor.insertText(_visible(token), style)
                cursor.insertText(f"{token.id} ", faint)
                if token.spelt.endswith(b"\n"):
                    cursor.insertText("\n")
        else:
            for is_special, text in _runs(shown):
                cursor.insertText(text, special if is_special else plain)
        cursor.endEditBlock()


def _visible(token: PromptToken) -> str:
    """A token by itself: white space must be seen, and half a character spelt out."""
    text = token.spelt.decode(errors="backslashreplace")
    return text.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "·")


def _runs(tokens: tuple[PromptToken, ...]) -> list[tuple[bool, str]]:
    """Texts of tokens of one kind, joined before their bytes become characters."""
    found: list[tuple[bool, bytearray]] = []
    for token in tokens:
        if found and found[-1][0] == token.special:
            found[-1][1].extend(token.spelt)
        else:
            found.append((token.special, bytearray(token.spelt)))
    return [(is_special, bytes(spelt).decode(errors="replace")) for is_special, spelt in found]
