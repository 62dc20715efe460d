"""The conversations of the workspace in a combo box, the newest first, and what can be done with the one that is open.

Names and dates come from the files themselves, read off the GUI thread; a damaged one is listed with its file's name and cannot be opened.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.tasks import TaskRunner
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from core.errors import UserError
from core.inference import conversation_files as files
from core.inference.conversation_files import Entry

NEW = "New conversation"


class ConversationPicker(QWidget):
    """Attributes: menu, which the view fills with its commands.

    Signals: chosen(id); failed(UserError), when one cannot be opened.
    """

    chosen = Signal(str)
    failed = Signal(object)

    def __init__(self, theme: Theme, tasks: TaskRunner, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._folder = folder
        self._entries: list[Entry] = []
        self._open = ""
        self._box = CalmCombo()
        self._box.setObjectName("conversationPicker")
        self._box.setAccessibleName("Conversation")
        self._box.setMinimumWidth(150)
        self._box.setMaximumWidth(300)
        self._box.activated.connect(self._on_activated)
        self.menu = QMenu(self)
        self._more = Button(
            "", theme, icon="dots-three", kind="quiet", name="conversationMenu", tip="What to do with this conversation"
        )
        self._more.setMenu(self.menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self._box, 1)
        row.addWidget(self._more)
        self._fill([])

    def mark(self, id: str) -> None:
        """This one is open; "" or one that is not listed for a new one."""
        self._open = id
        self._box.setCurrentIndex(max(0, self._box.findData(id)))

    def refresh(self) -> None:
        """Look again."""
        folder = self._folder
        self._tasks.run(lambda: files.entries(folder), self._fill, owner=self)

    def _fill(self, entries: list[Entry]) -> None:
        self._entries = entries
        self._box.clear()
        self._box.addItem(NEW, "")
        model = self._box.model()
        for entry in entries:
            when = datetime.fromtimestamp(entry.changed).strftime("%d %b %H:%M")
            self._box.addItem(f"{entry.name}  ·  {'damaged' if entry.problem else when}", entry.id)
            place = self._box.count() - 1
            self._box.setItemData(place, entry.problem or entry.name, Qt.ItemDataRole.ToolTipRole)
            if entry.problem and isinstance(model, QStandardItemModel):
                model.item(place).setEnabled(False)
        self.mark(self._open)

    def _on_activated(self, place: int) -> None:
        id = str(self._box.itemData(place))
        entry = next((one for one in self._entries if one.id == id), None)
        if entry is not None and entry.problem:
            self.mark(self._open)
            self.failed.emit(UserError(entry.problem, ""))
        elif id != self._open:
            self.chosen.emit(id)
