"""The dialog that starts a teacher's job: recipe, model, how many samples, and what it may cost.

Everything is checked while it is typed, by the same rules as the command line; the forecast follows at once, with three real
prompts. Nothing is sent before Start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.context import AppContext
from app.teacher.forecaster import Forecaster, Told
from app.teacher.plan_files import PlanFiles
from app.teacher.plan_form import PlanForm
from app.teacher.plan_side import PlanSide
from app.teacher.recipe_picker import RecipeEntry, RecipePicker, listed
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.labels import hairline, label
from core.errors import UserError
from core.jobs import JobFolder, start
from core.teacher import plan as plans
from core.teacher import starting
from core.teacher.plan import TeacherPlan
from core.teacher.terms import to_mapping

CHECK_MS = 150
USUAL = {"model": "gpt-4.1", "parameters": {"temperature": 1.0, "max_tokens": 2048}}


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
        self.resize(960, 620)
        if parent is not None:
            room = parent.window().size()
            self.resize(min(1180, max(960, room.width() - 80)), min(760, max(590, room.height() - 60)))
        self._context = context
        self._plan: TeacherPlan | None = None
        self._errors: dict[str, str] = {}
        self._wanted = {
            **to_mapping(TeacherPlan(recipe="topic-grid", model="gpt-4.1")),
            **USUAL,
            **(begin_with or {}),
        }
        self._starting = False
        self._forecaster = Forecaster(context, self)
        self._forecaster.told.connect(self._on_told)
        self._forecaster.failed.connect(self._on_not_told)
        self._timer = QTimer(self, singleShot=True, interval=CHECK_MS)
        self._timer.timeout.connect(self._check)
        self._build()
        self.form.set_values(self._wanted)
        self.reload_recipes()

    def _build(self) -> None:
        theme = self._context.theme
        self.banner = Banner(theme, name="planBanner")
        self.picker = RecipePicker(theme)
        self.picker.chosen.connect(self._on_recipe_chosen)
        self.picker.edit_wanted.connect(self.editor_wanted)
        self.form = PlanForm(theme)
        self.form.edited.connect(self._on_edited)
        self.side = PlanSide(theme)
        self.files = PlanFiles(self._context, self)
        self.files.loaded.connect(self._on_loaded)
        self.files.noted.connect(self._on_noted)
        self.files.failed.connect(self.banner.problem)
        inner = QWidget()
        inner.setProperty("kind", "page")
        column = QVBoxLayout(inner)
        column.setContentsMargins(20, 14, 16, 12)
        column.setSpacing(10)
        column.addWidget(self.picker)
        column.addWidget(self.form)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName("The plan")
        scroll.setWidget(inner)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(scroll, 5)
        body.addWidget(hairline(vertical=True))
        body.addWidget(self.side, 6)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.banner)
        whole.addLayout(body, 1)
        whole.addLayout(self._build_foot())

    def _build_foot(self) -> QHBoxLayout:
        theme = self._context.theme
        self._foot = label(tone="dim", wrap=True, name="planNote")
        self._start = Button("Start", theme, icon="play", kind="primary", name="teacherStart")
        self._start.setDefault(True)
        self._start.setEnabled(False)
        self._start.clicked.connect(self._on_start)
        cancel = Button("Cancel", theme, name="planCancel")
        cancel.clicked.connect(self.reject)
        open_ = Button("Open…", theme, kind="quiet", name="planOpen", tip="Fill in a plan from a TOML file")
        open_.clicked.connect(self.files.ask_open)
        self._save = Button("Save…", theme, kind="quiet", name="planSave", tip="Write this plan as a TOML file")
        self._save.clicked.connect(lambda: self.files.ask_save(self._plan))
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 10, 20, 12)
        foot.setSpacing(8)
        foot.addWidget(self._foot, 1)
        for button in (open_, self._save, cancel, self._start):
            foot.addWidget(button)
        return foot

    # --- what stands in it -------------------------------------------------------------------------------------

    def reload_recipes(self, wanted: str = "") -> None:
        """Read the recipes again: one was edited."""
        if wanted:
            self._wanted["recipe"] = wanted
        root = self._context.workspace.root
        self._context.tasks.run(lambda: listed(root), self._on_listed, self.banner.problem, owner=self)

    def _on_listed(self, found: Sequence[RecipeEntry]) -> None:
        self.picker.set_recipes(found, self._wanted["recipe"])

    def _on_recipe_chosen(self, entry: RecipeEntry) -> None:
        self._wanted["recipe"] = entry.name
        self.form.set_source(entry.source)
        self.form.set_topics(entry.topics)
        self._on_edited()

    def values(self) -> dict[str, Any]:
        """The plan as it stands in the dialog."""
        return {**self.form.values(), "recipe": self.picker.recipe or self._wanted["recipe"]}

    def _on_loaded(self, plan: TeacherPlan, name: str) -> None:
        self._wanted = to_mapping(plan)
        self.form.set_values({"budget_usd": None, **self._wanted})
        self.banner.clear()
        if self.picker.choose(plan.recipe):
            self._foot.setText(f"This is the plan of {name}.")
        else:
            self.banner.problem(
                UserError(f"{name} names the recipe “{plan.recipe}”, which is not here.", "Choose another.")
            )
        self._on_edited()

    def _on_noted(self, text: str) -> None:
        self._foot.setText(text)

    def _on_edited(self) -> None:
        self._timer.start()

    # --- checking ----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Check what is typed; a right plan gets a forecast."""
        values = self.values()
        wrong = {key: _without_key(key, text) for key, text in plans.problems(values).items()}
        self._errors = {**wrong, **self.form.problems()}
        self._plan = None if self._errors else plans.plan_from(values)
        self._show_errors()
        if self._plan is None:
            self._forecaster.drop()
            self.side.clear("The forecast follows when nothing is wrong with the plan.")
        else:
            self.side.set_stale()
            self._forecaster.ask(self._plan)

    def _on_told(self, told: Told) -> None:
        self.side.show_forecast(told.forecast, told.plan)
        if told.key is not None:
            self.banner.say(str(told.key), "warn")
        elif not self._starting:
            self.banner.clear()

    def _on_not_told(self, _plan: TeacherPlan, error: UserError) -> None:
        """What only a look at recipe, folders and samples can tell is wrong with the plan."""
        self._plan = None
        key = str(error).split(maxsplit=1)[0]
        if self.form.knows(key):
            self._errors = {key: _without_key(key, str(error))}
        elif "nothing to start from" in str(error):
            self._errors = {"seeds.query": str(error)}
        else:
            self._errors = {"": str(error)}
            self.banner.problem(error)
        self.side.clear("The forecast follows when nothing is wrong with the plan.")
        self.side.examples.show_examples(())
        self._show_errors()

    def _show_errors(self) -> None:
        self.form.show_errors(self._errors)
        key = next(iter(self._errors), "")
        self._foot.setText(f"{self.form.caption(key)}: {self._errors[key]}" if key else "")
        self._start.setEnabled(self._plan is not None and not self._starting)
        self._save.setEnabled(self._plan is not None)

    # --- starting ----------------------------------------------------------------------------------------------

    def _on_start(self) -> None:
        plan, workspace = self._plan, self._context.workspace
        if plan is None or self._starting:
            return
        self._starting = True
        self._start.setEnabled(False)
        self._foot.setText("Copying the recipe and what is known already …")

        def begin() -> JobFolder:
            with closing(workspace.connect(readonly=True)) as connection:
                folder = starting.launch(plan, workspace.root, connection)
            start(folder)
            return folder

        self._context.tasks.run(begin, self._on_started, self._on_start_failed, owner=self)

    def _on_started(self, folder: JobFolder) -> None:
        self.job_started.emit(folder.id)
        self.accept()

    def _on_start_failed(self, error: UserError) -> None:
        self._starting = False
        self.banner.problem(error)
        self._show_errors()

    def done(self, result: int) -> None:
        """Leave nothing at work behind."""
        self._timer.stop()
        self._forecaster.drop()
        super().done(result)


def _without_key(key: str, text: str) -> str:
    """A sentence that stands below its field need not begin with the key."""
    rest = text.removeprefix(f"{key} ")
    return rest[:1].upper() + rest[1:]
