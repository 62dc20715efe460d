"""One problem of an evaluation: what was asked, each answer with its verdict, and, only when it is wanted, the reference and the hidden test."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.evaluation import words
from app.theme import Theme, set_property
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.code_view import CodeView, Mark
from app.widgets.jobs.job_tabs import JobTabs
from app.widgets.labels import label
from core.evaluation.results import Candidate
from core.evaluation.suites import Problem

_LINE = re.compile(r"line (\d+): (.*?)(?=; line \d+: |$)", re.DOTALL)
_IN_CODE = ("syntax", "types")
"""Statuses whose detail speaks of lines of the answer; those of others may be lines of the test."""


class ProblemView(QWidget):
    """Attributes: problem, candidates (what is shown); picker (of an answer), code, answer, prompt, reference, test, tabs."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.problem: Problem | None = None
        self.candidates: tuple[Candidate, ...] = ()
        self._title = label(wrap=True, name="problemTitle")
        self._about = label(tone="dim", size=12, wrap=True)
        self.picker = CalmCombo()
        self.picker.setObjectName("problemAnswer")
        self.picker.setAccessibleName("Which answer")
        self.picker.currentIndexChanged.connect(self._on_answer_chosen)
        self._previous = Button("", theme, icon="caret-left", kind="quiet", name="answerPrevious", tip="Answer before")
        self._next = Button("", theme, icon="caret-right", kind="quiet", name="answerNext", tip="Next answer")
        self._previous.clicked.connect(lambda: self._step(-1))
        self._next.clicked.connect(lambda: self._step(1))
        self._verdict = label(wrap=True, size=12, name="answerStatus")
        self._verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.code = CodeView(theme, name="answerCode", accessible_name="Code of the answer")
        self.answer = _text("answerText", "The answer as it came")
        self.prompt = _text("problemPrompt", "What was asked")
        self.reference = CodeView(theme, name="problemReference", accessible_name="The suite's own solution")
        self.test = CodeView(theme, name="problemTest", accessible_name="Hidden test")
        self.tabs = JobTabs(
            theme,
            (
                ("answerTabCode", "Code", self.code),
                ("answerTabText", "Answer", self.answer),
                ("problemTabPrompt", "Prompt", self.prompt),
                ("problemTabReference", "Solution", self.reference),
                ("problemTabTest", "Test", self.test),
            ),
        )
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.picker, 1)
        line.addWidget(self._previous)
        line.addWidget(self._next)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addWidget(self._about)
        column.addLayout(line)
        column.addWidget(self._verdict)
        column.addWidget(self.tabs, 1)
        self.restart()

    @property
    def candidate(self) -> Candidate | None:
        """The answer that is shown."""
        place = self.picker.currentIndex()
        return self.candidates[place] if 0 <= place < len(self.candidates) else None

    def restart(self) -> None:
        """Show nothing."""
        self.show_problem(None, (), "")

    def show_problem(self, problem: Problem | None, candidates: Sequence[Candidate], suite: str) -> None:
        """Show this problem; the same one again, with more answers, stays at the answer that is shown."""
        same = problem is not None and self.problem is not None and problem.task == self.problem.task
        if same and tuple(candidates) == self.candidates:
            return
        place = max(0, self.picker.currentIndex()) if same else _first(candidates)
        self.problem, self.candidates = problem, tuple(candidates)
        self._title.setText(words.short(problem.task, suite) if problem is not None else "Choose a problem.")
        facts = [] if problem is None else [problem.topic, problem.difficulty, f"asks for {problem.entry_point}"]
        self._about.setText(" · ".join(one for one in facts if one))
        if not same:
            self.prompt.setPlainText(problem.prompt if problem is not None else "")
            self.reference.set_code(problem.solution if problem is not None else "")
            self.test.set_code(problem.test if problem is not None else "")
        total = len(self.candidates)
        with QSignalBlocker(self.picker):
            self.picker.clear()
            self.picker.addItems([f"{one.index + 1} of {total} · {words.WORDS[one.status]}" for one in self.candidates])
            self.picker.setCurrentIndex(min(place, total - 1))
        self._on_answer_chosen()

    def _step(self, by: int) -> None:
        place = self.picker.currentIndex() + by
        if 0 <= place < self.picker.count():
            self.picker.setCurrentIndex(place)

    def _on_answer_chosen(self) -> None:
        one, place = self.candidate, self.picker.currentIndex()
        self.picker.setVisible(bool(self.candidates))
        self._previous.setEnabled(place > 0)
        self._next.setEnabled(place < len(self.candidates) - 1)
        for button in (self._previous, self._next):
            button.setVisible(len(self.candidates) > 1)
        if one is None:
            self._verdict.setText("No answer was judged." if self.problem is not None else "")
            set_property(self._verdict, "tone", "dim")
            self.code.set_code("")
            self.answer.setPlainText("")
            return
        self._verdict.setText(verdict(one))
        set_property(self._verdict, "tone", words.tone(one.status))
        self.code.set_code(one.code, marks(one))
        self.answer.setPlainText(one.completion)


def verdict(one: Candidate) -> str:
    """What became of an answer, in words."""
    said = words.WORDS[one.status] + (f": {one.detail}" if one.detail else f": {words.TIPS[one.status].lower()}.")
    if one.flaky:
        said += " It passes in one run and fails in another."
    return said + (f" ({one.seconds:.2f} s)" if one.seconds else "")


def marks(one: Candidate) -> list[Mark]:
    """The complaints that are about lines of the answer."""
    if one.status not in _IN_CODE:
        return []
    lines = one.code.count("\n") + 1
    found = [(int(line), text.strip()) for line, text in _LINE.findall(one.detail)]
    return [Mark(line, 0, text) for line, text in found if line <= lines]


def _first(candidates: Sequence[Candidate]) -> int:
    """The first that did not pass: that is what one wants to read."""
    return next((place for place, one in enumerate(candidates) if one.status != "pass"), 0)


def _text(name: str, says: str) -> QPlainTextEdit:
    made = QPlainTextEdit()
    made.setObjectName(name)
    made.setAccessibleName(says)
    made.setReadOnly(True)
    made.setTabChangesFocus(True)
    made.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    return made
