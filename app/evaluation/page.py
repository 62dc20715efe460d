"""The Evaluation page: evaluations at the left, the chosen one at the right, a dialog to start another.

The page owns no job: it reads folders, asks a job to stop by writing into its folder, and may be closed at any time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtWidgets import QMenu

from app.context import AppContext
from app.evaluation import words
from app.evaluation.board_feed import BoardFeed
from app.evaluation.evaluate_dialog import EvaluateDialog
from app.evaluation.evaluation_actions import EvaluationActions
from app.evaluation.evaluation_rows import evaluation_row
from app.evaluation.evaluation_view import EvaluationView
from app.evaluation.failures_panel import FailuresPanel
from app.evaluation.generations_view import GenerationsView
from app.pages import Page
from app.widgets.buttons import Button
from app.widgets.empty import EmptyState
from app.widgets.jobs.job_memo import JobMemo
from app.widgets.jobs.job_row import STATES
from app.widgets.jobs.jobs_list import JobsList
from app.widgets.jobs.jobs_pane import JobsPane, summary
from app.widgets.only_dialog import OnlyDialog
from core.evaluation.board import KINDS, Standing, standing
from core.jobs import JobFolder, JobInfo

if TYPE_CHECKING:
    from app.evaluation.suites import SuitesDialog


class EvaluationPage(Page):
    """Everything about how well models solve problems. Attributes: jobs (the list), view, failures, generations, dialog, suites, board."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Evaluation")
        theme = context.theme
        self.dialog: OnlyDialog[EvaluateDialog] = OnlyDialog()
        self.suites: OnlyDialog[SuitesDialog] = OnlyDialog()
        self._standing: JobMemo[Standing] = JobMemo(lambda job: standing(job.folder.events))  # of 16 kB, 0.2 ms
        self._at_work: frozenset[str] = frozenset()
        self.board = BoardFeed(context, self)
        self.actions_of_job = EvaluationActions(context, self)
        self.actions_of_job.commands.acted.connect(self._look)
        self.actions_of_job.noted.connect(context.notice)
        self.actions_of_job.commands.failed.connect(self.banner.problem)
        start = Button("Evaluate…", theme, icon="target", kind="primary", name="evaluateStart")
        start.clicked.connect(lambda: self.open_dialog())
        suites = Button(
            "Suites…", theme, icon="notebook", name="suitesEdit", tip="Read, check, add and write suites of problems"
        )
        suites.clicked.connect(self.open_suites)
        self.header.add(suites)
        self.header.add(start)
        self.jobs = JobsList(theme, name="evaluationsList", title="Evaluations")
        self.jobs.job_selected.connect(self._on_job_selected)
        self.jobs.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.jobs.customContextMenuRequested.connect(self._on_menu_requested)
        self.view = EvaluationView(context, self.board)
        self.view.stop.clicked.connect(self.actions_of_job.stop)
        self.view.resume_wanted.connect(self.actions_of_job.resume)
        self.view.state_changed.connect(self.actions_of_job.show_job)
        self.view.leaderboard.compare_wanted.connect(self.compare)
        self.view.leaderboard.opened.connect(self.open_result)
        menu = QMenu(self.view.result)
        menu.aboutToShow.connect(lambda: self.actions_of_job.fill(menu))
        self.view.result.setMenu(menu)
        empty = EmptyState(
            theme,
            "target",
            "Nothing was evaluated yet. Choose a model and a suite of problems, and its answers are judged by Go.",
            action=("Evaluate…", lambda: self.open_dialog()),
        )
        self.failures = FailuresPanel(context)
        self.failures.topic_chosen.connect(self._on_topic_chosen)
        self.generations = GenerationsView(context)
        self.view.add_tab("evaluationFailures", "Failures", self.failures)
        self.view.add_tab("evaluationGenerations", "Generations", self.generations)
        self.view.evaluation_changed.connect(self._on_evaluation_changed)
        self._pane = JobsPane(self.jobs, self.view, empty, state="evaluation/splitter")
        self.body.addWidget(self._pane, 1)
        self._bind()
        context.jobs.updated.connect(self._on_jobs_updated)
        context.to_evaluation.made.connect(lambda _model: self._take_request())
        self._on_jobs_updated()
        self._take_request()

    def _bind(self) -> None:
        bind, view = self.context.commands.bind, self.view
        bind("evaluation.new", self, lambda: self.open_dialog())
        bind("evaluation.suites", self, self.open_suites)
        bind("evaluation.filter", self, self._filter)
        bind("evaluation.failed", self, self._failed_only)
        bind("evaluation.compare", self, self._compare)
        bind("evaluation.leaderboard", self, lambda: view.tabs.open(view.leaderboard))

    def save_state(self, state: QSettings) -> None:
        self._pane.save_state(state)

    def compare(self, key: str, other: str) -> None:
        """Show what this result has on the other one."""
        if self.context.jobs.job(key) is not None:
            self.jobs.select(key)
        self.view.compare(key, other)

    def open_result(self, key: str) -> None:
        """Show an evaluation, or the run that a point is of."""
        entry = self.board.entry(key)
        if entry is not None and entry.key != entry.job:
            self.context.to_run.make(entry.job)
        else:
            self.jobs.select(key)

    def _on_evaluation_changed(self) -> None:
        found = self.view.evaluation
        self.failures.show_evaluation(found, self.view.job)
        if found is not None:
            self.generations.show_suite(found.origin.suite, found.origin.mode)

    def _on_topic_chosen(self, topic: str) -> None:
        self.view.problems.narrow("topic", topic)
        self.view.tabs.open(self.view.problems)

    def _filter(self) -> None:
        self.view.tabs.open(self.view.problems)
        self.view.problems.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _failed_only(self) -> None:
        self.view.tabs.open(self.view.problems)
        self.view.problems.failed.toggle()

    def _compare(self) -> None:
        """The two that are selected in the leaderboard when it is in front, else this one with another."""
        if self.view.tabs.page is self.view.leaderboard:
            self.view.leaderboard.compare()
        else:
            self.view.tabs.open(self.view.comparison)

    # --- jobs --------------------------------------------------------------------------------------------------

    def _on_jobs_updated(self) -> None:
        found = [job for job in self.context.jobs.jobs if job.kind in KINDS]
        self._pane.set_empty(not found)
        self.header.set_detail(summary("evaluation", len(found), sum(job.alive for job in found)))
        self.jobs.set_rows([evaluation_row(job, self._standing(job)) for job in found])
        if not found:
            self.actions_of_job.show_job(None)
        self._tell_ends(found)
        seen = self.view.state
        now = self.context.jobs.job(seen.id) if seen is not None else None
        if seen is not None and now is not None and now.state != seen.state:
            self.view.refresh()

    def _tell_ends(self, found: list[JobInfo]) -> None:
        """A word about those that have come to their end while another page is in front; this one says so itself."""
        for job in found:
            if job.id in self._at_work and not job.alive and not self.isVisible():
                at = self._standing(job)
                number = f", pass@1 {words.percent(at.pass_at_1)}" if at.pass_at_1 is not None else ""
                said = f"{job.title}: {STATES[job.state].lower()}{number}"
                self.context.notice(said, "Show", partial(self._show, job.id))
        self._at_work = frozenset(job.id for job in found if job.alive)

    def _show(self, job_id: str) -> None:
        self.context.page_wanted.emit("evaluation")
        self.jobs.select(job_id)

    def _on_job_selected(self, job_id: str) -> None:
        self.view.show_job(JobFolder(self.context.workspace.jobs / job_id))

    def _on_job_started(self, job_id: str) -> None:
        self.jobs.select(job_id)
        self.context.jobs.refresh()

    def _look(self) -> None:
        self.view.refresh()
        self.context.jobs.refresh()

    def _on_menu_requested(self, place: QPoint) -> None:
        if self.jobs.indexAt(place).isValid():
            self.actions_of_job.pop_up(self.jobs.viewport().mapToGlobal(place))

    # --- the dialog --------------------------------------------------------------------------------------------

    def _take_request(self) -> None:
        if (model := self.context.to_evaluation.take()) is not None:
            self.open_dialog(model)

    def open_dialog(self, model: str = "") -> None:
        """Ask what is to be evaluated, beginning with what was asked last. model: a name or path as `core.models.resolve` takes it."""
        if self.dialog.came_forward():
            return
        newest = next((job for job in self.context.jobs.jobs if job.kind in KINDS), None)
        dialog = EvaluateDialog(self.context, model, newest, self)
        dialog.job_started.connect(self._on_job_started)
        self.dialog.open(dialog)

    def open_suites(self) -> None:
        """Open the window of suites."""
        if self.suites.came_forward():
            return
        from app.evaluation.suites import SuitesDialog  # late: built when it is first asked for

        self.suites.open(SuitesDialog(self.context, self))
