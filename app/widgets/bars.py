"""A card of horizontal bars: what there is of each kind, longest first or in the order given; each bar is a button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.labels import label, section

_HEIGHT = 22
_LABEL_SHARE = 0.38


@dataclass(frozen=True, slots=True)
class Bar:
    """key: what a press reports. share: length of the bar, 0 to 1; value: what is written at its end. tone: as in `Tokens.tone`."""

    key: str
    title: str
    share: float
    value: str
    tone: str = "info"
    chosen: bool = False


class BarCard(QFrame):
    """Signals: chosen(key), when a bar was pressed."""

    chosen = Signal(str)

    def __init__(self, title: str, theme: Theme, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: list[_BarRow] = []
        self.setProperty("kind", "card")
        self.setObjectName(name)
        self.setAccessibleName(title)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 10, 14, 12)
        self._column.setSpacing(2)
        self._column.addWidget(section(title))
        self._note = label(tone="dim", size=12, wrap=True)
        self._note.hide()
        self._column.addWidget(self._note)
        self._column.addStretch(1)

    @property
    def bars(self) -> list[Bar]:
        """What is on show."""
        return [row.bar for row in self._rows if row.isVisibleTo(self)]

    def show_bars(self, bars: Sequence[Bar], note: str = "") -> None:
        """Show these bars, and a note below the title."""
        self._note.setText(note)
        self._note.setVisible(bool(note))
        while len(self._rows) < len(bars):
            row = _BarRow(self._theme)
            row.pressed_bar.connect(self.chosen)
            self._column.insertWidget(self._column.count() - 1, row)
            self._rows.append(row)
        for place, row in enumerate(self._rows):
            row.setVisible(place < len(bars))
            if place < len(bars):
                row.show_bar(bars[place])

    def press(self, key: str) -> None:
        """Press the bar of this key, as a person would."""
        next(row for row in self._rows if row.bar.key == key).click()


class _BarRow(QAbstractButton):
    """Signals: pressed_bar(key)."""

    pressed_bar = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.bar = Bar("", "", 0.0, "")
        self.setFont(fonts.ui_font(12))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(lambda: self.pressed_bar.emit(self.bar.key))
        theme.changed.connect(self.update)

    def show_bar(self, bar: Bar) -> None:
        """Draw another bar."""
        self.bar = bar
        words = f"{bar.title}: {bar.value}"
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        strong, tint = tokens.tone(self.bar.tone)
        painter = QPainter(self)
        area = self.rect()
        if self.underMouse() or self.hasFocus() or self.bar.chosen:
            painter.fillRect(area, QColor(tokens.selection if self.bar.chosen else tokens.hover))
        metrics = painter.fontMetrics()
        words = QRect(4, 0, round(area.width() * _LABEL_SHARE) - 8, area.height())
        room = metrics.horizontalAdvance("1,000,000") + 8
        painter.setPen(QColor(tokens.text))
        title = metrics.elidedText(self.bar.title, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        track = QRect(words.right() + 8, 5, area.width() - words.right() - 12 - room, area.height() - 10)
        painter.fillRect(track, QColor(tint if self.bar.tone else tokens.hover))
        painter.fillRect(
            QRect(track.topLeft(), QSize(round(track.width() * self.bar.share), track.height())), QColor(strong)
        )
        value = QRect(area.width() - room, 0, room - 4, area.height())
        painter.setPen(QColor(tokens.dim))
        painter.drawText(value, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.bar.value)
        painter.end()
