"""An answer on its way to the samples: mended where it must be, checked by Go, held against what is there, accepted with one key.

What is stored is the branch up to the answer, with the model it came from; undo takes it out again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.context import AppContext
from app.playground.verdict_bar import VerdictBar
from app.widgets.buttons import Button
from app.widgets.code_view import CodeView
from app.widgets.go_syntax import markdown_runs
from app.widgets.labels import ElidedLabel, label, section
from core.errors import UserError
from core.golang.extract import from_answer
from core.samples import answered
from core.samples.answered import Answered, Saved
from core.samples.conversation import Message

PAUSE_MS = 900


class SaveSampleDialog(QDialog):
    """Attributes: editor, verdict. Signals: saved(Saved)."""

    saved = Signal(object)

    def __init__(
        self, context: AppContext, messages: Sequence[Message], origin: Answered, parent: QWidget | None = None
    ) -> None:
        """messages: system, questions and answers; the last one is the answer that may still be changed."""
        super().__init__(parent)
        self.setObjectName("saveSampleDialog")
        self.setWindowTitle("Save as a sample")
        self.resize(760, 560)
        self._context = context
        self._messages = tuple(messages)
        self._origin = origin
        theme = context.theme
        question = next((one.content for one in reversed(self._messages) if one.role == "user"), "")
        asked = ElidedLabel(question.strip().splitlines()[0] if question.strip() else "", tone="dim")
        self.editor = CodeView(
            theme, name="saveSampleEditor", accessible_name="Answer", editable=True, lexer=markdown_runs
        )
        self.editor.set_code(self._messages[-1].content)
        self.editor.escaped.connect(self.reject)
        self.editor.textChanged.connect(self._on_edited)
        self.verdict = VerdictBar(theme, context.tasks)
        self._warnings = label(tone="warn", size=12, wrap=True, name="saveSampleWarnings")
        self._warnings.hide()
        self._tags = QLineEdit()
        self._tags.setObjectName("saveSampleTags")
        self._tags.setAccessibleName("Tags")
        self._tags.setPlaceholderText("Tags, with commas between them")
        self._accept = Button(
            "Accept", theme, kind="primary", name="saveSampleAccept", tip="Save as accepted (Ctrl+Enter)"
        )
        self._accept.clicked.connect(lambda: self._save("accepted"))
        self._new = Button("Save to review later", theme, name="saveSampleNew", tip="Save as new, undecided")
        self._new.clicked.connect(lambda: self._save("new"))
        self._work = Button(
            "Needs work", theme, kind="quiet", name="saveSampleWork", tip="Save, marked as needing work"
        )
        self._work.clicked.connect(lambda: self._save("needs_work"))
        cancel = Button("Cancel", theme, kind="quiet", name="saveSampleCancel", tip="Save nothing (Esc)")
        cancel.clicked.connect(self.reject)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self, lambda: self._save("accepted"))
        head = QVBoxLayout()
        head.setSpacing(2)
        turns = sum(one.role == "user" for one in self._messages)
        head.addWidget(section(f"An answer of {origin.model}" + (f", after {turns} questions" if turns > 1 else "")))
        head.addWidget(asked)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._tags, 1)
        for button in (cancel, self._work, self._new, self._accept):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.editor, 1)
        column.addWidget(self.verdict)
        column.addWidget(self._warnings)
        column.addLayout(foot)
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._look)
        self._look()
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def warnings(self) -> str:
        """What speaks against saving it."""
        return self._warnings.text()

    def _all(self) -> tuple[Message, ...]:
        return (*self._messages[:-1], Message("assistant", self.editor.toPlainText()))

    def _on_edited(self) -> None:
        self.verdict.set_answer(self.editor.toPlainText())
        self._pause.start()

    def _look(self) -> None:
        """Ask Go, and what is there already, about the text as it stands."""
        text = self.editor.toPlainText()
        self.verdict.set_answer(text)
        if from_answer(text).code.strip() and self.verdict.verdict is None:
            self.verdict.check()
        messages = self._all()

        def work(connection: sqlite3.Connection) -> list[str]:
            return answered.warnings(connection, messages)

        self._context.tasks.run_query(work, self._warn, lambda error: self._warn([str(error)]), owner=self)

    def _warn(self, sentences: list[str]) -> None:
        self._warnings.setText("\n".join(sentences))
        self._warnings.setVisible(bool(sentences))

    def _save(self, status: str) -> None:
        if not self._accept.isEnabled():
            return
        messages = self._all()
        original = self._messages[-1].content
        origin = replace(self._origin, original=None if messages[-1].content == original else original)
        verdict = self.verdict.verdict
        tags = [tag for tag in (" ".join(tag.split()) for tag in self._tags.text().split(",")) if tag]
        author = self._context.settings.reviewer
        self._show_busy(True)

        def work(connection: sqlite3.Connection) -> Saved:
            return answered.save(connection, messages, origin, status=status, tags=tags, verdict=verdict, author=author)

        self._context.tasks.run_db(work, self._on_saved, self._on_failed, owner=self)

    def _on_saved(self, saved: Saved) -> None:
        self._context.report(saved.operation.changes)
        self._context.notice(
            f"Saved as sample {saved.sample:,}.", "Undo", lambda: self._context.commands.run("app.undo")
        )
        self.saved.emit(saved)
        self.accept()

    def _on_failed(self, error: UserError) -> None:
        self._show_busy(False)
        self._warn([str(error)])

    def _show_busy(self, busy: bool) -> None:
        for button in (self._accept, self._new, self._work):
            button.setEnabled(not busy)

    def done(self, result: int) -> None:
        self._pause.stop()
        self.verdict.cancel()
        super().done(result)
