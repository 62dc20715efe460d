"""The Training page: the runs of the workspace at the left, the chosen one at the right, a dialog to start another.

The page owns no run: it lists folders, asks a run to stop by writing into its folder, and may be closed at any time.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QSplitter, QStackedWidget

from app.context import AppContext
from app.pages import Page
from app.training.run_dialog import RunDialog
from app.training.run_view import RunView
from app.training.runs_list import RunRow, RunsList
from app.widgets.buttons import Button
from app.widgets.empty import EmptyState
from core.errors import UserError
from core.jobs import JobFolder, JobInfo, stop
from core.training import launch
from core.training.metrics import sparkline


class TrainingPage(Page):
    """Everything about runs."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Training")
        self._dialog: RunDialog | None = None
        self._sparks: dict[str, tuple[object, tuple[float, ...]]] = {}
        theme = context.theme
        self._stop = Button("Stop", theme, icon="stop", name="runStop", tip="Save a checkpoint and stop this run")
        self._stop.clicked.connect(self._on_stop)
        self._stop.setEnabled(False)
        self._new = Button("New run…", theme, icon="plus", kind="primary", name="newRun")
        self._new.clicked.connect(lambda: self.open_dialog(None))
        self.header.add(self._stop)
        self.header.add(self._new)
        self.runs = RunsList(theme)
        self.runs.run_selected.connect(self._on_run_selected)
        self.view = RunView(theme, context.tasks)
        self.view.resume_requested.connect(self._on_resume)
        self.view.checkpoint_chosen.connect(self._on_checkpoint_chosen)
        self.view.state_changed.connect(self._on_state_changed)
        self._splitter = QSplitter()
        self._splitter.addWidget(self.runs)
        self._splitter.addWidget(self.view)
        self._splitter.setSizes([230, 820])
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self.runs.setMinimumWidth(180)
        self._empty = EmptyState(
            theme,
            icon="chart-line",
            sentence="No runs yet. Accept some samples, freeze them into a snapshot, and train on it.",
            action=("New run…", lambda: self.open_dialog(None)),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._splitter)
        self.body.addWidget(self._stack, 1)
        context.jobs.updated.connect(self._on_jobs_updated)
        context.training_wanted.connect(lambda _query: self._take_request())
        self._on_jobs_updated()
        self._take_request()

    def _take_request(self) -> None:
        query = self.context.take_training_request()
        if query is not None:
            self.open_dialog(query)

    def open_dialog(self, query: str | None) -> None:
        """Open the launch dialog, on the samples a search finds or, with None, on a snapshot to be chosen."""
        if self._dialog is not None:
            self._dialog.raise_()
            return
        self._dialog = RunDialog(self.context, query, self)
        self._dialog.run_started.connect(self._on_run_started)
        self._dialog.finished.connect(self._on_dialog_finished)
        self._dialog.open()

    def _on_dialog_finished(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None

    def _on_run_started(self, job_id: str) -> None:
        self.runs.select(job_id)
        self.context.jobs.refresh()

    def _on_jobs_updated(self) -> None:
        found = [job for job in self.context.jobs.jobs if job.kind == "train"]
        self._stack.setCurrentWidget(self._splitter if found else self._empty)
        self.header.set_detail(_summary(found))
        self.runs.set_rows([RunRow(job, self._spark(job)) for job in found])

    def _spark(self, job: JobInfo) -> tuple[float, ...]:
        """The course of the loss in some 40 points; read again only when the run has moved on."""
        key = (job.state, job.step)
        known = self._sparks.get(job.id)
        if known is None or known[0] != key:
            known = self._sparks[job.id] = (key, sparkline(job.folder.events))
        return known[1]

    def _on_run_selected(self, job_id: str) -> None:
        self.view.show_run(JobFolder(self.context.workspace.jobs / job_id))

    def _on_state_changed(self, run: JobInfo) -> None:
        self._stop.setEnabled(run.alive)
        self._stop.setText("Stop now" if run.state == "stopping" else "Stop")

    def _on_stop(self) -> None:
        folder = self.view.feed.folder
        if folder is not None:
            self._run(lambda: stop(folder))

    def _on_resume(self, folder: JobFolder) -> None:
        self._run(lambda: launch.resume(folder))

    def _run(self, function: Callable[[], object]) -> None:
        """Off the GUI thread, since starting a supervisor takes some 50 ms; then look again."""
        self.context.tasks.run(function, lambda _result: self._look(), self._on_problem, owner=self)

    def _look(self) -> None:
        self.view.feed.go_on()
        self.context.jobs.refresh()

    def _on_problem(self, error: UserError) -> None:
        self.banner.problem(error)

    def _on_checkpoint_chosen(self, path: str) -> None:
        self.context.open_playground(path)


def _summary(runs: list[JobInfo]) -> str:
    if not runs:
        return ""
    live = sum(run.alive for run in runs)
    return f"{len(runs):,} run{'s' if len(runs) != 1 else ''}" + (f" · {live} live" if live else "")
