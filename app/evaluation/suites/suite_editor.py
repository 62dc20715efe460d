"""One suite, open: its problems at the left, the chosen one at the right, to read or to change, to check, to keep.

What was typed is never dropped without a question: not by another problem, not by the way back, not by closing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluation.suites.desk import Desk
from app.evaluation.suites.problem_draft import ProblemDraft
from app.evaluation.suites.problem_form import ProblemForm
from app.evaluation.suites.problem_list import ProblemList
from app.evaluation.suites.standing import Item, Standing, items
from app.evaluation.suites.verdict_line import VerdictLine
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.empty import EmptyState
from app.widgets.labels import ElidedLabel, hairline, section
from app.widgets.question import question
from core.errors import UserError
from core.evaluation import soundness
from core.evaluation.drafting import Complaint, complaints, problem_of
from core.evaluation.private import Kept
from core.evaluation.suites import OURS
from core.evaluation.trying import Trial


class SuiteEditor(QWidget):
    """Signals: back_wanted(); copy_wanted(Standing), where it can only be read; changed(), a problem was saved or removed."""

    back_wanted = Signal()
    copy_wanted = Signal(object)
    changed = Signal()

    def __init__(self, context: AppContext, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._desk = desk
        self.standing: Standing | None = None
        self._wanted = ""
        self.draft = ProblemDraft(context, self)
        self.draft.opened.connect(self._on_opened)
        self.draft.edited.connect(self._on_edited)
        self.draft.told.connect(self._on_told)
        self.draft.tried.connect(self._on_tried)
        self.draft.saved.connect(self._on_saved)
        self.draft.removed.connect(self._on_removed)
        self.draft.failed.connect(self._on_failed)
        self.draft.doing_changed.connect(self._offer)
        self._build()

    def _build(self) -> None:
        theme = self._context.theme
        self.banner = Banner(theme, name="suiteBanner")
        self.list = ProblemList(theme)
        self.list.wanted.connect(self._on_wanted)
        self.filter = QLineEdit()
        self.filter.setObjectName("problemsFilter")
        self.filter.setPlaceholderText("Filter")
        self.filter.setAccessibleName("Filter the problems")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(lambda text: self.list.set_filter(text, self._key()))
        self.form = ProblemForm(theme)
        self.form.typed.connect(self.draft.write)
        self.form.text_typed.connect(self.draft.write_text)
        self.verdict = VerdictLine(theme)
        self.verdict.place_wanted.connect(self._go_to)
        left = QWidget()
        side = QVBoxLayout(left)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(0)
        above = QHBoxLayout()
        above.setContentsMargins(12, 6, 12, 8)
        above.addWidget(self.filter)
        side.addLayout(above)
        side.addWidget(self.list, 1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(12, 6, 20, 8)
        column.setSpacing(8)
        column.addWidget(self.form, 1)
        column.addWidget(self.verdict)
        self._empty = EmptyState(theme, "notebook", "", name="suiteEmpty", action=("New problem", self._new_problem))
        self._right = QStackedWidget()
        self._right.addWidget(right)
        self._right.addWidget(self._empty)
        body = QSplitter()
        body.addWidget(left)
        body.addWidget(self._right)
        body.setSizes([230, 760])
        body.setStretchFactor(1, 1)
        body.setHandleWidth(1)
        body.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.banner)
        whole.addLayout(self._build_head())
        whole.addWidget(hairline())
        whole.addWidget(body, 1)
        whole.addWidget(hairline())
        whole.addLayout(self._build_foot())

    def _build_head(self) -> QHBoxLayout:
        theme = self._context.theme
        self.back = Button("All suites", theme, icon="caret-left", kind="quiet", name="suiteBack", tip="Alt+Left")
        self.back.clicked.connect(self.leave)
        self._title = section("")
        self._about = ElidedLabel(tone="dim")
        self.new = Button("New problem", theme, icon="plus", name="problemNew", tip="Ctrl+N")
        self.new.clicked.connect(self._new_problem)
        self.copy = Button(
            "Copy to edit…", theme, icon="copy", name="suiteCopy", tip="Makes a suite of your own from this one"
        )
        self.copy.clicked.connect(lambda: self.copy_wanted.emit(self.standing))
        QShortcut(QKeySequence("Alt+Left"), self, activated=self.back.click)
        QShortcut(QKeySequence("Ctrl+N"), self, activated=self.new.click)
        head = QHBoxLayout()
        head.setContentsMargins(12, 10, 20, 8)
        head.setSpacing(8)
        head.addWidget(self.back)
        head.addWidget(self._title)
        head.addWidget(self._about, 1)
        head.addWidget(self.copy)
        head.addWidget(self.new)
        return head

    def _build_foot(self) -> QHBoxLayout:
        theme = self._context.theme
        self._note = ElidedLabel(tone="dim")
        self._note.setObjectName("problemNote")
        self.remove = Button("Delete…", theme, name="problemDelete")
        self.remove.clicked.connect(self._ask_remove)
        self.check = Button("Check", theme, icon="play", name="problemCheck", tip="Does the test compile, the reference pass, a stub fail? (Ctrl+Enter)")  # fmt: skip
        self.check.clicked.connect(self._on_check)
        self.save = Button("Save", theme, kind="primary", name="problemSave", tip="Ctrl+S")
        self.save.clicked.connect(self.draft.save)
        QShortcut(QKeySequence("Ctrl+S"), self, activated=self.save.click)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self, activated=self.check.click)
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 10, 20, 12)
        foot.setSpacing(8)
        foot.addWidget(self._note, 1)
        for button in (self.remove, self.check, self.save):
            foot.addWidget(button)
        for button in (self.back, self.new, self.copy, self.remove, self.check, self.save):
            button.setAutoDefault(False)
        return foot

    # --- which suite, which problem ----------------------------------------------------------------------------

    def open(self, standing: Standing) -> None:
        """Show this suite, its first problem in front."""
        self.standing = standing
        self._wanted = ""
        self.filter.clear()
        suite = standing.suite
        self._title.setText(suite.title or suite.name)
        whose = {"bundled": "Ships with Gosmith, to read", "added": "A file of others, to read"}.get(
            suite.origin, "Yours"
        )
        self._about.setText(f"{suite.name} · {whose}" if suite.title else whose)
        self.banner.clear()
        self.draft.shut()
        self._reload()

    def _reload(self) -> None:
        if self.standing is None:
            return
        workspace, suite, tried = self._context.workspace, self.standing.suite, dict(self._desk.tried)
        self._context.tasks.run(lambda: items(workspace, suite, tried), self._on_items, self.banner.problem, owner=self)

    def refresh(self) -> None:
        """A check has found more."""
        if self.isVisible():
            self._reload()

    def _on_items(self, found: Sequence[Item]) -> None:
        key = self._wanted or self._key()
        self._wanted = ""
        self.list.set_items(found, key)
        now = self.list.item(key)
        if (
            now is not None
            and not self.draft.dirty
            and (not self.draft.is_open or self.draft.text is not None or now.key != self._key())
        ):
            self._show(now)
        elif not self.draft.is_open:
            self._show_first()
        self._offer()

    def _show_first(self) -> None:
        if self.list.rows.shown:
            self.list.choose(self.list.rows.shown[0].key)
            self._show(self.list.rows.shown[0])
        else:
            self._on_opened()

    def _key(self) -> str:
        return self.draft.item.key if self.draft.item is not None else ""

    def _on_wanted(self, item: Item) -> None:
        if item.key == self._key():
            return
        if self.draft.dirty:
            self.list.choose(self._key())
            self._ask_leave(lambda: self._show(item))
        else:
            self._show(item)

    def _show(self, item: Item) -> None:
        assert self.standing is not None
        self.list.choose(item.key)
        self.draft.open(item, self.standing.suite.folder if self.standing.own else None)

    def _new_problem(self) -> None:
        if self.standing is None or not self.standing.own:
            return
        if self.draft.dirty:
            self._ask_leave(self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        assert self.standing is not None
        assert self.standing.suite.folder is not None
        topic = self.draft.draft.topic if self.draft.is_open else ""
        self.list.choose("")
        self.draft.begin(self.standing.suite.folder, topic)
        self.form.fields["name"].editor.setFocus()

    # --- the draft ---------------------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        draft = self.draft
        self._right.setCurrentIndex(0 if draft.is_open else 1)
        self.verdict.say("")
        if draft.text is not None:
            assert draft.kept is not None
            self.form.show_text(draft.text, draft.kept.line, draft.kept.complaint)
            self.verdict.say(
                f"This file is no problem of the suite: line {draft.kept.line}: {draft.kept.complaint}.", "bad"
            )
        elif draft.is_open:
            ours = self.standing is not None and self.standing.suite.format == OURS
            self.form.show_draft(draft.draft, editable=draft.editable, ours=ours)
            self._tell_found()
        elif self.standing is not None:
            own = self.standing.own
            self._empty.say(
                "This suite holds no problem yet. Write the first one." if own else "This suite holds no problem."
            )
        self._offer()

    def _tell_found(self) -> None:
        """What the check of the suite has said of it."""
        item = self.draft.item
        if item is None or item.found is None:
            return
        if item.found.complaints:
            self.verdict.say(f"Not sound: {'; '.join(item.found.complaints)}.", "warn")
        else:
            self.verdict.say("Sound when it was checked: the reference passes, the stub fails.", "good")

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

    def _on_told(self, sentence: str) -> None:
        self.verdict.say(f"{sentence} …")

    def _on_tried(self, trial: Trial) -> None:
        current = self.draft.is_as_tried(trial)
        tone = (
            "good"
            if not trial.complaints
            else "bad"
            if trial.soundness is None or trial.soundness.reference != "pass"
            else "warn"
        )
        words = trial.sentence if current else f"Before your last change: {trial.sentence}"
        more = [
            one
            for one in trial.complaints
            if one.line or one.part in self.form.fields or one.text not in trial.sentence.lower()
        ]
        self.verdict.say(words, tone, more)
        if current:
            self.form.show_complaints(trial.complaints)
        if trial.soundness is not None:
            self._desk.tried[soundness.digest(problem_of("draft", trial.draft), OURS)] = trial.soundness
            if not self.draft.dirty:
                self._reload()

    def _on_saved(self, kept: Kept) -> None:
        self._wanted = str(kept.path)
        self._note.setText(f"Saved as {kept.path}.")
        self.banner.clear()
        self._reload()
        self.changed.emit()

    def _on_removed(self) -> None:
        self.draft.shut()
        self._reload()
        self.changed.emit()

    def _on_failed(self, error: UserError) -> None:
        """Say it; what keeps a draft from being saved, where it belongs."""
        wrong = (
            complaints(self.draft.draft)
            if self.draft.text is None and self.draft.is_open and self.draft.editable
            else []
        )
        if wrong:
            self.verdict.say("It cannot be saved so.", "bad", wrong)
            self.form.show_complaints(wrong)
        else:
            self.verdict.say("")
            self.banner.problem(error)

    def _go_to(self, complaint: Complaint) -> None:
        self.form.go_to(complaint)

    def _offer(self) -> None:
        draft = self.draft
        own = self.standing is not None and self.standing.own
        ours = self.standing is not None and self.standing.suite.format == OURS
        self.copy.setVisible(not own and ours)
        self.new.setVisible(own)
        self.save.setVisible(own)
        self.remove.setVisible(own)
        self.save.setEnabled(draft.dirty and not draft.doing)
        self.remove.setEnabled(draft.kept is not None and not draft.doing)
        self.check.setVisible(ours)
        checking = draft.doing == "checking"
        self.check.setEnabled(draft.is_open and draft.text is None and draft.doing != "writing")
        self.check.setText("Stop" if checking else "Check")
        self.check.setAccessibleName("Stop the check" if checking else "Check")
        self.check.set_icon("stop" if checking else "play")
        if draft.dirty:
            self._note.setText("Not saved." if draft.item is not None else "A new problem, not saved.")
        elif not self._note.text().startswith("Saved") or draft.item is None:
            self._note.setText("")

    # --- questions ---------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Back to all suites, after a question when something is not saved."""
        self.ask_before(self.back_wanted.emit)

    def ask_before(self, then: Callable[[], object]) -> None:
        """Do this, after a question when something is not saved."""
        if self.draft.dirty:
            self._ask_leave(then)
        else:
            then()

    def _ask_leave(self, then: Callable[[], object]) -> None:
        def leave() -> None:
            self.draft.revert()
            then()

        text, more = "Leave without saving?", "What you typed since the last save is gone."
        question(self, "problemLeave", "Suites", text, more, "Leave", leave).open()

    def _ask_remove(self) -> None:
        kept = self.draft.kept
        if kept is not None:
            more = f"{kept.path} is removed. This cannot be undone."
            question(
                self, "problemRemove", "Suites", f"Delete “{kept.name}”?", more, "Delete", self.draft.remove
            ).open()

    def close_down(self) -> None:
        """Leave nothing at work behind."""
        self.draft.close()
