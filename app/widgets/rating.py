"""One to five stars, pressed with the mouse or set from outside; pressing the present rating takes it away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app import icons
from app.theme import Theme


class Rating(QWidget):
    """Signals: chosen(1 to 5, or 0 when the rating is taken away)."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._value = 0
        self._stars: list[QToolButton] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for number in range(1, 6):
            star = QToolButton()
            star.setObjectName(f"rate{number}")
            star.setProperty("kind", "star")
            star.setIconSize(QSize(16, 16))
            star.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            star.setAccessibleName(f"Rate {number} of 5")
            star.setToolTip(f"Rate {number} of 5 ({number})")
            star.clicked.connect(lambda _checked=False, number=number: self._on_clicked(number))
            row.addWidget(star)
            self._stars.append(star)
        theme.changed.connect(self._show)
        self._show()

    @property
    def value(self) -> int:
        """The rating on show, 0 for none."""
        return self._value

    def set_value(self, value: int | None) -> None:
        """Show a rating without reporting it."""
        self._value = value or 0
        self._show()

    def _on_clicked(self, number: int) -> None:
        self.chosen.emit(0 if number == self._value else number)

    def _show(self) -> None:
        tokens = self._theme.tokens
        for number, star in enumerate(self._stars, 1):
            full = number <= self._value
            star.setIcon(icons.icon("star-fill" if full else "star", tokens.warn if full else tokens.faint))
        self.setAccessibleName(f"Rating: {self._value} of 5" if self._value else "Not rated")
