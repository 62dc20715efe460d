"""The parts of a problem to read or to type: a row of facts, then prompt, reference and test, one page each.

It holds what was typed and shows complaints where they belong; what is right is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.code_view import CodeView, Mark
from app.widgets.fields import Field, choice_field, text_field
from app.widgets.jobs.job_tabs import JobTabs
from app.widgets.labels import label
from app.widgets.plain_syntax import plain_runs
from core.evaluation.drafting import Complaint, Draft, entry_of
from core.evaluation.ours import DIFFICULTIES

_TABS = (("prompt", "Prompt"), ("reference", "Reference"), ("test", "Test"))
_SIGNATURE_LINES = 3


class ProblemForm(QWidget):
    """Attributes: fields and views, by part; text (the view of a file that is no problem).

    Signals: typed(part, text); text_typed(text).
    """

    typed = Signal(str, str)
    text_typed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filling = False
        self.fields: dict[str, Field] = {
            "name": text_field("name", "Name", "That of its file, without .md"),
            "topic": text_field("topic", "Topic", "What it is about, in a word: results are told by it"),
            "difficulty": choice_field("difficulty", "Difficulty", [(one, one) for one in DIFFICULTIES]),
            "entry": text_field("entry", "Asks for", "The function or type that an answer must declare; by itself, what the signature declares last"),
        }  # fmt: skip
        for part, field in self.fields.items():
            field.editor.setObjectName(f"problem{part.title()}")
            field.edited.connect(partial(self._on_field_edited, part))
        self.views: dict[str, CodeView] = {
            "prompt": CodeView(theme, name="problemPrompt", accessible_name="What the model is asked", lexer=plain_runs),
            "signature": CodeView(theme, name="problemSignature", accessible_name="Signature: what an answer must declare"),
            "reference": CodeView(theme, name="problemReference", accessible_name="Reference: an answer that passes"),
            "test": CodeView(theme, name="problemTest", accessible_name="Test that no model sees"),
        }  # fmt: skip
        for part, view in self.views.items():
            view.textChanged.connect(partial(self._on_view_changed, part))
        self.text = CodeView(theme, name="problemText", accessible_name="Text of the file", lexer=plain_runs)
        self.text.textChanged.connect(self._on_text_changed)
        self._signature_note = label(tone="bad", size=12, wrap=True, name="problemSignatureNote")
        self._build(theme)

    def _build(self, theme: Theme) -> None:
        self.views["prompt"].setLineWrapMode(CodeView.LineWrapMode.WidgetWidth)
        signature = self.views["signature"]
        signature.setFixedHeight((_SIGNATURE_LINES + 1) * signature.fontMetrics().lineSpacing() + 6)
        self._asked = QWidget()
        column = QVBoxLayout(self._asked)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.views["prompt"], 1)
        self._caption = label("Signature: what an answer must declare, one line each", tone="dim", size=12)
        self._caption.setBuddy(signature)
        for widget in (self._caption, signature, self._signature_note):
            column.addWidget(widget)
        pages = {"prompt": self._asked, "reference": self.views["reference"], "test": self.views["test"]}
        self.tabs = JobTabs(theme, [(f"problemTab{title}", title, pages[part]) for part, title in _TABS])
        self.facts = QWidget()
        row = QHBoxLayout(self.facts)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part, stretch in (("name", 3), ("topic", 2), ("difficulty", 2), ("entry", 2)):
            row.addWidget(self.fields[part].cell(), stretch, Qt.AlignmentFlag.AlignTop)
        parts = QWidget()
        whole = QVBoxLayout(parts)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addWidget(self.facts)
        whole.addWidget(self.tabs, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(parts)
        self._stack.addWidget(self.text)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    # --- what is shown -----------------------------------------------------------------------------------------

    def show_draft(self, draft: Draft, *, editable: bool, ours: bool) -> None:
        """Show a problem. ours: it has what files of others do not: a signature, a topic, a difficulty."""
        self._filling = True
        for part, field in self.fields.items():
            field.write(getattr(draft, part))
            field.show_error("")
            field.editor.setEnabled(editable) if part == "difficulty" else field.editor.setReadOnly(not editable)  # type: ignore[attr-defined]
        for part, view in self.views.items():
            view.set_editable(editable)
            view.set_code(getattr(draft, part))
        self.facts.setVisible(ours)
        self._caption.setVisible(ours)
        self.views["signature"].setVisible(ours)
        self._stack.setCurrentIndex(0)
        self._filling = False
        self._hint_entry(draft.signature)
        self.show_complaints(())

    def show_text(self, text: str, line: int, reason: str) -> None:
        """Show a file that is no problem, and why."""
        self._filling = True
        self.text.set_editable(True)
        self.text.set_code(text, [Mark(line, 0, reason)])
        self._stack.setCurrentIndex(1)
        self._filling = False
        cursor = QTextCursor(self.text.document().findBlockByNumber(line - 1))
        self.text.setTextCursor(cursor)
        self.text.ensureCursorVisible()  # and the keyboard stays where it is

    def show_complaints(self, complaints: Sequence[Complaint]) -> None:
        """Show these where they belong, and no others."""
        for part, field in self.fields.items():
            field.show_error(_sentence(complaints, part))
        for part, view in self.views.items():
            view.set_marks([Mark(one.line, 0, one.text) for one in complaints if one.part == part and one.line])
        self._signature_note.setText(_sentence(complaints, "signature"))
        self._signature_note.setVisible(bool(self._signature_note.text()))
        for part, title in _TABS:
            count = sum(one.part == part or (part == "prompt" and one.part == "signature") for one in complaints)
            button = self.tabs.findChild(QPushButton, f"problemTab{title}")
            assert button is not None
            button.setText(f"{title} ({count})" if count else title)
            button.setAccessibleName(f"{title}, {count} complaints" if count else title)

    def go_to(self, complaint: Complaint) -> None:
        """Bring the place of a complaint to the front, with the keyboard in it."""
        if complaint.part in self.fields:
            self.fields[complaint.part].editor.setFocus()
            return
        view = self.views[complaint.part]
        self.tabs.open(self._asked if complaint.part in ("prompt", "signature") else view)
        if complaint.line:
            view.go_to(Mark(complaint.line, 0, complaint.text))
        else:
            view.setFocus()

    def _hint_entry(self, signature: str) -> None:
        self.fields["entry"].editor.setPlaceholderText(entry_of(signature))  # type: ignore[attr-defined]

    # --- typing ------------------------------------------------------------------------------------------------

    def _on_field_edited(self, part: str, *_: object) -> None:
        if not self._filling:
            self.typed.emit(part, str(self.fields[part].read()))

    def _on_view_changed(self, part: str) -> None:
        if not self._filling:
            text = self.views[part].toPlainText()
            if part == "signature":
                self._hint_entry(text)
            self.typed.emit(part, text)

    def _on_text_changed(self) -> None:
        if not self._filling:
            self.text_typed.emit(self.text.toPlainText())


def _sentence(complaints: Sequence[Complaint], part: str) -> str:
    said = "; ".join(one.text for one in complaints if one.part == part)
    return f"{said[0].upper()}{said[1:]}." if said else ""
