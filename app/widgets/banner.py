"""A strip at the top of a page that says what happened and what to do next. It never blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from app import icons
from app.theme import Theme
from app.widgets.buttons import Button
from core.errors import UserError

Action = tuple[str, Callable[[], object]]

_GLYPHS = {"info": "info", "good": "check-circle", "warn": "warning", "bad": "warning-circle"}
_WORDS = {"info": "Note", "good": "Done", "warn": "Warning", "bad": "Problem"}


class Banner(QFrame):
    """One message at a time; the latest wins. Hidden while there is nothing to say."""

    def __init__(self, theme: Theme, *, name: str = "banner", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._theme = theme
        self._tone = "info"
        self._glyph = QLabel()
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._actions: list[Button] = []
        self._close = Button("", theme, icon="x", kind="quiet", name="bannerClose", tip="Close this message")
        self._close.clicked.connect(self.clear)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 6, 6, 6)
        self._row.setSpacing(8)
        self._row.addWidget(self._glyph)
        self._row.addWidget(self._text, 1)
        self._row.addWidget(self._close)
        self.setVisible(False)
        theme.changed.connect(self._retint)

    @property
    def text(self) -> str:
        """What the banner says now; empty while it is hidden."""
        return "" if self.isHidden() else self._text.text()

    def say(self, text: str, tone: str = "info", actions: Sequence[Action] = ()) -> None:
        """Show a message. tone: info, good, warn, bad. Pressing an action closes the banner first."""
        self._tone = tone
        self._text.setText(text)
        self.setAccessibleName(f"{_WORDS[tone]}: {text}")
        for old in self._actions:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._actions = []
        for caption, run in actions:
            button = Button(caption, self._theme, kind="link", parent=self)
            button.clicked.connect(self.clear)
            button.clicked.connect(run)
            self._row.insertWidget(self._row.count() - 1, button)
            button.show()  # at once: a visible parent would do it only with the next round of the event loop
            self._actions.append(button)
        self._retint()
        self.setVisible(True)

    def problem(self, error: UserError, actions: Sequence[Action] = ()) -> None:
        """Show what a user can mend, with its hint."""
        self.say(str(error), "bad", actions)

    def clear(self) -> None:
        """Take the message away."""
        self.setVisible(False)

    def _retint(self) -> None:
        strong, _ = self._theme.tokens.tone(self._tone)
        self._glyph.setPixmap(icons.pixmap(_GLYPHS[self._tone], strong, 16, self.devicePixelRatioF()))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        strong, soft = self._theme.tokens.tone(self._tone)
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(soft))
        painter.fillRect(0, 0, 3, self.height(), QColor(strong))
        painter.end()
