"""The search field: results while you type, mistakes in a sentence below it, and the words of the language offered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from app import icons
from app.commands import key_of
from app.theme import Theme, set_property
from app.widgets.labels import label
from core.errors import UserError
from core.samples.language import CHOICES, KEYS, SORTS, Query, parse

DEBOUNCE_MS = 150
_WIDTH, _ROWS_SHOWN = 260, 8
_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)*$')
_PLAIN = re.compile(r"[^\s\",:\\]+")


def completions(before: str, names: Mapping[str, Sequence[str]]) -> tuple[str, list[str]]:
    """The word that ends `before`, and what it could become. names: key -> values that occur (topics, tags ...)."""
    found = _WORD.search(before)
    word = found[0] if found else ""
    minus = "-" if word.startswith("-") else ""
    bare = word[len(minus) :]
    key, colon, value = bare.partition(":")
    if not colon:
        if not bare:
            return word, []
        return word, [f"{minus}{name}:" for name in sorted((*KEYS, "sort")) if name.startswith(bare.lower())]
    if key == "sort":
        known: Sequence[str] = [f"{sign}{name}" for name in SORTS for sign in ("", "-")]
    else:
        known = CHOICES.get(key) or names.get(key, ())
    done, comma, last = value.rpartition(",")
    head = f"{minus}{key}:{done}{comma}"
    matches = [name for name in known if name.lower().startswith(last.lower().lstrip('"')) and name != last]
    return word, [head + (name if _PLAIN.fullmatch(name) else f'"{name}"') for name in matches[:50]]


class _Field(QLineEdit):
    """Tells when the focus leaves, so that no list of suggestions stays behind."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


class _Suggestions(QListView):
    """What the word under the cursor could become, laid over the window below the field.

    Not a QCompleter: its popup is a window of its own that takes the activation, and with it the keyboard, at bad moments.
    """

    def __init__(self, field: QLineEdit) -> None:
        super().__init__(field)
        self._field = field
        self._words = QStringListModel(self)
        self.setObjectName("searchSuggestions")
        self.setAccessibleName("Suggestions")
        self.setModel(self._words)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QListView.Shape.Box)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVisible(False)

    @property
    def words(self) -> list[str]:
        """What is offered now."""
        return self._words.stringList() if not self.isHidden() else []

    @property
    def chosen(self) -> str:
        """The suggestion that is marked, "" when none is."""
        index = self.currentIndex()
        return str(index.data()) if not self.isHidden() and index.isValid() else ""

    def offer(self, words: list[str]) -> None:
        """Show these; an empty list hides."""
        self.setVisible(bool(words))
        if not words:
            return
        self._words.setStringList(words)
        self.setCurrentIndex(QModelIndex())
        if self.parentWidget() is not self._field.window():
            self.setParent(self._field.window())
            self.setVisible(True)
        corner = self._field.mapTo(self._field.window(), self._field.rect().bottomLeft())
        left = corner.x() + min(self._field.cursorRect().left(), max(0, self._field.width() - _WIDTH))
        rows = min(len(words), _ROWS_SHOWN)
        self.setGeometry(left, corner.y() + 2, _WIDTH, rows * self.sizeHintForRow(0) + 12)
        self.raise_()

    def step(self, by: int) -> None:
        """Mark the next one; before the first comes the last."""
        count = self._words.rowCount()
        row = self.currentIndex().row() + by if self.currentIndex().isValid() else (0 if by > 0 else count - 1)
        self.setCurrentIndex(self._words.index(row % count, 0))


class SearchField(QWidget):
    """Signals:
    changed(Query)     what was typed is a search, 150 ms after the last key or at once on Enter
    left_downwards()   Down or Enter: the user wants to go to the results
    """

    changed = Signal(object)
    left_downwards = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._names: dict[str, Sequence[str]] = {}
        self._query = Query()
        self.field = _Field()
        self.field.setObjectName("searchField")
        self.field.setAccessibleName("Search samples")
        self.field.setPlaceholderText(
            f"Search prompts and code, or status:accepted verdict:fail …   {key_of('samples.search')}"
        )
        self.field.setClearButtonEnabled(True)
        for clear in self.field.findChildren(QAction):
            clear.setText("Clear the search")
        self._glass = self.field.addAction(
            icons.icon("magnifying-glass", theme.tokens.dim), QLineEdit.ActionPosition.LeadingPosition
        )
        self._glass.setText("Search")
        self.problem: QLabel = label(tone="bad", size=12, wrap=True, name="searchProblem")
        self.problem.setVisible(False)
        self.suggestions = _Suggestions(self.field)
        self.suggestions.clicked.connect(self._take_suggestion)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.field)
        column.addWidget(self.problem)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self.apply)
        self.field.textEdited.connect(self._on_edited)
        self.field.textChanged.connect(self._on_text_changed)
        self.field.left.connect(self.suggestions.hide)
        self.field.installEventFilter(self)
        theme.changed.connect(self._retint)

    @property
    def query(self) -> Query:
        """The last search that was understood."""
        return self._query

    def set_query(self, query: Query) -> None:
        """Show this search and report it."""
        self.field.setText(query.text)
        self.apply()

    def set_names(self, names: Mapping[str, Sequence[str]]) -> None:
        """The topics, sources, tags and reasons that occur, to offer while typing."""
        self._names = dict(names)

    def focus(self) -> None:
        """Take the keyboard, with all text selected."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def apply(self) -> None:
        """Read what stands in the field now."""
        self._timer.stop()
        try:
            query = parse(self.field.text())
        except UserError as error:
            self._show_problem(str(error))
            return
        self._show_problem("")
        self._query = query
        self.changed.emit(query)

    def _show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        set_property(self.field, "invalid", bool(text))
        self.field.setAccessibleDescription(text)

    def _on_text_changed(self, _text: str) -> None:
        self._timer.start()

    def _on_edited(self, text: str) -> None:
        self.suggestions.offer(completions(text[: self.field.cursorPosition()], self._names)[1])

    def _take_suggestion(self) -> None:
        chosen = self.suggestions.chosen
        self.suggestions.hide()
        text, place = self.field.text(), self.field.cursorPosition()
        word, _ = completions(text[:place], self._names)
        start = place - len(word)
        gap = "" if chosen.endswith(":") else " "
        self.field.setText(text[:start] + chosen + gap + text[place:].lstrip())
        self.field.setCursorPosition(start + len(chosen) + len(gap))
        if not gap:
            self._on_edited(self.field.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(Qt.Key(event.key())) or super().eventFilter(watched, event)
        return super().eventFilter(watched, event)

    def _on_key(self, key: Qt.Key) -> bool:
        """True when the key is dealt with."""
        offered = not self.suggestions.isHidden()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab) and self.suggestions.chosen:
            self._take_suggestion()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.suggestions.hide()
            self.apply()
            self.left_downwards.emit()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and offered:
            self.suggestions.step(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_Down:
            self.left_downwards.emit()
        elif key == Qt.Key.Key_Escape and offered:
            self.suggestions.hide()
        elif key == Qt.Key.Key_Escape and self.field.text():
            self.field.clear()
        elif key == Qt.Key.Key_Escape:
            self.left_downwards.emit()
        else:
            return False
        return True

    def _retint(self) -> None:
        self._glass.setIcon(icons.icon("magnifying-glass", self._theme.tokens.dim))
