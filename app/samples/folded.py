"""Something long about a sample, in a line, and whole below it when it is opened.

Closed at first, and for each person who wants it open it stays open from sample to sample. It is told all that it shows, and writes the
long text only when it can be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel

_LOWEST, _SHARE = 140, 0.3


class Pen:
    """Writes into a text in three colours."""

    def __init__(self, cursor: QTextCursor, theme: Theme) -> None:
        self._cursor = cursor
        tokens = theme.tokens
        self._formats = {}
        for name, colour in (("head", tokens.accent), ("dim", tokens.dim), ("plain", tokens.text)):
            self._formats[name] = QTextCharFormat()
            self._formats[name].setForeground(QColor(colour))

    def head(self, text: str) -> None:
        """What a part is headed with."""
        self._cursor.insertText(text, self._formats["head"])

    def dim(self, text: str) -> None:
        """Facts beside it."""
        self._cursor.insertText(text, self._formats["dim"])

    def plain(self, text: str) -> None:
        """What it says."""
        self._cursor.insertText(text, self._formats["plain"])


@dataclass(frozen=True, slots=True)
class Folded:
    """subject: what it is about; the same one is not written twice. line: in short. write: the whole."""

    subject: object
    line: str
    write: Callable[[Pen], None]


class FoldedText(QWidget):
    """Attributes: header (opens and closes), text. Hidden while there is nothing to tell."""

    def __init__(
        self, theme: Theme, title: str, *, name: str, tip: str, text_name: str, says: str, parent: QWidget | None = None
    ) -> None:
        """name: what the objectNames begin with, but the text's. says: the accessible name of the text."""
        super().__init__(parent)
        self._theme = theme
        self._folded: Folded | None = None
        self._written: object = None
        self.setObjectName(name)
        self.header = Button(title, theme, icon="caret-right", kind="link", name=f"{name}Open", tip=tip)
        self.header.setAccessibleDescription("closed")
        self.header.clicked.connect(self._on_clicked)
        self._facts = ElidedLabel(tone="dim")
        self._facts.setObjectName(f"{name}Facts")
        self.text = QPlainTextEdit()
        self.text.setObjectName(text_name)
        self.text.setAccessibleName(says)
        self.text.setReadOnly(True)
        self.text.setProperty("kind", "code")
        self.text.setProperty("framed", True)
        self.text.setFont(fonts.code_font())
        self.text.setTabStopDistance(4 * self.text.fontMetrics().horizontalAdvance(" "))
        self.text.hide()
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.header)
        line.addWidget(self._facts, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(line)
        column.addWidget(self.text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()
        theme.changed.connect(self._retint)

    @property
    def line(self) -> str:
        """What stands beside the header."""
        return self._facts.text()

    def show_folded(self, folded: Folded | None) -> None:
        """Tell of this one; None hides it."""
        self._folded = folded
        self.setVisible(folded is not None)
        if folded is not None:
            self._facts.setText(folded.line)
            self._fill()

    def _on_clicked(self) -> None:
        opened = self.text.isHidden()
        self.text.setFixedHeight(max(_LOWEST, round(_SHARE * self.window().height())))
        self.text.setVisible(opened)
        self.header.set_icon("caret-down" if opened else "caret-right")
        self.header.setAccessibleDescription("open" if opened else "closed")
        self._fill()

    def _retint(self) -> None:
        self._written = None
        self._fill()

    def _fill(self) -> None:
        """Written only when it is open, and once a subject: it may be long."""
        folded = self._folded
        if folded is None or self.text.isHidden() or folded.subject is self._written:
            return
        self._written = folded.subject
        self.text.clear()
        cursor = self.text.textCursor()
        cursor.beginEditBlock()
        folded.write(Pen(cursor, self._theme))
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
