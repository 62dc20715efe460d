"""The key to a teacher's account: given to the system's keyring and never shown again. It is written nowhere else."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QWidget

from app.context import AppContext
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.errors import UserError
from core.teacher.asking import keys

_WORDS = {
    "environment": "The key in OPENAI_API_KEY is used.",
    "keyring": "The key in the system's keyring is used.",
    "nowhere": "There is no key for this address yet.",
}


class TeacherKey(QWidget):
    """Signal: failed(UserError), what a person can mend."""

    failed = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self.endpoint = QLineEdit(keys.OPENAI)
        self.endpoint.setObjectName("keyEndpoint")
        self.endpoint.setAccessibleName("Address of the teacher's endpoint")
        self.endpoint.editingFinished.connect(self._look)
        self.key = QLineEdit()
        self.key.setObjectName("keyField")
        self.key.setAccessibleName("Key to the teacher's account")
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText("Paste it here; it goes into the system's keyring")
        self.key.textChanged.connect(self._on_key_changed)
        self.key.returnPressed.connect(self._on_save)
        self.save = Button("Save the key", context.theme, name="keySave")
        self.save.clicked.connect(self._on_save)
        self.save.setEnabled(False)
        self.remove = Button("Remove it", context.theme, name="keyRemove")
        self.remove.clicked.connect(lambda: self._keep(""))
        self.remove.setEnabled(False)
        self.state = label("", tone="dim")
        self.state.setObjectName("keyState")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.save)
        buttons.addWidget(self.remove)
        buttons.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(0, 120)
        grid.setColumnStretch(1, 1)
        for row, (name, field) in enumerate((("Endpoint", self.endpoint), ("Key", self.key))):
            caption = label(name, tone="dim")
            caption.setBuddy(field)
            grid.addWidget(caption, row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self.state, 2, 1)
        grid.addLayout(buttons, 3, 1)
        self._look()

    def _look(self) -> None:
        address = self.endpoint.text().strip()
        self._context.tasks.run(lambda: keys.found_in(address), self._on_found, self._on_failed, owner=self)

    def _on_found(self, place: keys.Place) -> None:
        self.state.setText(_WORDS[place])
        self.remove.setEnabled(place == "keyring")

    def _on_failed(self, error: UserError) -> None:
        self.state.setText("")
        self.failed.emit(error)

    def _on_key_changed(self, text: str) -> None:
        self.save.setEnabled(bool(text.strip()))

    def _on_save(self) -> None:
        if self.key.text().strip():
            self._keep(self.key.text())

    def _keep(self, key: str) -> None:
        address = self.endpoint.text().strip()
        self._context.tasks.run(
            lambda: keys.save_key(address, key), lambda _none: self._on_kept(), self._on_failed, owner=self
        )

    def _on_kept(self) -> None:
        self.key.clear()
        self._look()
