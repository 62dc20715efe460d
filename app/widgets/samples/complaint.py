"""One complaint of Go's as a line; pressing it goes to its place in the code."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.code_view import Mark
from app.widgets.labels import ElidedLabel
from app.widgets.samples.reading import marks_of
from core.golang.checker import Diagnostic


class Complaint(QWidget):
    """Signals: chosen(Mark)."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, *, tip: str = "Go to this complaint") -> None:
        super().__init__()
        self._mark: Mark | None = None
        self._go = Button("", theme, kind="link", name="complaintGo", tip=tip)
        self._go.clicked.connect(self._on_clicked)
        self._text = ElidedLabel(tone="bad")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._go)
        row.addWidget(self._text, 1)

    def show_diagnostic(self, one: Diagnostic, more: int) -> None:
        """`more` complaints follow that have no line of their own here."""
        marks = marks_of([one])
        self._mark = marks[0] if marks else None
        self._go.setText(f"line {one.line}" if self._mark else one.check)
        self._go.setAccessibleName(f"Go to {one.check}, line {one.line}")
        self._go.setEnabled(self._mark is not None)
        message = one.message.splitlines()[0] if one.message else ""
        self._text.setText(f"{one.check.replace('_', ' ')}: {message}" + (f"  (+{more} more)" if more else ""))

    def _on_clicked(self) -> None:
        if self._mark is not None:
            self.chosen.emit(self._mark)
