"""What the model will see: the tokens of the first batch, those that are trained on in colour, the rest dim.

Every token stands exactly once; line ends and other invisible tokens are shown as signs, so that a mask that is off by
one is seen. Nothing is computed here; the rows come from the same code that feeds the training loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app import fonts
from app.theme import Theme


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row of the batch. tokens: (text, is trained on) in order."""

    sample: str
    tokens: tuple[tuple[str, bool], ...]
    truncated: bool

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> PreviewRow:
        """A row of preview.json."""
        tokens = tuple((str(token["text"]), bool(token["trained"])) for token in row["tokens"])
        return cls(str(row["sample"]), tokens, bool(row.get("truncated", False)))

    @property
    def trained(self) -> int:
        """How many tokens count in the loss."""
        return sum(trained for _, trained in self.tokens)


class BatchPreview(QPlainTextEdit):
    """Shows rows one below the other, each under a line that names its sample and counts its tokens."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setProperty("kind", "code")
        self.setProperty("framed", True)
        self.setFont(fonts.code_font())
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.setObjectName("batchPreview")
        self.setAccessibleName("First batch with its loss mask")
        self.setPlaceholderText("The first batch appears here.")
        self._theme = theme
        self._rows: tuple[PreviewRow, ...] = ()
        theme.changed.connect(self._retint)

    def _retint(self) -> None:
        self.set_rows(self._rows)

    def set_rows(self, rows: Sequence[PreviewRow]) -> None:
        """Show these rows instead of what is shown."""
        self._rows = tuple(rows)
        self.clear()
        cursor = self.textCursor()
        cursor.beginEditBlock()
        for number, row in enumerate(self._rows):
            if number:
                cursor.insertBlock()
                cursor.insertBlock()
            self._insert_row(cursor, row)
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _insert_row(self, cursor: QTextCursor, row: PreviewRow) -> None:
        head, masked, trained = self._formats()
        cut = ", cut at the maximum length" if row.truncated else ""
        cursor.insertText(f"{row.sample}: {len(row.tokens):,} tokens, {row.trained:,} trained on{cut}", head)
        cursor.insertBlock()
        for text, is_trained in row.tokens:
            cursor.insertText(visible(text), trained if is_trained else masked)

    def _formats(self) -> tuple[QTextCharFormat, QTextCharFormat, QTextCharFormat]:
        tokens = self._theme.tokens
        head, masked, trained = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        head.setForeground(QColor(tokens.faint))
        masked.setForeground(QColor(tokens.faint))
        trained.setForeground(QColor(tokens.text))
        trained.setBackground(QColor(tokens.good_soft))
        return head, masked, trained


def visible(text: str) -> str:
    """The text of a token with its line ends shown, so that it is known on which side of the mask they stand."""
    return text.replace("\r", "␍").replace("\n", "↵\n")
