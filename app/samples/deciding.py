"""The foot of the detail pane: decide, say why, rate. One row of buttons; a panel above it when a decision wants a reason."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.commands import key_of
from app.theme import Theme
from app.widgets.buttons import Button, Chip
from app.widgets.flow import FlowLayout
from app.widgets.labels import label

REASONS = (
    "wrong answer",
    "does not compile",
    "racy or unsafe",
    "ignores errors",
    "poor style",
    "off topic",
    "near copy",
)
_HINT_WIDTH = 560


class ReasonPanel(QFrame):
    """Why a sample is rejected: number keys toggle a reason, Enter rejects, Esc goes back.

    Signals: decided(reasons), cancelled()
    """

    decided = Signal(list)
    cancelled = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reasonPanel")
        self.setProperty("kind", "foot")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Why is it rejected?")
        self._chips: list[Chip] = []
        self._title = label("Why? Keys 1 to 7; Enter or R rejects, Esc goes back.", tone="dim", size=12)
        flow = FlowLayout()
        for number, reason in enumerate(REASONS, 1):
            chip = Chip(f"{number} {reason}", theme, name=f"reason{number}")
            self._chips.append(chip)
            flow.addWidget(chip)
        self._other = QLineEdit()
        self._other.setObjectName("reasonOther")
        self._other.setAccessibleName("Another reason")
        self._other.setPlaceholderText("Another reason")
        self._other.returnPressed.connect(self._decide)
        self._confirm = Button("Reject", theme, name="rejectConfirm")
        self._confirm.clicked.connect(self._decide)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._other, 1)
        row.addWidget(self._confirm)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 16, 4)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addLayout(flow)
        column.addLayout(row)
        self.setVisible(False)

    def ask(self, already: Sequence[str], count: int) -> None:
        """Open the panel for `count` samples with these reasons set."""
        for chip, reason in zip(self._chips, REASONS, strict=True):
            chip.setChecked(reason in already)
        self._other.setText(", ".join(reason for reason in already if reason not in REASONS))
        self._confirm.setText("Reject" if count == 1 else f"Reject {count:,}")
        self.setVisible(True)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def reasons(self) -> list[str]:
        """What is set now."""
        found = [reason for chip, reason in zip(self._chips, REASONS, strict=True) if chip.isChecked()]
        return found + [part.strip() for part in self._other.text().split(",") if part.strip()]

    def _decide(self) -> None:
        found = self.reasons()
        self.setVisible(False)
        self.decided.emit(found)

    def event(self, event: QEvent) -> bool:
        # While the panel asks, plain keys are its own: 1 to 7 would otherwise rate the sample.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            event.setAccepted(plain)
            return plain
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = event.key() - Qt.Key.Key_1
        if event.key() == Qt.Key.Key_Escape:
            self.setVisible(False)
            self.cancelled.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_R):
            self._decide()
        elif 0 <= number < len(self._chips):
            self._chips[number].toggle()
        else:
            super().keyPressEvent(event)


class TagPanel(QFrame):
    """Tags to add, with a comma between them; "-name" takes one away. Enter does it, Esc goes back.

    Signals: decided(added, removed), cancelled()
    """

    decided = Signal(list, list)
    cancelled = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tagPanel")
        self.setProperty("kind", "foot")
        self._field = QLineEdit()
        self._field.setObjectName("tagField")
        self._field.setAccessibleName("Tags to add")
        self._field.setPlaceholderText("Tags to add; -tag takes one away")
        self._field.returnPressed.connect(self._decide)
        add = Button("Tag", theme, name="tagConfirm")
        add.clicked.connect(self._decide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 4)
        row.setSpacing(8)
        row.addWidget(self._field, 1)
        row.addWidget(add)
        self.setVisible(False)

    def ask(self) -> None:
        """Open the panel."""
        self._field.clear()
        self.setVisible(True)
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _decide(self) -> None:
        names = [part.strip() for part in self._field.text().split(",") if part.strip()]
        self.setVisible(False)
        self.decided.emit(
            [name for name in names if not name.startswith("-")],
            [name[1:].strip() for name in names if name.startswith("-")],
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setVisible(False)
            self.cancelled.emit()
            return
        super().keyPressEvent(event)


class ReviewBar(QFrame):
    """Attributes: accept, reject, needs_work, edit (buttons; the page connects them)."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "foot")
        self.accept = Button(
            "Accept", theme, icon="check", name="sampleAccept", tip=f"Accept ({key_of('review.accept')})"
        )
        self.reject = Button("Reject", theme, icon="x", name="sampleReject", tip=f"Reject ({key_of('review.reject')})")
        self.needs_work = Button(
            "Needs work", theme, name="sampleNeedsWork", tip=f"Needs work ({key_of('review.needs_work')})"
        )
        self.edit = Button("Edit", theme, name="sampleEdit", tip=f"Edit ({key_of('review.edit')})")
        self._hint = label("A accept · R reject · N needs work · J/K next", tone="faint", size=12)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(8)
        for button in (self.accept, self.reject, self.needs_work, self.edit):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self._hint)

    def show_count(self, count: int) -> None:
        """How many samples a decision would be about; 1 is not mentioned, 0 disables everything."""
        for button, word in ((self.accept, "Accept"), (self.reject, "Reject"), (self.needs_work, "Needs work")):
            text = word if count <= 1 else f"{word} {count:,}"
            if count > 1 and button is self.needs_work:
                text = word
            button.setText(text)
            button.setAccessibleName(text)
            button.setEnabled(count > 0)
        self.edit.setEnabled(count == 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hint.setVisible(event.size().width() >= _HINT_WIDTH)
