"""One problem, open: its parts, what a check says of them, and what can be done: check, save, delete.

Which problem it is, is decided by whoever holds it; what was typed is never dropped here.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluation.suites.problem_draft import ProblemDraft
from app.evaluation.suites.problem_form import ProblemForm
from app.evaluation.suites.standing import Item
from app.evaluation.suites.verdict_line import VerdictLine
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel, hairline
from app.widgets.question import question
from core.errors import UserError
from core.evaluation.drafting import complaints
from core.evaluation.private import Kept
from core.evaluation.trying import Trial


class ProblemPane(QWidget):
    """Attributes: draft, form, verdict, banner, and the buttons check, save, remove.

    Signals: tried(Trial); saved(Kept); removed().
    """

    tried = Signal(object)
    saved = Signal(object)
    removed = Signal()

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = context.theme
        self._ours = False
        self.draft = ProblemDraft(context, self)
        self.banner = Banner(theme, name="problemBanner")
        self.form = ProblemForm(theme)
        self.form.typed.connect(self.draft.write)
        self.form.text_typed.connect(self.draft.write_text)
        self.verdict = VerdictLine(theme)
        self.verdict.place_wanted.connect(self.form.go_to)
        self._note = ElidedLabel(tone="dim")
        self._note.setObjectName("problemNote")
        self.remove = Button("Delete…", theme, name="problemDelete")
        self.remove.clicked.connect(self._ask_remove)
        self.check = Button("Check", theme, icon="play", name="problemCheck", tip="Does the test compile, the reference pass, a stub fail? (Ctrl+Enter)")  # fmt: skip
        self.check.clicked.connect(self._on_check)
        self.save = Button("Save", theme, kind="primary", name="problemSave", tip="Ctrl+S")
        self.save.clicked.connect(self.draft.save)
        QShortcut(QKeySequence("Ctrl+S"), self, self.save.click)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self, self.check.click)
        self.draft.opened.connect(self._on_opened)
        self.draft.edited.connect(self._on_edited)
        self.draft.told.connect(lambda sentence: self.verdict.say(f"{sentence} …"))
        self.draft.tried.connect(self._on_tried)
        self.draft.saved.connect(self._on_saved)
        self.draft.removed.connect(self.removed)
        self.draft.failed.connect(self._on_failed)
        self.draft.doing_changed.connect(self._offer)
        self._build()

    def _build(self) -> None:
        inner = QVBoxLayout()
        inner.setContentsMargins(12, 6, 20, 8)
        inner.setSpacing(8)
        inner.addWidget(self.form, 1)
        inner.addWidget(self.verdict)
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 10, 20, 12)
        foot.setSpacing(8)
        foot.addWidget(self._note, 1)
        for button in (self.remove, self.check, self.save):
            button.setAutoDefault(False)
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addLayout(inner, 1)
        column.addWidget(hairline())
        column.addLayout(foot)

    # --- which problem -----------------------------------------------------------------------------------------

    def show_item(self, item: Item, folder: Path | None, *, ours: bool) -> None:
        """Open this problem. folder: of its suite, where it may be changed. ours: it has what files of others do not."""
        self._ours = ours
        self.draft.open(item, folder)

    def begin(self, folder: Path) -> None:
        """Open a new problem of the suite in `folder`, with the topic of the one before."""
        self._ours = True
        self.draft.begin(folder, self.draft.draft.topic)
        self.form.fields["name"].editor.setFocus()

    def _on_opened(self) -> None:
        draft = self.draft
        self.banner.clear()
        self.verdict.say("")
        self._note.setText("")
        if draft.text is not None:
            assert draft.kept is not None
            self.form.show_text(draft.text, draft.kept.line, draft.kept.complaint)
            self.verdict.say(
                f"This file is no problem of the suite: line {draft.kept.line}: {draft.kept.complaint}.", "bad"
            )
        elif draft.is_open:
            self.form.show_draft(draft.draft, editable=draft.editable, ours=self._ours)
            self._tell_found()
        self._offer()

    def _tell_found(self) -> None:
        """What the check of the suite has said of it, or why it is no problem."""
        item = self.draft.item
        if item is not None and item.kept is not None and item.kept.complaint:
            self.verdict.say(f"Line {item.kept.line}: {item.kept.complaint}.", "bad")
        elif item is None or item.found is None:
            return
        elif item.found.complaints:
            self.verdict.say(f"Not sound: {'; '.join(item.found.complaints)}.", "warn")
        else:
            self.verdict.say("Sound when it was checked: the reference passes, the stub fails.", "good")

    # --- typed, checked, kept ----------------------------------------------------------------------------------

    def _on_edited(self) -> None:
        self.form.show_complaints(())
        if not self.draft.doing:
            self.verdict.say("")
        self._offer()

    def _on_check(self) -> None:
        self.banner.clear()
        if self.draft.doing == "checking":
            self.draft.stop()
            self.verdict.say("The check was stopped.")
            return
        self.form.show_complaints(())
        self.verdict.say("Building and running the test …")
        self.draft.check()

    def _on_tried(self, trial: Trial) -> None:
        current = self.draft.is_as_tried(trial)
        passed = trial.soundness is not None and trial.soundness.reference == "pass"
        tone = "good" if not trial.complaints else "warn" if passed else "bad"
        more = [one for one in trial.complaints if one.line or one.text not in trial.sentence.lower()]
        self.verdict.say(trial.sentence if current else f"Before your last change: {trial.sentence}", tone, more)
        if current:
            self.form.show_complaints(trial.complaints)
        self.tried.emit(trial)

    def _on_saved(self, kept: Kept) -> None:
        self.banner.clear()
        self.form.show_complaints(())
        self.saved.emit(kept)
        self._offer()
        self._note.setText(f"Saved as {kept.path}.")

    def _on_failed(self, error: UserError) -> None:
        """Say it; what keeps a draft from being saved, where it belongs."""
        wrong = complaints(self.draft.draft) if self.draft.text is None and self.draft.editable else []
        if wrong:
            self.verdict.say("It cannot be saved so.", "bad", wrong)
            self.form.show_complaints(wrong)
        else:
            self.verdict.say("")
            self.banner.problem(error)

    def _offer(self) -> None:
        draft = self.draft
        checking = draft.doing == "checking"
        self.save.setVisible(draft.editable)
        self.save.setEnabled(draft.dirty and not draft.doing)
        self.remove.setVisible(draft.editable)
        self.remove.setEnabled(draft.kept is not None and not draft.doing)
        self.check.setVisible(self._ours)
        self.check.setEnabled(draft.is_open and draft.text is None and draft.doing != "writing")
        self.check.setText("Stop" if checking else "Check")
        self.check.setAccessibleName("Stop the check" if checking else "Check")
        self.check.set_icon("stop" if checking else "play")
        if draft.dirty:
            self._note.setText("Not saved." if draft.item is not None else "A new problem, not saved.")
        elif self._note.text().endswith("ot saved."):
            self._note.setText("")

    def _ask_remove(self) -> None:
        kept = self.draft.kept
        if kept is not None:
            more = f"{kept.path} is removed. This cannot be undone."
            question(
                self, "problemRemove", "Suites", f"Delete “{kept.name}”?", more, "Delete", self.draft.remove
            ).open()
