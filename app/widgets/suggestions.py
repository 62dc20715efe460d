"""What a line of text may well hold, offered while one types and by an arrow at its end. Anything else may be typed all the same."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QStringListModel, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCompleter, QLineEdit

from app import icons
from app.theme import Theme


class Suggestions(QObject):
    """Belongs to its line. What is chosen counts as typed: the line emits `textEdited`."""

    def __init__(self, line: QLineEdit, words: Sequence[str], theme: Theme) -> None:
        super().__init__(line)
        self._line = line
        self._theme = theme
        self._completer = QCompleter(QStringListModel(list(words), self), self)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._completer.activated[str].connect(self._on_chosen)
        line.setCompleter(self._completer)
        self._arrow = QAction(self)
        self._arrow.setToolTip("Show what there is")
        self._arrow.triggered.connect(self.show_all)
        line.addAction(self._arrow, QLineEdit.ActionPosition.TrailingPosition)
        theme.changed.connect(self._retint)
        self._retint()

    def show_all(self) -> None:
        """All of them, whatever the line holds."""
        self._line.setFocus(Qt.FocusReason.OtherFocusReason)
        self._completer.setCompletionPrefix("")
        self._completer.complete()

    def _on_chosen(self, text: str) -> None:
        self._line.setText(text)
        self._line.textEdited.emit(text)

    def _retint(self) -> None:
        self._arrow.setIcon(icons.icon("caret-down", self._theme.tokens.faint, 14))
