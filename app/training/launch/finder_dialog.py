"""A search for one value of a run, as it goes: what it does, how far it is, its curve, and the sentence at its end.

It writes nothing itself: "Use this value" tells the launch dialog. Closing it, by whatever way, ends the search.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QProgressBar, QVBoxLayout, QWidget

from app.context import AppContext
from app.training.launch.finder_curve import FinderCurve
from app.training.launch.finder_run import FinderRun, Question
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.labels import label
from core.errors import UserError
from core.training.finders import TITLES, Finding, settings

EXPLAINED = {
    "micro": "Tries how many rows at a time fit into memory. Each try is two real steps, an evaluation and a save on the "
    "longest rows, in a process of its own, so that one that runs out of memory harms nothing.",
    "learning-rate": "Trains up to a hundred steps while the learning rate rises from 1e-7 to 1, and looks where the loss "
    "falls fastest and where it diverges. What it trains is thrown away.",
    "batch": "Trains forty steps and measures how much the gradients of different rows disagree. The more they do, the more "
    "rows a step are worth their time. What it trains is thrown away.",
}


class FinderDialog(QDialog):
    """Searches from the moment it is made.

    Signals: chosen(settings): what the answer changes in the configuration, nested as in the file.
    """

    chosen = Signal(object)

    def __init__(self, context: AppContext, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("finderDialog")
        self.setWindowTitle(f"Find: {TITLES[question.finder].lower()}")
        self._question = question
        self._found: Finding | None = None
        self._build(context)
        self._run = FinderRun(context, self)
        self._run.told.connect(self._note.setText)
        self._run.advanced.connect(self._on_advanced)
        self._run.points_came.connect(self._curve.add)
        self._run.arrived.connect(self._on_arrived)
        self._run.failed.connect(self._on_failed)
        self._run.begin(question)

    def _build(self, context: AppContext) -> None:
        theme = context.theme
        self._banner = Banner(theme, name="finderBanner")
        explained = label(EXPLAINED[self._question.finder], tone="dim", wrap=True)
        self._curve = FinderCurve(theme)
        self._curve.setVisible(self._question.finder == "learning-rate")
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the search")
        self._note = label("Starting…", tone="dim", size=12, wrap=True, name="finderNote")
        self._sentence = label(wrap=True, name="finderSentence")
        self._sentence.hide()
        self._use = Button("Use this value", theme, kind="primary", name="finderUse")
        self._use.setEnabled(False)
        self._use.clicked.connect(self._on_use)
        self._cancel = Button("Cancel", theme, name="finderCancel")
        inner = QVBoxLayout()
        inner.setContentsMargins(20, 16, 20, 14)
        inner.setSpacing(12)
        for widget in (explained, self._curve, self._bar, self._note, self._sentence):
            inner.addWidget(widget, 1 if widget is self._curve else 0)
        if self._question.finder != "learning-rate":
            inner.addStretch(1)
        inner.addLayout(dialog_foot(self, self._cancel, self._use))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._banner)
        whole.addLayout(inner, 1)
        self.resize(560, 440 if self._question.finder == "learning-rate" else 230)

    def _on_advanced(self, done: int, total: int | None) -> None:
        self._bar.setRange(0, total or 0)
        self._bar.setValue(done)
        if total is not None:
            self._note.setText(f"Step {done:,} of at most {total:,}")

    def _on_arrived(self, found: Finding) -> None:
        self._found = found
        self._rest()
        self._sentence.setText(found.sentence)
        self._sentence.setAccessibleName(found.sentence)
        self._sentence.show()
        if self._question.finder == "learning-rate":
            self._curve.show_finding(found)
        self._use.setEnabled(True)
        self._use.setFocus()

    def _on_failed(self, error: UserError) -> None:
        self._rest()
        self._banner.problem(error)
        self._cancel.setFocus()

    def _rest(self) -> None:
        """Nothing moves any more."""
        self._bar.hide()
        self._note.hide()
        self._cancel.setText("Close")
        self._cancel.setAccessibleName("Close")

    def _on_use(self) -> None:
        if self._found is not None:
            self.chosen.emit(settings(self._question.finder, self._found, self._question.config))
            self.accept()

    def done(self, result: int) -> None:
        self._run.close()
        super().done(result)
