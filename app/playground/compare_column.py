"""A column of a comparison: who answers, the answer as it streams, what it took, and what Go and a test say of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.playground.compare_round import Contestant
from app.playground.mode import Bench
from app.playground.model_picker import ModelPicker
from app.playground.teacher_fields import TeacherFields
from app.playground.token_view import TokenView
from app.playground.verdict_bar import VerdictBar
from app.theme import set_property
from app.widgets.buttons import Button
from app.widgets.go_syntax import markdown_runs
from app.widgets.labels import label
from core.errors import UserError
from core.evaluation.judging import Judged
from core.inference import Finish, Likelihood
from core.inference.stretches import of_answer
from core.teacher.speaking import Teacher

WIDTH = 230
_STATUS = {
    "pass": "passes its test", "extract": "holds no code", "syntax": "does not parse", "types": "does not compile",
    "refused": "is refused", "build_timeout": "takes too long to build", "panic": "panics", "wrong_answer": "gives a wrong answer",
    "timeout": "takes too long", "out_of_memory": "takes too much memory", "sandbox_error": "could not be run",
}  # fmt: skip


class CompareColumn(QFrame):
    """Attributes: view; verdict (the bar of Go's verdicts); answer and tokens of the last round, and asked, whose they are; finish, None until an
    answer is whole.

    Signals: removed(); edited(), another contestant was chosen.
    """

    removed = Signal()
    edited = Signal()

    def __init__(
        self,
        bench: Bench,
        place: int,
        *,
        teacher: Teacher | None = None,
        model: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """place: counted from 1, for people. teacher: whom a teacher's column asks; else a model's, with the one in the folder `model`."""
        super().__init__(parent)
        theme = bench.context.theme
        self.setObjectName("compareColumn")
        self.setMinimumWidth(WIDTH)
        self.answer = ""
        self.tokens: tuple[Likelihood, ...] = ()
        self.finish: Finish | None = None
        self.asked: Contestant | None = None
        self.picker: ModelPicker | None = None
        self.fields: TeacherFields | None = None
        who: QWidget
        if teacher is None:
            who = self.picker = ModelPicker(bench.models, name="compareModel")
            self.picker.setMinimumWidth(120)
            self.picker.setSizeAdjustPolicy(ModelPicker.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            self.picker.model_chosen.connect(lambda _model: self.edited.emit())
            self.picker.remember(model)
        else:
            who = self.fields = TeacherFields(teacher)
        self._remove = Button("", theme, icon="x", kind="quiet", name="compareRemove", tip="Take this column away")
        self._remove.clicked.connect(self.removed)
        self.view = TokenView(theme, name="compareAnswer", accessible_name="Answer", lexer=markdown_runs, wrap=True)
        self._facts = label(tone="dim", size=12, wrap=True, name="compareFacts")
        self._test = label(size=12, wrap=True, name="compareTest")
        self._test.hide()
        self.verdict = VerdictBar(theme, bench.context.tasks)
        self.verdict.line_wanted.connect(self.view.go_to_line)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(who, 1)
        head.addWidget(self._remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.view, 1)
        layout.addWidget(self._facts)
        layout.addWidget(self._test)
        layout.addWidget(self.verdict)
        self.set_place(place)
        self.clear()

    def set_place(self, place: int) -> None:
        """Which column it is, counted from 1: names for those who cannot see it."""
        for widget, words in ((self.picker, "Model"), (self.view, "Answer"), (self._remove, "Take away column")):
            if widget is not None:
                widget.setAccessibleName(f"{words} {place}" if widget is self._remove else f"{words} of column {place}")

    def set_removable(self, removable: bool) -> None:
        """May it be taken away?"""
        self._remove.setEnabled(removable)

    def contestant(self) -> Contestant:
        """Who answers here. Raises UserError where nobody does."""
        if self.fields is not None:
            return self.fields.teacher()
        assert self.picker is not None
        if self.picker.model is None:
            raise UserError("There is no model to ask.", "Put a base model into the workspace's models folder.")
        return self.picker.model

    @property
    def name(self) -> str:
        """Who answered here, or would, in a word."""
        if self.asked is not None:
            return self.asked.model if isinstance(self.asked, Teacher) else self.asked.name
        if self.fields is not None:
            return self.fields.model.text().strip() or "the teacher"
        return self.picker.model.name if self.picker is not None and self.picker.model is not None else "no model"

    def clear(self) -> None:
        """Nothing was asked yet."""
        self.answer, self.tokens, self.finish, self.asked = "", (), None, None
        self._waits = False
        self.view.show_heat(None)
        self.view.clear()
        self.verdict.set_answer("")
        self.verdict.hide()
        self.show_judged(None)
        self._say("")

    @property
    def waits(self) -> bool:
        """Is it expected to be asked?"""
        return self._waits

    def wait(self, asked: Contestant) -> None:
        """An answer is expected of this one, which has to be loaded first, perhaps."""
        self.clear()
        self.asked = asked
        self._waits = True
        self._say("Asking…" if isinstance(asked, Teacher) else "Loading…")

    def begin(self) -> None:
        """The answer is asked for."""
        self._waits = False
        self._say("Reading the prompt…")

    def append(self, text: str) -> None:
        """The answer goes on."""
        self.answer += text
        self.view.append(text)

    def end(self, finish: Finish | None, tokens: Sequence[Likelihood], price: Decimal | None = None) -> None:
        """The answer is over. price: in dollars, of a teacher's."""
        self._waits = False
        self.finish = finish
        self.tokens = of_answer(tokens, self.answer) if tokens else ()
        self._say(facts(finish, price) if finish is not None else "Stopped")
        self._offer_verdict()

    def fail(self, error: UserError) -> None:
        """There is no answer, or no whole one."""
        self._waits = False
        self._say(str(error), "bad")
        self._offer_verdict()

    def check(self) -> None:
        """Ask Go about a whole answer; the processor is the models' while any of them speaks, so not before all are done."""
        if self.finish is not None and self.answer.strip():
            self.verdict.check()

    def show_judged(self, judged: Judged | None, waiting: bool = False) -> None:
        """What the prompt's test says of the answer."""
        self._test.setVisible(judged is not None or waiting)
        if waiting:
            self._test.setText("Running its test…")
            set_property(self._test, "tone", "dim")
        elif judged is not None:
            mark, tone = ("✓", "good") if judged.status == "pass" else ("✗", "bad")
            if judged.status == "sandbox_error":
                mark, tone = "·", "warn"
            why = f": {judged.detail}" if judged.detail else ""
            self._test.setText(f"{mark} {_STATUS[judged.status]}{why}")
            set_property(self._test, "tone", tone)

    def show_test_problem(self, error: UserError) -> None:
        """Why the test could not be run."""
        self._test.setText(str(error))
        set_property(self._test, "tone", "warn")
        self._test.show()

    def _offer_verdict(self) -> None:
        self.verdict.set_answer(self.answer)
        self.verdict.setVisible(bool(self.answer.strip()))

    def _say(self, text: str, tone: str = "dim") -> None:
        self._facts.setText(text)
        set_property(self._facts, "tone", tone)


def facts(finish: Finish, price: Decimal | None = None) -> str:
    """What an answer took, in a line."""
    words = [f"{finish.tokens:,} tokens"]
    if finish.tokens_per_second is not None:
        words.append(f"{finish.tokens_per_second:,.1f}/s")
    if finish.time_to_first_token is not None:
        words.append(f"first after {finish.time_to_first_token * 1000:,.0f} ms")
    if price is not None:
        words.append(f"${price:.4f}")
    if finish.reason == "length":
        words.append("cut at max new tokens")
    return " · ".join(words)
