"""Two texts beside each other, what belongs together at the same height; scrolling one scrolls the other."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QScrollBar, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.diff_view import DiffView
from app.widgets.diffing import side_by_side
from app.widgets.labels import ElidedLabel, hairline

_BEFORE = 2
"""Lines that are shown above the first difference."""


class SideBySide(QWidget):
    """Attributes: left, right (the two views)."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.left = DiffView(theme, name="diffLeft", numbers=1)
        self.right = DiffView(theme, name="diffRight", numbers=1)
        self._titles = ElidedLabel(tone="dim"), ElidedLabel(tone="dim")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for place, (title, view) in enumerate(zip(self._titles, (self.left, self.right), strict=True)):
            if place:
                row.addWidget(hairline(vertical=True))
            column = QVBoxLayout()
            column.setSpacing(2)
            title.setContentsMargins(8, 4, 8, 2)
            view.setPlaceholderText("")
            column.addWidget(title)
            column.addWidget(view, 1)
            row.addLayout(column, 1)
        for bars in (
            (self.left.verticalScrollBar(), self.right.verticalScrollBar()),
            (self.left.horizontalScrollBar(), self.right.horizontalScrollBar()),
        ):
            _tie(*bars)

    def show_texts(self, left: str, right: str, left_title: str, right_title: str) -> None:
        """Compare two texts, from where they begin to differ."""
        lines = side_by_side(left, right)
        for view, title, shown, words in zip(
            (self.left, self.right), self._titles, lines, (left_title, right_title), strict=True
        ):
            view.setAccessibleName(words)
            title.setText(words)
            view.show_lines(shown)
        first = next(
            (at for at, pair in enumerate(zip(*lines, strict=True)) if any(one.kind != "same" for one in pair)), 0
        )
        self.left.verticalScrollBar().setValue(max(0, first - _BEFORE))

    def clear(self) -> None:
        """Show nothing."""
        self.show_texts("", "", "", "")


def _tie(one: QScrollBar, other: QScrollBar) -> None:
    one.valueChanged.connect(other.setValue)
    other.valueChanged.connect(one.setValue)
