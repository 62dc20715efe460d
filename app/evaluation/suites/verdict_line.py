"""What a check found, in words: a sentence in its tone, and below it complaints that lead to their places."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import icons
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.evaluation.drafting import Complaint

_MOST = 3
_GLYPHS = {"good": "check-circle", "warn": "warning", "bad": "warning-circle", "": "info"}


class VerdictLine(QFrame):
    """Hidden while there is nothing to say. Signals: place_wanted(Complaint)."""

    place_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problemVerdict")
        self._theme = theme
        self._tone = ""
        self._glyph = QLabel()
        self._text = label(wrap=True, name="problemVerdictText")
        self._links: list[Button] = []
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._glyph)
        line.addWidget(self._text, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 6, 8, 6)
        self._column.setSpacing(0)
        self._column.addLayout(line)
        self._rest = label(tone="dim", size=12)
        self._rest.setContentsMargins(28, 0, 0, 0)
        self._column.addWidget(self._rest)
        self.hide()
        theme.changed.connect(self._retint)

    @property
    def text(self) -> str:
        """The sentence; "" while there is none."""
        return "" if self.isHidden() else self._text.text()

    @property
    def links(self) -> list[Button]:
        """The complaints, a button each."""
        return list(self._links)

    def say(self, text: str, tone: str = "", complaints: Sequence[Complaint] = ()) -> None:
        """Show a sentence, and the complaints that say more than it does. tone: good, warn, bad, or "" while something is under way."""
        self._tone = tone
        self._text.setText(text)
        self.setAccessibleName(text)
        for old in self._links:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._links = []
        for place, one in enumerate(complaints[:_MOST]):
            words = _words(one)
            link = Button(
                words if len(words) < 140 else f"{words[:139]}…",
                self._theme,
                kind="link",
                name=f"verdictPlace{place}",
                tip=words,
            )
            link.setStyleSheet("text-align: left; margin-left: 22px;")
            link.clicked.connect(partial(self.place_wanted.emit, one))
            self._column.insertWidget(self._column.count() - 1, link)
            self._links.append(link)
        more = len(complaints) - _MOST
        self._rest.setText(f"And {more} more." if more > 0 else "")
        self._rest.setVisible(more > 0)
        self._retint()
        self.setVisible(bool(text))

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


def _words(complaint: Complaint) -> str:
    where = complaint.part.capitalize() + (f", line {complaint.line}" if complaint.line else "")
    return f"{where}: {complaint.text}"
