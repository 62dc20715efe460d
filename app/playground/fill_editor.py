"""The editor in which a gap is filled: Ctrl+Space asks, Tab and Shift+Tab put in what is offered, Esc throws it away.

The gap is where the cursor stands, or what is selected. While nothing is offered, all keys do what they always do.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.code_view import CodeView


class FillEditor(CodeView):
    """Attributes: offered, may Tab put something in? Signals: wanted(); taken(int), the first or the second offer."""

    wanted = Signal()
    taken = Signal(int)
    offered = False  # of the class, too: Qt sends events before the constructor is over

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, name="fillText", accessible_name="Code with a gap", editable=True, parent=parent)

    def around(self) -> tuple[str, str]:
        """What stands before the gap and behind it. Qt counts in UTF-16 units."""
        units = self.toPlainText().encode("utf-16-le")
        cursor = self.textCursor()
        before, behind = units[: 2 * cursor.selectionStart()], units[2 * cursor.selectionEnd() :]
        return before.decode("utf-16-le"), behind.decode("utf-16-le")

    def put_in(self, text: str) -> None:
        """Fill the gap, as one step that can be undone; the cursor goes behind it."""
        cursor = self.textCursor()
        cursor.insertText(text)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()
        self.setFocus()

    def event(self, event: QEvent) -> bool:
        """Tab belongs to the offer before it belongs to anybody else."""
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if self.offered and pressed and event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.taken.emit(int(event.key() == Qt.Key.Key_Backtab))
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.wanted.emit()
            return
        super().keyPressEvent(event)
