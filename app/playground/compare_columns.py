"""The columns of a comparison, two to six, side by side; what does not fit is scrolled to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QWidget

from app.playground.compare_column import CompareColumn
from app.playground.mode import Bench
from core.errors import UserError
from core.models import Model
from core.teacher.speaking import Teacher

FEWEST, MOST = 2, 6


class CompareColumns(QScrollArea):
    """Attributes: columns, from the left. Signals: changed(), one came, went, or asks another; pointed(str), what is
    known of the token under the cursor of one of them."""

    changed = Signal()
    pointed = Signal(str)

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.columns: list[CompareColumn] = []
        self._together = False
        self.setObjectName("compareColumns")
        self.setAccessibleName("Columns")
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(20, 0, 14, 4)
        self._row.setSpacing(10)
        self.setWidget(inside)

    def add(self, *, model: str = "", teacher: Teacher | None = None) -> CompareColumn:
        """Another column at the right. Raises UserError when there are enough."""
        if len(self.columns) >= MOST:
            raise UserError(f"There are {MOST} columns already.", "Take one away first.")
        column = CompareColumn(self._bench, len(self.columns) + 1, teacher=teacher, model=model)
        column.removed.connect(partial(self.remove, column))
        column.edited.connect(self.changed)
        column.view.verticalScrollBar().valueChanged.connect(partial(self._on_scrolled, column))
        column.view.pointed.connect(self.pointed)
        self.columns.append(column)
        self._row.addWidget(column, 1)
        self._number()
        return column

    def remove(self, column: CompareColumn) -> None:
        """Take a column away, but for the last two."""
        if len(self.columns) > FEWEST and column in self.columns:
            self._drop(column)
            self._number()

    def show_models(self, models: Sequence[Model]) -> None:
        """These models, a column each; teachers stay."""
        for column in [one for one in self.columns if one.picker is not None]:
            self._drop(column)
        kept = list(self.columns)
        for place, model in enumerate(models[: MOST - len(kept)]):
            column = self.add(model=str(model.path))
            self.columns.remove(column)
            self.columns.insert(place, column)
            self._row.removeWidget(column)
            self._row.insertWidget(place, column, 1)
        while len(self.columns) < FEWEST:
            self.add()
        self._number()

    def scroll_together(self, together: bool) -> None:
        """Have all answers scroll with the one that is scrolled."""
        self._together = together

    def _drop(self, column: CompareColumn) -> None:
        self.columns.remove(column)
        self._row.removeWidget(column)
        column.verdict.cancel()
        column.hide()
        column.deleteLater()

    def _number(self) -> None:
        for place, column in enumerate(self.columns, start=1):
            column.set_place(place)
            column.set_removable(len(self.columns) > FEWEST)
        self.changed.emit()

    def _on_scrolled(self, source: CompareColumn, value: int) -> None:
        if not self._together:
            return
        self._together = False  # what follows is our own scrolling
        bar = source.view.verticalScrollBar()
        share = value / bar.maximum() if bar.maximum() else 0.0
        for column in self.columns:
            if column is not source:
                other = column.view.verticalScrollBar()
                other.setValue(round(share * other.maximum()))
        self._together = True
