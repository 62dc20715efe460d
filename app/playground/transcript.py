"""The conversation as it is read: who speaks, prose, Go code in colour; the answer grows at its end while it streams.

Text is only ever appended, so that a frame costs the same after twenty thousand characters as after twenty. Colours come
from a highlighter that looks at one line at a time and remembers whether it stands inside a code fence.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.go_syntax import go_runs
from app.widgets.highlighter import colours

IN_FENCE = 1
ROLE_MARK = "\u2063"
"""Invisible separator at the start of a line that names a speaker, so that no answer can look like one."""


class Transcript(QPlainTextEdit):
    """Read-only; use the buttons beside it to speak."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transcript")
        self.setAccessibleName("Conversation")
        self.setReadOnly(True)
        self.setProperty("kind", "code")
        self.setFont(fonts.code_font(13))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(20)
        self._highlighter = _Highlighter(theme, self)
        theme.changed.connect(self._highlighter.retint)

    def speaker(self, name: str) -> None:
        """Begin a turn."""
        gap = "\n\n" if not self.document().isEmpty() else ""
        self._append(f"{gap}{ROLE_MARK}{name}\n")

    def append(self, text: str) -> None:
        """Go on with the turn. Stays at the bottom if the reader was there."""
        self._append(text.replace(ROLE_MARK, ""))

    def _append(self, text: str) -> None:
        bar = self.verticalScrollBar()
        at_bottom = bar.value() >= bar.maximum() - 8
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        if at_bottom:
            bar.setValue(bar.maximum())


class _Highlighter(QSyntaxHighlighter):
    """Go inside ``` fences, names of speakers, and nothing else."""

    def __init__(self, theme: Theme, editor: QPlainTextEdit) -> None:
        super().__init__(editor.document())
        self._theme = theme
        self._formats: dict[str, QTextCharFormat] = {}
        self._make_formats()

    def retint(self) -> None:
        """Use the theme's colours from now on."""
        self._make_formats()
        self.rehighlight()

    def _make_formats(self) -> None:
        tokens = self._theme.tokens
        speaker = QTextCharFormat()
        speaker.setFontWeight(QFont.Weight.DemiBold)
        speaker.setForeground(QColor(tokens.accent))
        fence = QTextCharFormat()
        fence.setForeground(QColor(tokens.faint))
        self._formats = {"speaker": speaker, "fence": fence}
        for kind, colour in colours(tokens).items():
            style = QTextCharFormat()
            style.setForeground(QColor(colour))
            self._formats[kind] = style

    def highlightBlock(self, text: str) -> None:
        inside = self.previousBlockState() == IN_FENCE
        if text.startswith(ROLE_MARK):
            self.setFormat(0, len(text), self._formats["speaker"])
            inside = False
        elif text.lstrip().startswith("```"):
            self.setFormat(0, len(text), self._formats["fence"])
            inside = not inside
        elif inside:
            for start, length, kind in next(go_runs(text)):
                self.setFormat(start, length, self._formats[kind])
        self.setCurrentBlockState(IN_FENCE if inside else 0)
