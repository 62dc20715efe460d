"""One suite, open: its problems at the left, the chosen one at the right, to read or to change.

What was typed is never dropped without a question: not by another problem, not by the way back, not by closing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluation.suites.desk import Desk
from app.evaluation.suites.problem_list import ProblemList
from app.evaluation.suites.problem_pane import ProblemPane
from app.evaluation.suites.standing import Item, Standing, items
from app.widgets.buttons import Button
from app.widgets.empty import EmptyState
from app.widgets.labels import ElidedLabel, hairline, section
from app.widgets.question import question
from core.evaluation import soundness
from core.evaluation.drafting import as_problem
from core.evaluation.private import Kept
from core.evaluation.suites import OURS
from core.evaluation.trying import Trial

_WHOSE = {"bundled": "Ships with Gosmith, to read", "added": "A file of others, to read", "private": "Yours"}


class SuiteEditor(QWidget):
    """Attributes: list, pane, draft (the pane's), standing (the suite).

    Signals: back_wanted(); copy_wanted(Standing), where it can only be read; changed(), a problem was saved, removed or found out about.
    """

    back_wanted = Signal()
    copy_wanted = Signal(object)
    changed = Signal()

    def __init__(self, context: AppContext, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._desk = desk
        self.standing: Standing | None = None
        self._wanted = self._first = ""
        self.pane = ProblemPane(context)
        self.pane.tried.connect(self._on_tried)
        self.pane.saved.connect(self._on_saved)
        self.pane.removed.connect(self._on_removed)
        self.draft = self.pane.draft
        self.list = ProblemList(context.theme)
        self.list.wanted.connect(self._on_wanted)
        self.filter = QLineEdit()
        self.filter.setObjectName("problemsFilter")
        self.filter.setPlaceholderText("Filter")
        self.filter.setAccessibleName("Filter the problems")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(lambda text: self.list.set_filter(text, self._key()))
        self._build()

    def _build(self) -> None:
        left = QWidget()
        side = QVBoxLayout(left)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(0)
        above = QHBoxLayout()
        above.setContentsMargins(12, 6, 12, 8)
        above.addWidget(self.filter)
        side.addLayout(above)
        side.addWidget(self.list, 1)
        self._empty = EmptyState(
            self._context.theme, "notebook", "", name="suiteEmpty", action=("New problem", self._new_problem)
        )
        self._right = QStackedWidget()
        self._right.addWidget(self.pane)
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
        whole.addLayout(self._build_head())
        whole.addWidget(hairline())
        whole.addWidget(body, 1)

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
        QShortcut(QKeySequence("Alt+Left"), self, self.back.click)
        QShortcut(QKeySequence("Ctrl+N"), self, self.new.click)
        head = QHBoxLayout()
        head.setContentsMargins(12, 10, 20, 8)
        head.setSpacing(8)
        head.addWidget(self.back)
        head.addWidget(self._title)
        head.addWidget(self._about, 1)
        for button in (self.copy, self.new):
            head.addWidget(button)
        for button in (self.back, self.copy, self.new):
            button.setAutoDefault(False)
        return head

    # --- which suite -------------------------------------------------------------------------------------------

    def open(self, standing: Standing, problem: str = "") -> None:
        """Show this suite, that problem in front, else its first."""
        suite = standing.suite
        self.standing = standing
        self._first = problem.rpartition("/")[2]
        self._wanted = ""
        self.filter.clear()
        self.list.set_items((), "")
        self._title.setText(suite.title or suite.name)
        self._about.setText(f"{suite.name} · {_WHOSE[suite.origin]}" if suite.title else _WHOSE[suite.origin])
        self.copy.setVisible(not standing.own and suite.format == OURS)
        self.new.setVisible(standing.own)
        self.draft.shut()
        self._right.setCurrentWidget(self.pane)
        self._reload()

    def refresh(self) -> None:
        """A check has found more."""
        if self.isVisible():
            self._reload()

    def _reload(self) -> None:
        if self.standing is None:
            return
        workspace, suite, tried = self._context.workspace, self.standing.suite, dict(self._desk.tried)
        self._context.tasks.run(
            lambda: items(workspace, suite, tried), lambda found: self._on_items(suite.name, found), self.pane.banner.problem, owner=self
        )  # fmt: skip

    def _on_items(self, suite: str, found: Sequence[Item]) -> None:
        if self.standing is None or self.standing.suite.name != suite:
            return
        key, self._wanted = self._wanted or self._key(), ""
        self.list.set_items(found, key)
        now = self.list.item(key)
        if not self.draft.is_open:
            self._show_first()
        elif self.draft.text is not None and now is not None and now.kept is not None and not now.kept.complaint:
            self.ask_before(lambda: self._show(now))  # it was mended

    def _show_first(self) -> None:
        shown = self.list.rows.shown
        if shown:
            self._show(next((one for one in shown if self._first in (one.name, one.name.rpartition("/")[2])), shown[0]))
            self.list.scrollTo(self.list.currentIndex())
        else:
            own = self.standing is not None and self.standing.own
            self._empty.say(
                "This suite holds no problem yet. Write the first one." if own else "This suite holds no problem."
            )
            self._right.setCurrentWidget(self._empty)

    # --- which problem -----------------------------------------------------------------------------------------

    def _key(self) -> str:
        return self.draft.item.key if self.draft.item is not None else ""

    def _on_wanted(self, item: Item) -> None:
        if item.key == self._key():
            return
        if self.draft.dirty:
            self.list.choose(self._key())
        self.ask_before(lambda: self._show(item))

    def _show(self, item: Item) -> None:
        assert self.standing is not None
        suite = self.standing.suite
        self.list.choose(item.key)
        self._right.setCurrentWidget(self.pane)
        self.pane.show_item(item, suite.folder if self.standing.own else None, ours=suite.format == OURS)

    def _new_problem(self) -> None:
        if self.standing is not None and self.standing.own:
            self.ask_before(self._begin)

    def _begin(self) -> None:
        assert self.standing is not None
        assert self.standing.suite.folder is not None
        self.list.choose("")
        self._right.setCurrentWidget(self.pane)
        self.pane.begin(self.standing.suite.folder)

    def _on_tried(self, trial: Trial) -> None:
        if trial.soundness is not None:
            self._desk.tried[soundness.digest(as_problem("draft", trial.draft), OURS)] = trial.soundness
            self._reload()
            self.changed.emit()

    def _on_saved(self, kept: Kept) -> None:
        self._wanted = str(kept.path)
        self._reload()
        self.changed.emit()

    def _on_removed(self) -> None:
        self._first = ""
        self.draft.shut()
        self._reload()
        self.changed.emit()

    # --- leaving -----------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Back to all suites, after a question when something is not saved."""
        self.ask_before(self.back_wanted.emit)

    def ask_before(self, then: Callable[[], object]) -> None:
        """Do this, after a question when something is not saved."""
        if not self.draft.dirty:
            then()
            return

        def leave() -> None:
            self.draft.revert()
            then()

        text, more = "Leave without saving?", "What you typed since the last save is gone."
        question(self, "problemLeave", "Suites", text, more, "Leave", leave).open()
