"""The question before a job goes on: with which budget. Enter goes on with the one it had."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.fields import amount_field, integer_field
from app.widgets.labels import label, section
from core.teacher.terms import Terms


class BudgetQuestion(QDialog):
    """Attributes: dollars, tokens (its fields). `accepted` means: go on with `budget`."""

    def __init__(self, theme: Theme, title: str, why: str, plan: Terms, spent: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("budgetQuestion")
        self.setWindowTitle("Resume a job")
        self._plan = plan
        self._allowed: tuple[float | None, int | None] = (None, None)
        self.dollars = amount_field(
            "budget_usd", "Budget in dollars, in all", "What the job may cost, what it has spent included"
        )
        self.tokens = integer_field(
            "budget_tokens", "Budget in tokens, in all", "Tokens read and written, those so far included"
        )
        for field, value in ((self.dollars, plan.budget_usd), (self.tokens, plan.budget_tokens)):
            field.editor.setPlaceholderText("no limit")
            if value is not None:
                field.write(value)
            field.editor.setMinimumWidth(200)
        go = Button("Resume", theme, icon="play", kind="primary", name="budgetResume")
        go.clicked.connect(self._on_go)
        cancel = Button("Cancel", theme, name="budgetCancel")
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.addWidget(self.dollars.cell(), 0, 0)
        grid.addWidget(self.tokens.cell(), 0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(10)
        column.addWidget(section(title))
        if why:
            column.addWidget(label(why, wrap=True))
        column.addWidget(label(f"{spent} Nothing that was answered is asked or paid for again.", tone="dim", wrap=True))
        column.addLayout(grid)
        column.addLayout(dialog_foot(self, cancel, go))
        self.setMinimumWidth(480)

    @property
    def budget(self) -> tuple[float | None, int | None]:
        """Dollars and tokens that are other than they were; None for what stays."""
        return self._allowed

    def _on_go(self) -> None:
        found: list[float | None] = []
        for field, before in ((self.dollars, self._plan.budget_usd), (self.tokens, self._plan.budget_tokens)):
            value = field.read()
            if value == "":
                value = None
            if isinstance(value, str) or (value is not None and not (isinstance(value, int | float) and value > 0)):
                field.show_error("Must be a number above 0.")
                field.editor.setFocus()
                return
            if value is None and before is not None:
                field.show_error("A budget that a job has can be raised, not taken away.")
                field.editor.setFocus()
                return
            field.show_error("")
            found.append(value if value != before else None)
        dollars, tokens = found
        self._allowed = (dollars, None if tokens is None else int(tokens))
        self.accept()
