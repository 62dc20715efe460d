"""The dialog that starts a teacher's job: recipe, model, how many samples, and what it may cost.

Everything is checked while it is typed, by the same rules as the command line; the forecast follows at once, with three real
prompts. Nothing is sent before Start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.context import AppContext
from app.teacher import forecaster
from app.teacher.aim_note import AimNote
from app.teacher.examples_view import drawn
from app.teacher.forecaster import Pools
from app.teacher.plan_desk import PlanDesk, fit
from app.teacher.plan_draft import PlanDraft, PlanKind, Told
from app.teacher.plan_files import PlanFiles
from app.teacher.plan_form import PlanForm
from app.teacher.plan_side import PlanSide
from app.teacher.recipe_picker import RecipeEntry, RecipePicker, listed
from app.widgets.buttons import Button
from core.errors import UserError
from core.teacher import plan as plans
from core.teacher import starting
from core.teacher.forecast import Forecast
from core.teacher.plan import TeacherPlan
from core.teacher.terms import to_mapping

USUAL = {"model": "gpt-4.1", "parameters": {"temperature": 1.0, "max_tokens": 2048}}
_COUNTS = (("samples", "Samples"), ("requests", "Requests"))


class PlanDialog(QDialog):
    """Asks for a plan. begin_with: plain data of a plan to begin with, None for the usual one.

    Signals: job_started(job id); editor_wanted(recipe), when its templates are to be read or changed.
    """

    job_started = Signal(str)
    editor_wanted = Signal(str)

    def __init__(
        self, context: AppContext, begin_with: Mapping[str, Any] | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("planDialog")
        self.setWindowTitle("New plan")
        fit(self)
        self._context = context
        self._wanted = {**to_mapping(TeacherPlan(recipe="topic-grid", model="gpt-4.1")), **USUAL, **(begin_with or {})}
        workspace, pools = context.workspace, Pools()
        kind = PlanKind(
            plans.problems, plans.plan_from, lambda plan: forecaster.look(plan, workspace, pools), starting.launch
        )
        self.draft = PlanDraft(context, kind, self)
        self._build()
        self.draft.told.connect(self._on_told)
        self.draft.checked.connect(lambda _errors: self._offer_save())
        self.draft.refused.connect(lambda _error: self._offer_save())
        self.draft.started.connect(self._on_started)
        self._write(self._wanted)
        self.reload_recipes()

    def _build(self) -> None:
        theme = self._context.theme
        self.picker = RecipePicker(theme)
        self.picker.chosen.connect(self._on_recipe_chosen)
        self.picker.edit_wanted.connect(self.editor_wanted)
        self.form = PlanForm(theme)
        self.form.edited.connect(self.draft.touch)
        self.aim = AimNote(theme)
        self.aim.edited.connect(self.draft.touch)
        self.draft.read_from(self.values, self.form.problems)
        self.side = PlanSide(theme, _COUNTS, cost="teacherCost")
        self.files = PlanFiles(self._context, plans.load_plan, "teacher generate", self)
        open_ = Button("Open…", theme, kind="quiet", name="planOpen", tip="Fill in a plan from a TOML file")
        open_.clicked.connect(self.files.ask_open)
        self._save = Button("Save…", theme, kind="quiet", name="planSave", tip="Write this plan as a TOML file")
        self._save.clicked.connect(lambda: self.files.ask_save(self.draft.plan, self.picker.choice.name))
        self.desk = PlanDesk(
            theme, self.draft, self.form, (self.picker, self.aim, self.form), self.side,
            start="teacherStart", foot=(open_, self._save), parent=self,
        )  # fmt: skip
        self.banner = self.desk.banner
        self.files.loaded.connect(self._on_loaded)
        self.files.noted.connect(self.desk.note)
        self.files.failed.connect(self.banner.problem)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.desk)

    def fill(self, wanted: Mapping[str, Any]) -> None:
        """Take over this part of a plan; what it does not tell stays as it is typed."""
        self._write({**self.values(), **wanted})
        self.picker.choice.choose(str(wanted.get("recipe", "")))
        self.draft.touch()

    def _write(self, plan: Mapping[str, Any]) -> None:
        self.form.set_values(plan)
        self.aim.set_values(plan)

    def reload_recipes(self, wanted: str = "") -> None:
        """Read the recipes again: one was edited."""
        if wanted:
            self._wanted["recipe"] = wanted
        root = self._context.workspace.root
        self._context.tasks.run(lambda: listed(root), self._on_listed, self.banner.problem, owner=self)

    def _on_listed(self, found: Sequence[RecipeEntry]) -> None:
        self.picker.choice.set_entries(found, self._wanted["recipe"])

    def _on_recipe_chosen(self, entry: RecipeEntry) -> None:
        self._wanted["recipe"] = entry.name
        self.form.set_source(entry.source)
        self.form.set_topics(entry.topics)
        self.aim.set_axes(entry.axes)
        self.draft.touch()

    def values(self) -> dict[str, Any]:
        """The plan as it stands in the dialog."""
        recipe = self.picker.choice.name or self._wanted["recipe"]
        return {**self.form.values(), **self.aim.values(), "recipe": recipe}

    def _on_loaded(self, plan: TeacherPlan, name: str) -> None:
        self._wanted = to_mapping(plan)
        self._write({"budget_usd": None, **self._wanted})
        self.banner.clear()
        if self.picker.choice.choose(plan.recipe):
            self.desk.note(f"This is the plan of {name}.")
        else:
            self.banner.problem(
                UserError(f"{name} names the recipe “{plan.recipe}”, which is not here.", "Choose another.")
            )
        self.draft.touch()

    def _on_told(self, told: Told[TeacherPlan, Forecast]) -> None:
        found, plan = told.forecast, told.plan
        fewer = f" of {plan.samples:,}: quotas allow no more" if found.samples < plan.samples else ""
        counts = {"samples": f"{found.samples:,}{fewer}", "requests": f"About {found.requests:,}"}
        self.side.show_forecast(found, plan, counts, drawn(found.examples))

    def _offer_save(self) -> None:
        self._save.setEnabled(self.draft.plan is not None)

    def _on_started(self, job_id: str) -> None:
        self.job_started.emit(job_id)
        self.accept()

    def done(self, result: int) -> None:
        """Leave nothing at work behind."""
        self.draft.close()
        super().done(result)
