"""Asks under which name settings are kept as a preset, and when they are the right ones."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.fields import text_field
from core.errors import UserError


class PresetQuestion(QDialog):
    """A name and a line. It saves nothing itself; `accepted` means that it shall be done.

    own: names that are there already and would be replaced.
    """

    def __init__(self, theme: Theme, name: str, own: Collection[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("presetQuestion")
        self.setWindowTitle("Save as preset")
        self._own = {title.casefold() for title in own}
        self._name = text_field("preset.title", "Name")
        self._when = text_field("preset.when", "When to use it", "One line, shown below the preset.")
        self._name.write(name)
        self._save = Button("Save", theme, kind="primary", name="presetSave")
        self._save.clicked.connect(self.accept)
        cancel = Button("Cancel", theme, name="presetCancel")
        self._name.edited.connect(self._on_edited)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(10)
        column.addWidget(self._name.cell())
        column.addWidget(self._when.cell())
        column.addLayout(dialog_foot(self, cancel, self._save))
        self.setMinimumWidth(380)
        self._on_edited()

    @property
    def answer(self) -> tuple[str, str]:
        """Name and line."""
        return str(self._name.read()), str(self._when.read())

    def show_error(self, error: UserError) -> None:
        """Say why it was not saved."""
        self._name.show_error(f"{error.message} {error.hint}".strip())

    def _on_edited(self) -> None:
        title = " ".join(self.answer[0].split()).casefold()
        self._name.show_error("")
        self._save.setEnabled(bool(title))
        self._save.setText("Replace" if title in self._own else "Save")
