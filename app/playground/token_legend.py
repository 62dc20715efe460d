"""What the colours of tokens mean, in one line that keeps its place while nothing is coloured."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import fonts
from app.playground import token_colours
from app.playground.token_colours import PROBABILITY
from app.theme import Theme

BOX, GAP = 12, 6


class TokenLegend(QWidget):
    """Swatches with words. What does not fit is in the tool tip and in the accessible name, whole."""

    def __init__(self, theme: Theme, *, name: str = "tokenLegend", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind = ""
        self._words = ""
        self.setObjectName(name)
        self.setFont(fonts.ui_font(fonts.CAPTION_SIZE))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_kind(self, kind: str, words: str = "", footnote: str = "") -> None:
        """kind: PROBABILITY, DIFFERENCE, or "" for nothing. words: what is said after the swatches. footnote: what only the tool tip says."""
        self._kind, self._words = kind, words
        entries = token_colours.legend(kind) if kind else ()
        if kind == PROBABILITY:
            said = "Probability of each token: " + ", ".join(one.text for one in entries)
        else:
            said = "Difference in nats: " + ", ".join(one.text for one in entries) if kind else ""
        self.setAccessibleName(". ".join(part for part in (said, words, footnote) if part) or "No colours")
        self.setToolTip(self.accessibleName() if kind else "")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, self.fontMetrics().height() + 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._kind:
            return
        tokens = self._theme.tokens
        painter = QPainter(self)
        at, middle = 0, self.height() // 2
        metrics = painter.fontMetrics()
        for entry in token_colours.legend(self._kind):
            box = QRect(at, middle - BOX // 2, BOX, BOX)
            painter.fillRect(box, QColor(token_colours.colour(tokens, entry.level) or tokens.surface))
            painter.setPen(QColor(tokens.border))
            painter.drawRect(box)
            at += BOX + GAP
            painter.setPen(QColor(tokens.dim))
            width = metrics.horizontalAdvance(entry.text)
            painter.drawText(QRect(at, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, entry.text)
            at += width + 2 * GAP
        left = self.width() - at
        if left > 40:
            shown = metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, left)
            painter.drawText(QRect(at, 0, left, self.height()), Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()
