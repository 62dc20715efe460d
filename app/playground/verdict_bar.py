"""What Go says of an answer, below it: asked for by a press, told as five short words and the first complaint.

The answer's own test runs in the sandbox, or one that the caller sets. The work is a task of the window's, not a job: it is over in
seconds, can be stopped, and ends with the window.
"""

from __future__ import annotations

import threading
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from app.tasks import TaskRunner
from app.theme import Theme, set_property
from app.widgets.buttons import Button
from app.widgets.code_view import Mark
from app.widgets.flow import FlowLayout
from app.widgets.labels import ElidedLabel, label
from app.widgets.samples.complaint import Complaint
from app.widgets.samples.glyphs import GLYPH_TONES, GLYPHS
from core.errors import UserError
from core.golang.answers import AnswerVerdict, check_answer
from core.golang.checker import CHECKS

_WORDS = {"pass": "passes", "fail": "fails", "skipped": "was not tried"}


class VerdictBar(QWidget):
    """Attributes: verdict (AnswerVerdict, None until Go has spoken of this answer), problem (the sentence when it cannot be asked).

    Signals: checked(AnswerVerdict); failed(UserError), shown in the bar already; line_wanted(line of the answer, from 1), when the
    complaint was pressed.
    """

    checked = Signal(object)
    failed = Signal(object)
    line_wanted = Signal(int)

    def __init__(self, theme: Theme, tasks: TaskRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("verdictBar")
        self._tasks = tasks
        self._answer = ""
        self._test = ""
        self._stopped: threading.Event | None = None
        self._gone = threading.Event()
        self.destroyed.connect(self._gone.set)
        self.verdict: AnswerVerdict | None = None
        self._check = Button(
            "Check", theme, icon="check-circle", kind="quiet", name="answerCheck", tip="Ask Go: syntax, types, vet, and the test in the sandbox"
        )  # fmt: skip
        self._check.clicked.connect(self.check)
        self._stop = Button("Stop", theme, kind="quiet", name="answerCheckStop", tip="Stop checking")
        self._stop.clicked.connect(self.cancel)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._bar.setFixedWidth(48)
        self._bar.setAccessibleName("Progress of the check")
        self._chips = {check: label(size=12, name=f"verdict-{check}") for check in CHECKS}
        self._note = ElidedLabel(tone="dim")
        self._note.setObjectName("verdictNote")
        self._complaint = Complaint(theme)
        self._complaint.chosen.connect(self._on_chosen)
        row = FlowLayout(spacing=10)
        for widget in (self._check, self._stop, self._bar, *self._chips.values(), self._note):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._complaint)
        self._show_nothing()

    @property
    def problem(self) -> str:
        """What the bar says beside its chips; a sentence when something was not tried."""
        return self._note.text()

    @property
    def busy(self) -> bool:
        """Is Go being asked?"""
        return self._stopped is not None

    def set_answer(self, text: str) -> None:
        """Another answer; what was said of the one before is taken away."""
        if text != self._answer:
            self._answer = text
            self._forget()

    def set_test(self, source: str) -> None:
        """A test to use instead of the answer's own, "" for that one."""
        if source != self._test:
            self._test = source
            self._forget()

    def check(self) -> None:
        """Ask Go; passed over while it is being asked."""
        if self._stopped is not None:
            return
        self._show_nothing()
        stopped = self._stopped = threading.Event()
        self._show_busy(True)
        self._say("Asking Go …")
        say = self._tasks.relay(partial(self._on_said, stopped), owner=self)
        answer, test, tasks, gone = self._answer, self._test, self._tasks, self._gone

        def enough() -> bool:
            return stopped.is_set() or gone.is_set() or tasks.closing()

        def work() -> AnswerVerdict | None:
            return check_answer(answer, test=test, cancel=enough, say=say)

        tasks.run(work, partial(self._on_checked, stopped), partial(self._on_failed, stopped), owner=self)

    def cancel(self) -> None:
        """Stop asking; nothing is shown."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None
            self._show_busy(False)
            self._show_nothing()

    def _forget(self) -> None:
        self.cancel()
        self._show_nothing()

    def _on_said(self, asked: threading.Event, words: str) -> None:
        if asked is self._stopped:
            self._say(f"{words} …")

    def _on_checked(self, asked: threading.Event, verdict: AnswerVerdict | None) -> None:
        if asked is not self._stopped or verdict is None:
            return
        self._stopped = None
        self._show_busy(False)
        self.show_verdict(verdict)
        self.checked.emit(verdict)

    def _on_failed(self, asked: threading.Event, error: UserError) -> None:
        if asked is not self._stopped:
            return
        self._stopped = None
        self._show_busy(False)
        self._say(str(error), "warn")
        self.failed.emit(error)

    def show_verdict(self, verdict: AnswerVerdict) -> None:
        """Show what was said of this answer, now or before."""
        self.verdict = verdict
        for check, chip in self._chips.items():
            state = verdict.states[check]
            chip.setText(f"{check} {GLYPHS[state]}")
            chip.setAccessibleName(f"{check} {_WORDS[state]}")
            set_property(chip, "tone", GLYPH_TONES[state])
            chip.show()
        self._say(verdict.note)
        about = [one for one in verdict.diagnostics if one.check in verdict.failed] or list(verdict.diagnostics)
        self._complaint.setVisible(bool(about))
        if about:
            self._complaint.show_diagnostic(about[0], len(about) - 1)

    def _on_chosen(self, mark: Mark) -> None:
        if self.verdict is None:
            return
        check = mark.text.partition(":")[0]
        found = next(one for one in self.verdict.diagnostics if one.check == check and one.line == mark.line)
        if line := self.verdict.line_in_answer(found):
            self.line_wanted.emit(line)

    def _show_nothing(self) -> None:
        self.verdict = None
        for chip in self._chips.values():
            chip.hide()
        self._say("")
        self._complaint.hide()
        self._show_busy(self._stopped is not None)

    def _say(self, words: str, tone: str = "dim") -> None:
        self._note.setText(words)
        self._note.setVisible(bool(words))
        set_property(self._note, "tone", tone)

    def _show_busy(self, busy: bool) -> None:
        self._check.setVisible(not busy)
        self._stop.setVisible(busy)
        self._bar.setVisible(busy)
