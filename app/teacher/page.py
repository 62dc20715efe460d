"""The Teacher page: the jobs of teacher and judge at the left, the chosen one at the right, dialogs to start others, an editor of recipes.

The page owns no job: it reads folders and what was taken in, asks a job to stop by writing into its folder, and may be closed at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtWidgets import QStackedWidget

from app.context import AppContext
from app.pages import Page
from app.teacher.actions import TeacherActions
from app.teacher.job_frame import JobFrame
from app.teacher.job_rows import job_row
from app.teacher.job_view import JobView
from app.teacher.judge_dialog import JudgeDialog
from app.teacher.judge_view import JudgeView
from app.teacher.plan_dialog import PlanDialog
from app.teacher.recipe_editor import RecipeEditor
from app.teacher_intake import JUDGE, KINDS, TEACHER
from app.widgets.buttons import Button
from app.widgets.empty import EmptyState
from app.widgets.jobs.job_memo import JobMemo
from app.widgets.jobs.jobs_list import JobsList
from app.widgets.jobs.jobs_pane import JobsPane, summary
from app.widgets.only_dialog import OnlyDialog
from core.jobs import JobFolder, JobInfo
from core.jobs.folder import read_job
from core.teacher import pace
from core.teacher.judging import pace as judge_pace

Standing = pace.Standing | judge_pace.JudgeStanding


class TeacherPage(Page):
    """Everything about what a teacher writes and a judge says of it."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Teacher")
        theme = context.theme
        self.dialog: OnlyDialog[PlanDialog] = OnlyDialog()
        self.judge_dialog: OnlyDialog[JudgeDialog] = OnlyDialog()
        self.editor: OnlyDialog[RecipeEditor] = OnlyDialog()
        self._standing: JobMemo[Standing | None] = JobMemo(_standing)
        self.actions_of_job = TeacherActions(context, self)
        self.actions_of_job.commands.acted.connect(self._look)
        self.actions_of_job.started.connect(self._on_job_started)
        self.actions_of_job.commands.failed.connect(self.banner.problem)
        recipes = Button("Recipes…", theme, icon="cooking-pot", name="teacherRecipesEdit", tip="Read and edit recipes")
        recipes.clicked.connect(lambda: self.open_editor(""))
        judge = Button("Judge…", theme, icon="scales", name="teacherJudge", tip="Have samples scored by a rubric")
        judge.clicked.connect(lambda: self.open_judge_dialog())
        new = Button("New plan…", theme, icon="plus", kind="primary", name="teacherNew")
        new.clicked.connect(lambda: self.open_dialog())
        self.header.add(recipes)
        self.header.add(judge)
        self.header.add(new)
        self.jobs = JobsList(theme, name="teacherJobs", title="Jobs of teacher and judge")
        self.jobs.job_selected.connect(self._on_job_selected)
        self.jobs.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.jobs.customContextMenuRequested.connect(self._on_menu_requested)
        self.view = JobView(context)
        self.view.frame.head.stop.clicked.connect(self.actions_of_job.stop)
        self.view.resume_wanted.connect(self.actions_of_job.resume)
        self.view.retry_wanted.connect(self._on_retry_wanted)
        self.view.samples_wanted.connect(context.to_samples.make)
        self.view.state_changed.connect(self.actions_of_job.show_job)
        self.judge_view = JudgeView(context)
        self.judge_view.frame.head.stop.clicked.connect(self.actions_of_job.stop)
        self.judge_view.resume_wanted.connect(self.actions_of_job.resume)
        self.judge_view.samples_wanted.connect(context.to_samples.make)
        self.judge_view.state_changed.connect(self.actions_of_job.show_job)
        self._views = QStackedWidget()
        self._views.addWidget(self.view)
        self._views.addWidget(self.judge_view)
        empty = EmptyState(
            theme,
            "chalkboard-teacher",
            "No samples were asked for yet. Choose a recipe and a budget, and a strong model writes them, checked by Go.",
            action=("New plan…", lambda: self.open_dialog()),
        )
        self._pane = JobsPane(self.jobs, self._views, empty, state="teacher/splitter")
        self.body.addWidget(self._pane, 1)
        context.commands.bind("teacher.new", self, lambda: self.open_dialog())
        context.commands.bind("teacher.judge", self, lambda: self.open_judge_dialog())
        context.commands.bind("teacher.recipes", self, lambda: self.open_editor(""))
        context.jobs.updated.connect(self._on_jobs_updated)
        context.to_teacher.made.connect(lambda _job: self._take_request())
        context.to_plan.made.connect(lambda _plan: self._take_plan_request())
        context.to_judging.made.connect(lambda _query: self._take_judging_request())
        self._on_jobs_updated()
        self._take_request()
        self._take_plan_request()
        self._take_judging_request()

    def save_state(self, state: QSettings) -> None:
        self._pane.save_state(state)

    # --- jobs --------------------------------------------------------------------------------------------------

    def _take_request(self) -> None:
        if (job_id := self.context.to_teacher.take()) is not None:
            self.jobs.select(job_id)

    def _on_jobs_updated(self) -> None:
        found = [job for job in self.context.jobs.jobs if job.kind in KINDS]
        self._pane.set_empty(not found)
        self.header.set_detail(summary("job", len(found), sum(job.alive for job in found)))
        self.jobs.set_rows([job_row(job, self._standing(job)) for job in found])
        if not found:
            self.actions_of_job.show_job(None)
        seen = self._frame().state
        now = self.context.jobs.job(seen.id) if seen is not None else None
        if seen is not None and now is not None and now.state != seen.state:
            self._frame().refresh()

    def _frame(self) -> JobFrame:
        """That of the chosen job's kind."""
        return self.view.frame if self._views.currentWidget() is self.view else self.judge_view.frame

    def _on_job_selected(self, job_id: str) -> None:
        job = self.context.jobs.job(job_id)
        view = self.judge_view if job is not None and job.kind == JUDGE else self.view
        view.show_job(JobFolder(self.context.workspace.jobs / job_id))
        self._views.setCurrentWidget(view)

    def _on_job_started(self, job_id: str) -> None:
        self.jobs.select(job_id)
        self.context.jobs.refresh()

    def _on_retry_wanted(self, numbers: list[int]) -> None:
        if (folder := self.view.frame.feed.folder) is not None:
            self.actions_of_job.retry(folder, numbers)

    def _look(self) -> None:
        self._frame().refresh()
        self.context.jobs.refresh()

    def _on_menu_requested(self, place: QPoint) -> None:
        if self.jobs.indexAt(place).isValid():
            self.actions_of_job.pop_up(self.jobs.viewport().mapToGlobal(place))

    # --- dialogs -----------------------------------------------------------------------------------------------

    def open_dialog(self, wanted: Mapping[str, Any] | None = None) -> None:
        """Ask for a plan, beginning with the one that was used last. wanted: what of it is known already, as plain data."""
        if self.dialog.came_forward():
            if self.dialog.now is not None and wanted is not None:
                self.dialog.now.fill(wanted)
            return
        newest = next((job for job in self.context.jobs.jobs if job.kind == TEACHER), None)
        begin_with = _begin_with(newest)
        if wanted is not None:
            begin_with = {**(begin_with or {}), **wanted}
        dialog = PlanDialog(self.context, begin_with, self)
        dialog.job_started.connect(self._on_job_started)
        dialog.editor_wanted.connect(self.open_editor)
        self.dialog.open(dialog)

    def _take_plan_request(self) -> None:
        if (wanted := self.context.to_plan.take()) is not None:
            self.open_dialog(wanted)

    def open_judge_dialog(self, query: str | None = None) -> None:
        """Ask how samples are to be judged, beginning with the plan that was used last. query: which samples, None for those of that plan."""
        if self.judge_dialog.came_forward():
            return
        newest = next((job for job in self.context.jobs.jobs if job.kind == JUDGE), None)
        wanted = {} if query is None else {"query": query, "most": None, "again": False}
        dialog = JudgeDialog(self.context, {**(_begin_with(newest) or {}), **wanted}, self)
        dialog.job_started.connect(self._on_job_started)
        self.judge_dialog.open(dialog)

    def _take_judging_request(self) -> None:
        if (query := self.context.to_judging.take()) is not None:
            self.open_judge_dialog(query)

    def open_editor(self, recipe: str) -> None:
        """Open the editor of recipes, on this one or on the first."""
        if self.editor.came_forward():
            return
        editor = RecipeEditor(self.context, recipe, self.dialog.now or self)
        editor.saved.connect(self._on_recipe_saved)
        self.editor.open(editor)

    def _on_recipe_saved(self, name: str) -> None:
        if self.dialog.now is not None:
            self.dialog.now.reload_recipes(name)


def _standing(job: JobInfo) -> Standing | None:
    """A look at the last 16 kB of its events, 0.2 ms."""
    return (judge_pace.standing if job.kind == JUDGE else pace.standing)(job.folder.events)


def _begin_with(newest: JobInfo | None) -> Mapping[str, Any] | None:
    """The plan that was started last, but for its seed: another plan shall draw other samples. Nor does it answer an evaluation again."""
    if newest is None:
        return None
    plan = dict(read_job(newest.folder).request["plan"])
    plan.pop("seed", None)
    plan.pop("evaluation", None)
    return {"budget_usd": None, **plan}
