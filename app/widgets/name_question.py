"""Asks for a name, in a small dialog that stops nothing else."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.labels import label


class NameQuestion(QDialog):
    """Attributes: name (the field). Open it with `open`, listen to `accepted`; it goes by itself."""

    def __init__(
        self, theme: Theme, title: str, about: str, *, text: str = "", hint: str = "A name", key: str, parent: QWidget
    ) -> None:
        """about: what is named, "" for nothing to say. key: what the objectNames of dialog, field and buttons begin with."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setObjectName(f"{key}Dialog")
        self.name = QLineEdit(text)
        self.name.setObjectName(f"{key}Name")
        self.name.setAccessibleName(hint)
        self.name.setPlaceholderText(hint)
        self.name.setMaxLength(60)
        self.name.setMinimumWidth(320)
        self.name.selectAll()
        cancel = Button("Cancel", theme, name=f"{key}Cancel")
        save = Button("Save", theme, kind="primary", name=f"{key}Save")
        save.setEnabled(bool(text.strip()))
        save.clicked.connect(self.accept)
        self.name.textChanged.connect(lambda now: save.setEnabled(bool(now.strip())))
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(10)
        if about:
            column.addWidget(label(about, tone="dim", wrap=True))
        column.addWidget(self.name)
        column.addLayout(dialog_foot(self, cancel, save))
        self.finished.connect(self.deleteLater)
