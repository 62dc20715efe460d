"""What a suite says of itself: its title and what it measures. Its name is that of its folder and stays."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.fields import text_field
from app.widgets.labels import section
from core.samples.named_suites import Listed


class DescribeDialog(QDialog):
    """Signals: confirmed(title, about); either may be empty."""

    confirmed = Signal(str, str)

    def __init__(self, theme: Theme, suite: Listed, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("suiteDescribeDialog")
        self.setWindowTitle("Suites")
        self.resize(460, 0)
        self.title = text_field("title", "Title", "What it is called in a heading; may be empty")
        self.about = text_field("about", "What it measures", "A sentence; may be empty")
        self.title.write(suite.title)
        self.about.write(suite.about)
        self.confirm = Button("Save", theme, kind="primary", name="suiteDescribeConfirm")
        self.confirm.clicked.connect(self._on_confirmed)
        cancel = Button("Cancel", theme, name="suiteDescribeCancel")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(section(f"Describe “{suite.name}”"))
        column.addWidget(self.title.cell())
        column.addWidget(self.about.cell())
        column.addLayout(dialog_foot(self, cancel, self.confirm))

    def _on_confirmed(self) -> None:
        self.confirmed.emit(str(self.title.read()), str(self.about.read()))
        self.accept()
