"""The dialog that has samples judged: which ones, by which rubric, by whom, and what it may cost.

Everything is checked while it is typed, by the same rules as the command line; how many samples there are, three of the questions as they
would be sent, and the cost follow at once. Nothing is sent before the button that names the cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.context import AppContext
from app.teacher import words
from app.teacher.examples_view import Prompt
from app.teacher.judge_form import JudgeForm
from app.teacher.plan_desk import PlanDesk, fit
from app.teacher.plan_draft import PlanDraft, PlanKind, Told
from app.teacher.plan_files import PlanFiles
from app.teacher.plan_side import PlanSide
from app.teacher.rubric_picker import RubricEntry, listed
from app.widgets.buttons import Button
from core.errors import UserError
from core.teacher.asking.keys import missing_key
from core.teacher.judging import plan as plans
from core.teacher.judging import starting
from core.teacher.judging.plan import JudgePlan
from core.teacher.judging.starting import Forecast
from core.teacher.terms import to_mapping
from core.workspace import Workspace

USUAL: dict[str, Any] = {"model": "gpt-4.1", "parameters": {"temperature": 0.0, "max_tokens": 1024}}
_COUNTS = (("samples", "To judge"),)


class JudgeDialog(QDialog):
    """Asks for a judge's plan. begin_with: plain data of a plan to begin with, over what is usual. Signals: job_started(job id)."""

    job_started = Signal(str)

    def __init__(self, context: AppContext, begin_with: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("judgeDialog")
        self.setWindowTitle("Judge samples")
        fit(self)
        self._context = context
        self._wanted = {**to_mapping(JudgePlan(model=USUAL["model"])), **USUAL, **begin_with}
        workspace = context.workspace
        kind = PlanKind(plans.problems, plans.plan_from, lambda plan: _look(plan, workspace), starting.launch)
        self.draft = PlanDraft(context, kind, self)
        self.form = JudgeForm()
        self.form.edited.connect(self.draft.touch)
        self.draft.read_from(self.form.values, self.form.problems)
        self.side = PlanSide(context.theme, _COUNTS, cost="judgeCost")
        self.files = PlanFiles(context, plans.load_plan, "teacher judge", self)
        open_ = Button("Open…", context.theme, kind="quiet", name="judgeOpen", tip="Fill in a plan from a TOML file")
        open_.clicked.connect(self.files.ask_open)
        save = Button("Save…", context.theme, kind="quiet", name="judgeSave", tip="Write this plan as a TOML file")
        save.clicked.connect(lambda: self.files.ask_save(self.draft.plan, f"judge-{self.form.picker.choice.name}"))
        self.desk = PlanDesk(
            context.theme, self.draft, self.form, (self.form,), self.side,
            start="judgeStart", foot=(open_, save), parent=self,
        )  # fmt: skip
        self.files.loaded.connect(self._on_loaded)
        self.files.noted.connect(self.desk.note)
        self.files.failed.connect(self.desk.banner.problem)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.desk)
        self.draft.checked.connect(lambda _errors: self._on_stale())
        self.draft.told.connect(self._on_told)
        self.draft.started.connect(self._on_started)
        self.form.set_values(self._wanted)
        self._on_stale()
        context.tasks.run(lambda: listed(workspace.root), self._on_listed, self.desk.banner.problem, owner=self)
        self.form.fields["query"].editor.setFocus()

    def _on_listed(self, found: Sequence[RubricEntry]) -> None:
        self.form.picker.choice.set_entries(found, self._wanted["rubric"])

    def _on_loaded(self, plan: JudgePlan, name: str) -> None:
        self._wanted = to_mapping(plan)
        self.form.set_values({"budget_usd": None, "most": None, **self._wanted})
        self.desk.banner.clear()
        self.desk.note(f"This is the plan of {name}.")
        if not self.form.picker.choice.choose(plan.rubric):
            self.desk.banner.problem(
                UserError(f"{name} names the rubric “{plan.rubric}”, which is not here.", "Choose another.")
            )
        self.draft.touch()

    def _on_stale(self) -> None:
        self.form.say_found("")
        self._name_start("Judge")

    def _on_told(self, told: Told[JudgePlan, Forecast]) -> None:
        found = told.forecast
        left_out = f"{found.known:,} more {'was' if found.known == 1 else 'were'} judged already and left out" if found.known else ""  # fmt: skip
        self.form.say_found(f"{words.samples(found.samples)} to judge" + (f"; {left_out}." if left_out else "."))
        prompts = [Prompt(f"Sample {place + 1} of {found.samples:,}", messages) for place, messages in enumerate(found.examples)]  # fmt: skip
        self.side.show_forecast(found, told.plan, {"samples": f"{found.samples:,}"}, prompts)
        cost = "" if found.cost_usd is None else f" for about {words.dollars(float(found.cost_usd))}"
        self._name_start(f"Judge {words.samples(found.samples)}{cost}")

    def _name_start(self, text: str) -> None:
        self.desk.start.setText(text)
        self.desk.start.setAccessibleName(text)

    def _on_started(self, job_id: str) -> None:
        self.job_started.emit(job_id)
        self.accept()

    def done(self, result: int) -> None:
        """Leave nothing at work behind."""
        self.draft.close()
        super().done(result)


def _look(plan: JudgePlan, workspace: Workspace) -> Told[JudgePlan, Forecast]:
    with closing(workspace.connect(readonly=True)) as connection:
        found = starting.forecast(plan, workspace.root, connection)
    return Told(plan, found, missing_key(plan.base_url))
