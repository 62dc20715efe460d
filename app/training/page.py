"""The Training page: the runs of the workspace at the left, the chosen one at the right, a dialog to start another.

The page owns no run: it lists folders, asks a run to stop by writing into its folder, and may be closed at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.context import AppContext
from app.pages import Page
from app.training.launch.run_dialog import RunDialog
from app.training.lease_strip import LeaseStrip
from app.training.run_actions import RunActions
from app.training.run_rows import reading_order, run_row
from app.training.run_view import RunView
from app.widgets.buttons import Button
from app.widgets.empty import EmptyState
from app.widgets.jobs.job_memo import JobMemo
from app.widgets.jobs.jobs_list import JobsList
from app.widgets.jobs.jobs_pane import JobsPane, summary
from app.widgets.only_dialog import OnlyDialog
from core.errors import UserError
from core.jobs import JobFolder, JobInfo
from core.training import launch
from core.training.machine import look
from core.training.metrics import sparkline

STOP_TIP = "Pause: saves a checkpoint and stops. Resume goes on from there."


class TrainingPage(Page):
    """Everything about runs."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Training")
        self.dialog: OnlyDialog[RunDialog] = OnlyDialog()
        self._spark: JobMemo[tuple[float, ...]] = JobMemo(lambda job: sparkline(job.folder.events))
        theme = context.theme
        self._gpus = 0
        self.actions_of_run = RunActions(context, self)
        self.actions_of_run.commands.acted.connect(self._look)
        self.actions_of_run.commands.failed.connect(self._on_problem)
        self.actions_of_run.clone_wanted.connect(self._on_clone_wanted)
        self._stop = Button("Stop", theme, icon="stop", name="runStop", tip=STOP_TIP)
        self._stop.clicked.connect(self.actions_of_run.stop)
        self._stop.setEnabled(False)
        self._more = Button("More", theme, icon="caret-down", name="runMore", tip="What to do with the chosen run")
        self._more.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow of a menu stands at the right
        menu = QMenu(self._more)
        menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # not the button's
        menu.aboutToShow.connect(lambda: self.actions_of_run.fill(menu))
        self._more.setMenu(menu)
        self._more.setEnabled(False)
        self._new = Button("New run…", theme, icon="plus", kind="primary", name="newRun")
        self._new.clicked.connect(lambda: self.open_dialog(None))
        self.header.add(self._stop)
        self.header.add(self._more)
        self.header.add(self._new)
        self.runs = JobsList(theme, name="runsList", title="Runs")
        self.runs.job_selected.connect(self._on_run_selected)
        self.runs.move_wanted.connect(self.actions_of_run.move)
        self.runs.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.runs.customContextMenuRequested.connect(self._on_menu_requested)
        self.leases = LeaseStrip()
        self.view = RunView(theme, context.tasks)
        self.view.resume_requested.connect(self._on_resume)
        self.view.checkpoint_chosen.connect(self._on_checkpoint_chosen)
        self.view.evaluation_wanted.connect(context.to_evaluation.make)
        self.view.samples_wanted.connect(context.to_samples.make)
        self.view.state_changed.connect(self._on_state_changed)
        empty = EmptyState(
            theme,
            icon="chart-line",
            sentence="No runs yet. Accept some samples, freeze them into a snapshot, and train on it.",
            action=("New run…", lambda: self.open_dialog(None)),
        )
        self._pane = JobsPane(self._left(), self.view, empty, state="training/splitter")
        self.body.addWidget(self._pane, 1)
        context.jobs.updated.connect(self._on_jobs_updated)
        context.to_training.made.connect(lambda _query: self._take_request())
        context.to_run.made.connect(lambda _job_id: self._take_request())
        self._on_jobs_updated()
        context.tasks.run(look, lambda machine: self._on_gpus_counted(machine.gpus), owner=self)
        self._take_request()

    def save_state(self, state: QSettings) -> None:
        self._pane.save_state(state)

    def _left(self) -> QWidget:
        side = QWidget()
        side.setMinimumWidth(180)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.runs, 1)
        column.addWidget(self.leases)
        return side

    def _take_request(self) -> None:
        job_id = self.context.to_run.take()
        if job_id is not None:
            self.runs.select(job_id)
        query = self.context.to_training.take()
        if query is not None:
            self.open_dialog(query)

    def open_dialog(self, query: str | None, *, cloned: Mapping[str, Any] | None = None) -> None:
        """Open the launch dialog, on the samples a search finds or, with None, on a snapshot to be chosen.

        cloned: what was asked of a run that the new one shall be like, as in its job.json.
        """
        if self.dialog.came_forward():
            return
        dialog = RunDialog(self.context, query, self, cloned=cloned)
        dialog.run_started.connect(self._on_run_started)
        self.dialog.open(dialog)

    def _on_run_started(self, job_id: str) -> None:
        self.runs.select(job_id)
        self.context.jobs.refresh()

    def _on_jobs_updated(self) -> None:
        found = [job for job in self.context.jobs.jobs if job.kind == "train"]
        self._pane.set_empty(not found)
        self.header.set_detail(summary("run", len(found), sum(job.alive for job in found)))
        self.runs.set_rows([run_row(job, self._spark(job)) for job in reading_order(found)])
        self.leases.show_jobs(self.context.jobs.jobs, self._gpus)
        chosen = self.view.feed.folder
        self._offer(self.context.jobs.job(chosen.id) if chosen is not None else None)

    def _on_gpus_counted(self, gpus: int) -> None:
        self._gpus = gpus
        self.leases.show_jobs(self.context.jobs.jobs, gpus)

    def _on_run_selected(self, job_id: str) -> None:
        self.view.show_run(JobFolder(self.context.workspace.jobs / job_id))

    def _on_state_changed(self, run: JobInfo) -> None:
        self._offer(run)

    def _offer(self, run: JobInfo | None) -> None:
        """Buttons and commands for this run, None for no run."""
        waiting = sum(job.place is not None for job in self.context.jobs.jobs)
        self.actions_of_run.show_run(run, waiting)
        self._stop.setEnabled(run is not None and run.alive)
        self._stop.setText("Stop now" if run is not None and run.state == "stopping" else "Stop")
        self._more.setEnabled(run is not None)

    def _on_menu_requested(self, place: QPoint) -> None:
        if self.runs.indexAt(place).isValid():
            self.actions_of_run.pop_up(self.runs.viewport().mapToGlobal(place))

    def _on_clone_wanted(self, request: Mapping[str, Any]) -> None:
        self.open_dialog(None, cloned=request)

    def _on_resume(self, folder: JobFolder) -> None:
        self.context.tasks.run(lambda: launch.resume(folder), lambda _none: self._look(), self._on_problem, owner=self)

    def _look(self) -> None:
        self.view.feed.go_on()
        self.context.jobs.refresh()

    def _on_problem(self, error: UserError) -> None:
        self.banner.problem(error)

    def _on_checkpoint_chosen(self, path: str) -> None:
        self.context.to_playground.make(path)
