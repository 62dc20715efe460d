"""What can be done with the turn that is being read: ask it anew, answer it again, copy, check, make a sample of it, go to its other branches.

It acts on nothing itself; it says what is wanted.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.commands import key_of
from app.playground.verdict_bar import VerdictBar
from app.tasks import TaskRunner
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel, label
from core.golang.answers import AnswerVerdict
from core.inference import conversation as tree
from core.inference.conversation import Conversation, Message
from core.inference.transcript import speaker


class TurnBar(QWidget):
    """Attributes: verdict (a VerdictBar), message (the turn that it is about, None for none).

    Signals: edit_wanted(), again_wanted(), copy_wanted(), save_wanted(), delete_wanted(), branch_wanted(-1 or 1).
    """

    edit_wanted = Signal()
    again_wanted = Signal()
    copy_wanted = Signal()
    save_wanted = Signal()
    delete_wanted = Signal()
    branch_wanted = Signal(int)

    def __init__(self, theme: Theme, tasks: TaskRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("turnBar")
        self.message: Message | None = None
        self._verdicts: dict[str, tuple[str, AnswerVerdict]] = {}
        self._name = ElidedLabel(tone="dim")
        self._name.setObjectName("turnName")
        self._earlier = self._button(
            theme, "caret-left", "branchEarlier", f"Earlier branch ({key_of('playground.earlier')})"
        )
        self._later = self._button(theme, "caret-right", "branchLater", f"Later branch ({key_of('playground.later')})")
        self._place = label(tone="dim", size=12, name="branchPlace")
        self._edit = self._button(theme, "pencil-simple", "turnEdit", "Ask this question anew (Up in an empty prompt)")
        self._again = self._button(
            theme, "arrows-clockwise", "turnAgain", f"Answer again ({key_of('playground.again')})"
        )
        self._copy = self._button(theme, "copy", "turnCopy", f"Copy the text ({key_of('playground.copy')})")
        self._save = self._button(theme, "floppy-disk", "turnSave", f"Save as a sample… ({key_of('playground.save')})")
        self._delete = self._button(theme, "trash", "turnDelete", "Delete this turn and what follows it")
        self._earlier.clicked.connect(lambda: self.branch_wanted.emit(-1))
        self._later.clicked.connect(lambda: self.branch_wanted.emit(1))
        self._edit.clicked.connect(self.edit_wanted)
        self._again.clicked.connect(self.again_wanted)
        self._copy.clicked.connect(self.copy_wanted)
        self._save.clicked.connect(self.save_wanted)
        self._delete.clicked.connect(self.delete_wanted)
        self.verdict = VerdictBar(theme, tasks)
        self.verdict.checked.connect(self._on_checked)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self._name, 1)
        for widget in (
            self._earlier,
            self._place,
            self._later,
            self._edit,
            self._again,
            self._copy,
            self._save,
            self._delete,
        ):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 2, 14, 2)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.verdict)
        self.hide()

    def _button(self, theme: Theme, icon: str, name: str, tip: str) -> Button:
        return Button("", theme, icon=icon, kind="quiet", name=name, tip=tip)

    def show_turn(self, conversation: Conversation, message: Message | None, *, busy: bool) -> None:
        """Offer what can be done with this turn now. busy: something is being answered, so that the tree must not change."""
        self.message = message
        self.setVisible(message is not None)
        if message is None:
            self.verdict.cancel()
            return
        branch = tree.path(conversation)
        place = next((place for place, one in enumerate(branch, 1) if one.id == message.id), 0)
        self._name.setText(f"Turn {place:,} of {len(branch):,} · {speaker(message)}")
        others = tree.siblings(conversation, message.id)
        at = others.index(message.id)
        for widget in (self._earlier, self._place, self._later):
            widget.setVisible(len(others) > 1)
        self._place.setText(f"{at + 1}/{len(others)}")
        self._place.setAccessibleName(f"Branch {at + 1} of {len(others)}")
        self._earlier.setEnabled(at > 0 and not busy)
        self._later.setEnabled(at + 1 < len(others) and not busy)
        self._edit.setVisible(not message.answers)
        self._edit.setEnabled(not busy)
        self._again.setEnabled(not busy)
        self._save.setVisible(message.role == tree.ASSISTANT)
        self._save.setEnabled(not busy)
        self._delete.setEnabled(not busy)
        answered = message.answers and not (busy and message.id == conversation.leaf)
        self.verdict.setVisible(answered)
        if answered:
            self.verdict.set_answer(message.text)
            kept = self._verdicts.get(message.id)
            if self.verdict.verdict is None and not self.verdict.busy and kept is not None and kept[0] == message.text:
                self.verdict.show_verdict(kept[1])
        else:
            self.verdict.set_answer("")

    def _on_checked(self, verdict: AnswerVerdict) -> None:
        if self.message is not None:
            self._verdicts[self.message.id] = (self.message.text, verdict)
