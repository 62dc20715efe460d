"""The top line of a page: its name, what it holds, and at most two or three buttons at the right."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app import fonts
from app.widgets.labels import ElidedLabel


class PageHeader(QWidget):
    """Title, a dim line beside it, and buttons."""

    def __init__(self, title: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel(title)
        self._title.setFont(fonts.ui_font(fonts.TITLE_SIZE, QFont.Weight.DemiBold))
        self.detail = ElidedLabel(tone="dim")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(20, 14, 20, 4)
        self._row.setSpacing(8)
        self.setMinimumHeight(48)  # as high as one with buttons, so that titles do not jump from page to page
        self._row.addWidget(self._title)
        self._row.addSpacing(2)
        self._row.addWidget(self.detail, 1)

    def set_detail(self, text: str) -> None:
        """What the page holds now, in half a sentence."""
        if text != self.detail.text():
            self.detail.setText(text)

    def add(self, widget: QWidget) -> None:
        """Put a button at the right end."""
        self._row.addWidget(widget)
