"""Puts the runs of a lexer onto a QTextDocument, a few milliseconds at a time.

QSyntaxHighlighter is not used: it calls Python once a line for every key and lays the document out again. Here one pass
of the lexer runs in slices of at most `SLICE_MS` on a 0 ms timer, and a line whose runs did not change is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextDocument, QTextLayout

from app.theme import Theme
from app.tokens import Tokens
from app.widgets.go_syntax import Lexer, Run, go_runs

SLICE_MS = 8
_TYPING_MS = 40
_UNKNOWN = -1


def colours(tokens: Tokens) -> dict[str, str]:
    """Syntax kind -> colour."""
    return {
        "keyword": tokens.code_keyword,
        "string": tokens.code_string,
        "number": tokens.code_number,
        "comment": tokens.code_comment,
        "builtin": tokens.code_builtin,
        "type": tokens.code_type,
    }


class Highlighter(QObject):
    """Keeps one document coloured while it is typed in and when the theme changes."""

    def __init__(self, document: QTextDocument, theme: Theme, lexer: Lexer = go_runs) -> None:
        super().__init__(document)
        self._document = document
        self._theme = theme
        self._lexer = lexer
        self._formats: dict[str, QTextCharFormat] = {}
        self._pending: Iterator[list[Run]] = iter(())
        self._block = QTextBlock()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._slice)
        self._set_colours()
        document.contentsChange.connect(self._on_contents_change)
        theme.changed.connect(self._on_theme_changed)

    def set_lexer(self, lexer: Lexer) -> None:
        """Colour the document as another language from now on."""
        self._lexer = lexer
        self.restart()

    def restart(self) -> None:
        """Colour from the first line on; the first slice is done when this returns, so short code never flickers."""
        self._pending = self._lexer(self._document.toPlainText())
        self._block = self._document.begin()
        self._slice()

    def _slice(self) -> None:
        if not self._block.isValid():
            self.restart()
            return
        deadline = time.perf_counter() + SLICE_MS / 1000
        first = self._block.position()
        while self._block.isValid():
            runs = next(self._pending, None)
            if runs is None:
                break
            self._colour(runs)
            self._block = self._block.next()
            if time.perf_counter() > deadline:
                break
        end = self._block.position() if self._block.isValid() else self._document.characterCount()
        self._document.markContentsDirty(first, max(0, end - first))
        if self._block.isValid():
            self._timer.start(0)

    def _colour(self, runs: list[Run]) -> None:
        state = hash(tuple(runs)) & 0x3FFFFFFF
        if self._block.userState() == state:
            return
        self._block.setUserState(state)
        ranges = []
        for start, length, kind in runs:
            piece = QTextLayout.FormatRange()
            piece.start, piece.length, piece.format = start, length, self._formats[kind]
            ranges.append(piece)
        self._block.layout().setFormats(ranges)

    def _on_contents_change(self, position: int, removed: int, added: int) -> None:
        self._block = QTextBlock()
        self._timer.start(_TYPING_MS)

    def _on_theme_changed(self) -> None:
        self._set_colours()
        block = self._document.begin()
        while block.isValid():
            block.setUserState(_UNKNOWN)
            block = block.next()
        self.restart()

    def _set_colours(self) -> None:
        self._formats = {}
        for kind, colour in colours(self._theme.tokens).items():
            style = QTextCharFormat()
            style.setForeground(QColor(colour))
            self._formats[kind] = style
