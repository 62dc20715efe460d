"""What an evaluation failed, by topic and difficulty, and one press that makes it a teacher's plan.

It reckons and asks nobody: the press opens the plan's dialog, where the cost stands on the button. Of the suite, only topics and
difficulties go along.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.widgets.bars import Bar, BarCard
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.empty import EmptyState
from app.widgets.fields import integer_field
from app.widgets.labels import label
from core.errors import UserError
from core.evaluation.results import Evaluation
from core.teacher import recipes, shortfall
from core.teacher.recipes import Recipe
from core.teacher.shortfall import Answer, Need

USUAL_SAMPLES = 200
_MOST = 1_000_000
_RECIPE = "topic-grid"
_TOPICS = "The bar is what passes of a topic, a problem counting by the share of its answers; the number is how many samples it gets."
_DIFFICULTIES = "The number is the percentage of samples that are drawn so difficult."


class FailuresPanel(QWidget):
    """Attributes: answer (what the plan would set, None while there is none). Signals: topic_chosen(topic), when its bar was pressed."""

    topic_chosen = Signal(str)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Failures by topic")
        self._context = context
        self._evaluation: Evaluation | None = None
        self._job = ""
        self._recipes: dict[str, Recipe] = {}
        self.answer: Answer | None = None
        theme = context.theme
        self.recipe = CalmCombo()
        self.recipe.setObjectName("failuresRecipe")
        self.recipe.setAccessibleName("Recipe")
        self.recipe.setToolTip("How the teacher is asked; those that topics can steer")
        self.recipe.activated.connect(self._reckon)
        self._samples = integer_field("failures.samples", "Samples", "How many to ask for")
        self._samples.editor.setObjectName("failuresSamples")
        self._samples.editor.setFixedWidth(110)
        self._samples.write(USUAL_SAMPLES)
        self._samples.edited.connect(self._reckon)
        self.ask = Button(
            "Ask the teacher…", theme, icon="chalkboard-teacher", name="failuresAsk",
            tip="Opens the plan, with its cost; nothing is sent before you start it",
        )  # fmt: skip
        self.ask.clicked.connect(self._on_ask)
        self._headline = label(wrap=True, name="failuresHeadline")
        self._notes = label(tone="dim", size=12, wrap=True, name="failuresNotes")
        self.topics = BarCard("By topic", theme, name="failuresTopics")
        self.topics.chosen.connect(self.topic_chosen)
        self.difficulties = BarCard("By difficulty", theme, name="failuresDifficulties")
        self._empty = EmptyState(
            theme, "target", "", action=("Write a plan by hand…", self._on_by_hand), name="failuresEmpty"
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._filled())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        self.show_evaluation(None, "")

    def _filled(self) -> QScrollArea:
        line = QHBoxLayout()
        line.setSpacing(10)
        caption = label("Recipe", tone="dim", size=12)
        caption.setBuddy(self.recipe)
        choice = QVBoxLayout()
        choice.setSpacing(3)
        choice.addWidget(caption)
        choice.addWidget(self.recipe)
        choice.addStretch(1)
        line.addLayout(choice, 1)
        line.addWidget(self._samples.cell(), 0, Qt.AlignmentFlag.AlignTop)
        press = QVBoxLayout()
        press.setSpacing(3)
        press.addSpacing(caption.sizeHint().height() + choice.spacing())
        press.addWidget(self.ask)
        press.addStretch(1)
        line.addLayout(press)
        inner = QWidget()
        inner.setProperty("kind", "page")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(10)
        column.addWidget(self._headline)
        column.addLayout(line)
        column.addWidget(self._notes)
        column.addWidget(self.topics)
        column.addWidget(self.difficulties)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName("Failures by topic, and the plan that answers them")
        scroll.setWidget(inner)
        return scroll

    def show_evaluation(self, evaluation: Evaluation | None, job_id: str) -> None:
        """Show what this evaluation failed. job_id: that of the job that made it, "" for none."""
        self._evaluation, self._job = evaluation, job_id
        if evaluation is None:
            self._say_empty("No evaluation is chosen that has come to its end, so nothing is known to fail.")
            return
        if self._recipes:
            self._reckon()
            return
        root = self._context.workspace.root
        self._context.tasks.run(lambda: _steered(root), self._on_recipes, self._on_failed, owner=self)

    def _on_recipes(self, found: Sequence[Recipe]) -> None:
        self._recipes = {one.name: one for one in found}
        self.recipe.clear()
        for one in found:
            self.recipe.addItem(f"{one.file.title}, your copy" if one.own else one.file.title, one.name)
        self.recipe.setCurrentIndex(max(0, self.recipe.findData(_RECIPE)))
        self._reckon()

    def _on_failed(self, error: UserError) -> None:
        self._say_empty(str(error))

    def _reckon(self) -> None:
        """Some microseconds a problem, so at once."""
        evaluation, recipe = self._evaluation, self._recipes.get(self.recipe.currentData())
        if evaluation is None or recipe is None:
            return
        typed = self._samples.read()
        samples = typed if isinstance(typed, int) and 1 <= typed <= _MOST else None
        self._samples.show_error("" if samples else f"A whole number from 1 to {_MOST:,}")
        self.answer, refusal = None, None
        try:
            self.answer = shortfall.answer(evaluation, self._job, recipe, samples or USUAL_SAMPLES)
        except UserError as error:
            refusal = error
        topics = self.answer.topics if self.answer is not None else shortfall.needs(evaluation, "topic")
        if refusal is not None and not topics:
            self._say_empty(str(refusal))
            return
        self._show(evaluation, topics, refusal)
        if samples is None:
            self.answer = None
        self.ask.setEnabled(self.answer is not None)
        wanted = f"Ask the teacher for {samples:,} samples…" if samples else "Ask the teacher…"
        self.ask.setText(wanted)
        self.ask.setAccessibleName(wanted.replace("…", ""))

    def _show(self, evaluation: Evaluation, topics: Sequence[Need], refusal: UserError | None) -> None:
        missing, problems = sum(one.missing for one in topics), sum(one.problems for one in topics)
        most = ", ".join(one.name.replace("_", " ") for one in topics[:3] if one.missing)
        self._headline.setText(
            f"{missing:.3g} of {problems:,} problems of “{evaluation.origin.suite}” fail"
            + (f", most of them in {most}." if most else ".")
        )
        notes = [str(refusal)] if refusal is not None else list(self.answer.notes if self.answer is not None else ())
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))
        told = self.answer is not None
        self.topics.show_bars([_bar(one, told=told) for one in topics], _TOPICS if told else "")
        steps = self.answer.difficulties if self.answer is not None else shortfall.needs(evaluation, "difficulty")
        steered = self.answer is not None and bool(self.answer.shares)
        self.difficulties.show_bars(
            [_bar(one, told=steered, unit=" %") for one in steps], _DIFFICULTIES if steered else ""
        )
        self.difficulties.setVisible(bool(steps))
        self._stack.setCurrentIndex(1)

    def _say_empty(self, sentence: str) -> None:
        self.answer = None
        self._empty.say(sentence)
        self._stack.setCurrentIndex(0)

    def _on_ask(self) -> None:
        if self.answer is not None:
            self._context.to_plan.make(self.answer.fields())

    def _on_by_hand(self) -> None:
        self._context.to_plan.make({"evaluation": self._job})


def _steered(root: Path) -> list[Recipe]:
    """The recipes that topics can steer, by title; a broken copy is none of them."""
    found = []
    for name in recipes.names(root):
        try:
            one = recipes.find(name, root)
        except UserError:
            continue  # the plan's dialog lists it, with what is wrong
        if one.file.source == "none":
            found.append(one)
    return sorted(found, key=lambda one: one.file.title.casefold())


def _bar(one: Need, *, told: bool, unit: str = "") -> Bar:
    title = f"{one.name.replace('_', ' ')} · {one.passed:.3g} of {one.problems:,} pass"
    value = (f"{one.quota:,}{unit}" if one.known else "—") if told else ""
    return Bar(one.name, title, one.passed / one.problems, value, "good")
