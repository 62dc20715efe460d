"""How a new suite is called, and what it says of itself; a name that cannot be is told while it is typed."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.fields import text_field
from app.widgets.labels import label, section
from core.evaluation.drafting import name_complaint


class NameDialog(QDialog):
    """Signals: confirmed(name, title, about)."""

    confirmed = Signal(str, str, str)

    def __init__(self, theme: Theme, source: str, taken: Collection[str], parent: QWidget) -> None:
        """source: the suite that it is a copy of, "" for an empty one. taken: names that others have."""
        super().__init__(parent)
        self.setObjectName("suiteNameDialog")
        self.setWindowTitle("Suites")
        self.resize(460, 0)
        self._taken = set(taken)
        self.name = text_field("name", "Name", "That of its folder; problems are called after it")
        self.title = text_field("title", "Title", "What it is called in a heading; may be empty")
        self.about = text_field("about", "What it measures", "A sentence; may be empty")
        for field, name in ((self.name, "suiteName"), (self.title, "suiteTitle"), (self.about, "suiteAbout")):
            field.editor.setObjectName(name)
        self.name.edited.connect(self._look)
        self.confirm = Button("Copy" if source else "Make it", theme, kind="primary", name="suiteNameConfirm")
        self.confirm.setEnabled(False)
        self.confirm.clicked.connect(self._on_confirmed)
        cancel = Button("Cancel", theme, name="suiteNameCancel")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(section(f"Copy “{source}” to edit" if source else "New suite"))
        words = (
            "Your copy is changed, the original stays."
            if source
            else "It begins empty, in the folder “suites” of this workspace."
        )
        column.addWidget(label(words, tone="dim", wrap=True))
        column.addWidget(self.name.cell())
        if not source:
            column.addWidget(self.title.cell())
            column.addWidget(self.about.cell())
        column.addLayout(dialog_foot(self, cancel, self.confirm))
        if source:
            self.name.write(next(name for name in _names(source) if name not in self._taken))
            editor = self.name.editor
            assert isinstance(editor, QLineEdit)
            editor.selectAll()
            self._look()

    def _look(self) -> None:
        name = str(self.name.read()).strip()
        wrong = name_complaint(name) or ("there is a suite of that name already" if name in self._taken else "")
        self.name.show_error(f"{wrong[0].upper()}{wrong[1:]}." if wrong and name else "")
        self.confirm.setEnabled(not wrong)
        self.resize(self.width(), self.sizeHint().height())

    def _on_confirmed(self) -> None:
        self.confirmed.emit(str(self.name.read()).strip(), str(self.title.read()), str(self.about.read()))
        self.accept()


def _names(source: str) -> list[str]:
    return [f"our-{source}", *(f"our-{source}-{number}" for number in range(2, 1000))]
