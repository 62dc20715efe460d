"""Two answers of a comparison beside each other, what differs marked; which two is chosen here."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.labels import label
from app.widgets.side_by_side import SideBySide

Answer = tuple[str, str]
"""A column's name, and what it says."""


class DifferencesDialog(QDialog):
    """Attributes: left, right (which answers are shown), texts (the two views)."""

    def __init__(self, theme: Theme, answers: Sequence[Answer], parent: QWidget | None = None) -> None:
        """answers: two or more."""
        super().__init__(parent)
        self.setObjectName("differencesDialog")
        self.setWindowTitle("Differences between two answers")
        self._answers = list(answers)
        self.left, self.right = QComboBox(), QComboBox()
        self.texts = SideBySide(theme)
        row = QHBoxLayout()
        row.setSpacing(8)
        for place, (box, words) in enumerate(((self.left, "Left answer"), (self.right, "Right answer"))):
            box.setAccessibleName(words)
            box.setObjectName(f"differences{'Right' if place else 'Left'}")
            box.addItems([f"{number}. {name}" for number, (name, _) in enumerate(self._answers, start=1)])
            box.setCurrentIndex(place)
            box.currentIndexChanged.connect(self._show)
            row.addWidget(box, 1)
            if not place:
                row.addWidget(label("and", tone="dim"))
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.texts, 1)
        self.resize(900, 560)
        self._show()

    def _show(self) -> None:
        (one, left), (other, right) = (self._answers[box.currentIndex()] for box in (self.left, self.right))
        self.texts.show_texts(left, right, one, other)
