"""What was asked of a job, as the plan's file says it, and the command that does the same."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.code_view import CodeView
from app.widgets.labels import ElidedLabel
from app.widgets.plain_syntax import plain_runs


class PlanView(QWidget):
    """Shows a text; copies it."""

    def __init__(self, theme: Theme, *, name: str, parent: QWidget | None = None) -> None:
        """name: what the objectNames of its parts begin with."""
        super().__init__(parent)
        self._facts = ElidedLabel(tone="dim")
        self.text = CodeView(theme, name=f"{name}Text", accessible_name="The plan as TOML", lexer=plain_runs)
        copy = Button("Copy", theme, icon="copy", kind="quiet", name=f"{name}Copy", tip="Copy the plan")
        copy.clicked.connect(self._on_copy)
        head = QHBoxLayout()
        head.addWidget(self._facts, 1)
        head.addWidget(copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.text, 1)

    def show_plan(self, text: str, facts: str) -> None:
        """Show this one."""
        self._facts.setText(facts)
        if text != self.text.toPlainText():
            self.text.set_code(text)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
