"""The student's answers while it was trained: an exam at a step, its questions at the left, one answer to read at the right.

The questions stay the same over a run, so going to another step stays on the question. It shows what was kept and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app import icons
from app.theme import Theme, set_property
from app.widgets.labels import ElidedLabel, label
from app.widgets.samples.reading import SampleView
from app.widgets.samples.segments import Segment, answer_segments
from core.training import answers
from core.training.answers import Answer

_WORDS = {"compiles": "Compiles", "parses": "Parses only", "fails": "Fails"}
_TONES = {"compiles": "good", "parses": "warn", "fails": "bad"}
_ICONS = {"compiles": "check", "parses": "minus", "fails": "x"}


class AnswersView(QWidget):
    """Shows the exams of the run it was given last, the newest one first."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._exams: tuple[tuple[int, Path], ...] = ()
        self._answers: tuple[Answer, ...] = ()
        self.steps = QComboBox()
        self.steps.setObjectName("answersStep")
        self.steps.setAccessibleName("Step of the answers")
        self.steps.currentIndexChanged.connect(self._on_step_chosen)
        self._summary = label(tone="dim", name="answersSummary")
        self.questions = QListWidget()
        self.questions.setObjectName("answersQuestions")
        self.questions.setAccessibleName("Questions")
        self.questions.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.questions.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.questions.currentRowChanged.connect(self._on_question_chosen)
        self._verdict = label(name="answerVerdict")
        self._message = ElidedLabel(tone="dim")
        self.answer = SampleView(theme)
        self.answer.setAccessibleName("Answer")
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.steps)
        head.addWidget(self._summary, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._build_reader(), 1)
        theme.changed.connect(self._retint)

    def _build_reader(self) -> QWidget:
        verdict = QHBoxLayout()
        verdict.setContentsMargins(16, 8, 16, 4)
        verdict.setSpacing(8)
        verdict.addWidget(self._verdict)
        verdict.addWidget(self._message, 1)
        right = QWidget()
        right.setProperty("kind", "surface")
        right.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside = QVBoxLayout(right)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addLayout(verdict)
        inside.addWidget(self.answer, 1)
        splitter = QSplitter()
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.questions)
        splitter.addWidget(right)
        splitter.setSizes([200, 600])
        splitter.setStretchFactor(1, 1)
        return splitter

    def show_exams(self, exams: Sequence[tuple[int, Path]]) -> None:
        """These are there: step and file, newest first. Who was at the newest goes on to the newest."""
        if tuple(exams) == self._exams:
            return
        same_run = bool(exams and self._exams) and exams[0][1].parent == self._exams[0][1].parent
        place = self.steps.currentIndex()
        step = self._exams[place][0] if same_run and place > 0 else None
        self._exams = tuple(exams)
        with QSignalBlocker(self.steps):
            self.steps.clear()
            self.steps.addItems([f"Step {one:,}" for one, _ in exams])
            self.steps.setCurrentIndex(next((i for i, (one, _) in enumerate(exams) if one == step), 0))
        if not same_run:
            self.questions.setCurrentRow(-1)
        self._on_step_chosen(self.steps.currentIndex())

    def _on_step_chosen(self, place: int) -> None:
        self._answers = answers.read(self._exams[place][1]) if 0 <= place < len(self._exams) else ()
        good = sum(one.verdict == "compiles" for one in self._answers)
        parsed = good + sum(one.verdict == "parses" for one in self._answers)
        total = len(self._answers)
        self._summary.setText(
            f"{good:,} of {total:,} answers compile, {parsed:,} parse"
            if total
            else "The answers of this step cannot be read."
        )
        row = min(max(0, self.questions.currentRow()), total - 1)
        with QSignalBlocker(self.questions):
            self.questions.clear()
            for one in self._answers:
                self.questions.addItem(_item(one))
            self.questions.setCurrentRow(row)
        self._retint()
        self._on_question_chosen(row)

    def _on_question_chosen(self, row: int) -> None:
        if not 0 <= row < len(self._answers):
            self._verdict.setText("")
            self._message.setText("")
            self.answer.show_segments(())
            return
        one = self._answers[row]
        self._verdict.setText(_WORDS[one.verdict])
        set_property(self._verdict, "tone", _TONES[one.verdict])
        self._message.setText(" ".join(one.message.split()))
        parts = answer_segments(one.text) if one.text.strip() else [Segment("text", "(nothing)", "Answer")]
        self.answer.show_segments([Segment("text", one.prompt.strip("\n"), "Prompt"), *parts])

    def _retint(self) -> None:
        tokens = self._theme.tokens
        colours = {"compiles": tokens.good, "parses": tokens.warn, "fails": tokens.bad}
        for row, one in enumerate(self._answers):
            self.questions.item(row).setIcon(icons.icon(_ICONS[one.verdict], colours[one.verdict]))


def _item(one: Answer) -> QListWidgetItem:
    first = next((line.strip() for line in one.prompt.splitlines() if line.strip()), "Untitled")
    item = QListWidgetItem(first)
    item.setToolTip(first)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{_WORDS[one.verdict]}: {first}")
    return item
