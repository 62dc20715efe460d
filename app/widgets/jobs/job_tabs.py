"""What there is to read of a job, one page at a time, behind a row of segments."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button


class JobTabs(QWidget):
    """Signals: chosen(), when another page is in front."""

    chosen = Signal()

    def __init__(self, theme: Theme, pages: Sequence[tuple[str, str, QWidget]], parent: QWidget | None = None) -> None:
        """pages: objectName and text of the segment, and what stands behind it."""
        super().__init__(parent)
        self._stack = QStackedWidget()
        self._buttons = QButtonGroup(self)
        self._theme = theme
        self._segments = QHBoxLayout()
        self._segments.setSpacing(2)
        row = QHBoxLayout()
        row.addLayout(self._segments)
        row.addStretch(1)
        for name, text, page in pages:
            self.add(name, text, page)
        self._buttons.idClicked.connect(self._on_clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self._stack, 1)

    def add(self, name: str, text: str, page: QWidget, *, before_last: bool = False) -> None:
        """One more, behind the others or before the last of them. name, text: objectName and text of its segment."""
        button = Button(text, self._theme, kind="segment", name=name)
        button.setCheckable(True)
        button.setChecked(not self._stack.count())
        self._buttons.addButton(button, self._stack.count())
        self._stack.addWidget(page)
        self._segments.insertWidget(self._segments.count() - before_last, button)

    def open(self, page: QWidget) -> None:
        """Bring this page to the front, as a press on its segment does."""
        self._buttons.button(self._stack.indexOf(page)).click()

    @property
    def page(self) -> QWidget | None:
        """What is in front."""
        return self._stack.currentWidget()

    def _on_clicked(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self.chosen.emit()


def scrolled(widgets: Sequence[tuple[QWidget, int]], says: str) -> QScrollArea:
    """These one above the other, with their stretch; it scrolls where there is no room for all. says: its accessible name."""
    inner = QWidget()
    inner.setProperty("kind", "page")
    column = QVBoxLayout(inner)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    for widget, stretch in widgets:
        column.addWidget(widget, stretch)
    column.addStretch(0)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setAccessibleName(says)
    scroll.setWidget(inner)
    return scroll
