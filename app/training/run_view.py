"""One run: where it stands in a sentence, its curves, its answers, its log, its settings and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QStackedWidget, QVBoxLayout, QWidget

from app.tasks import TaskRunner
from app.theme import Theme
from app.training.answers_view import AnswersView
from app.training.charts.charts_view import ChartsView
from app.training.charts.difference_table import DifferenceTable
from app.training.details_view import DetailsView
from app.training.run_feed import RunFeed
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.jobs.job_row import RESUMABLE, STATES
from app.widgets.jobs.job_status import JobStatus
from app.widgets.log_view import LogView
from app.widgets.progress import duration
from core.errors import UserError
from core.jobs import JobFolder, JobInfo
from core.jobs.folder import read_job
from core.training import answers
from core.training.metrics import RunMetrics

TABS = ("Charts", "Answers", "Log", "Settings", "Differences")
SMOOTH = 20
"""Steps the loss in the sentence is the mean of."""


class RunView(QWidget):
    """Shows the run it was given last, live.

    Signals: resume_requested(JobFolder); checkpoint_chosen(path); evaluation_wanted(path of a model); samples_wanted(text), a search for what it was trained on;
    state_changed(JobInfo), after every look at the run.
    """

    resume_requested = Signal(object)
    checkpoint_chosen = Signal(str)
    evaluation_wanted = Signal(str)
    samples_wanted = Signal(str)
    state_changed = Signal(object)

    def __init__(self, theme: Theme, tasks: TaskRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._metrics: RunMetrics | None = None
        self._told: tuple[str, str] | None = None
        self.feed = RunFeed(tasks, self)
        self.feed.opened.connect(self._on_opened)
        self.feed.updated.connect(self._on_updated)
        self._status = JobStatus(name="runState")
        self._add_tabs(theme)
        self._banner = Banner(theme, name="runBanner")
        self.charts = ChartsView(theme, tasks)
        self.charts.compared.connect(self._on_compared)
        self.charts.exported.connect(lambda text: self._banner.say(text))
        self.charts.failed.connect(lambda error: self._banner.problem(error))
        self.answers = AnswersView(theme)
        self.log = LogView()
        self.details = DetailsView(theme)
        self.details.checkpoint_chosen.connect(self.checkpoint_chosen)
        self.details.evaluation_wanted.connect(self.evaluation_wanted)
        self.details.samples_wanted.connect(self.samples_wanted)
        self.details.copied.connect(lambda text: self._banner.say(text))
        self.differences = DifferenceTable(theme)
        self._stack = QStackedWidget()
        for page in (self.charts, self.answers, self.log, self.details, self.differences):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 20, 14)
        layout.setSpacing(8)
        layout.addWidget(self._status)
        layout.addWidget(self._banner)
        layout.addWidget(self._stack, 1)

    def _add_tabs(self, theme: Theme) -> None:
        self._tabs = QButtonGroup(self)
        for place, text in enumerate(TABS):
            button = Button(text, theme, kind="segment", name=f"run{text}")
            button.setCheckable(True)
            button.setChecked(place == 0)
            self._tabs.addButton(button, place)
            self._status.add(button)
            button.setHidden(text in ("Answers", "Differences"))
        self._tabs.idClicked.connect(self._on_tab_chosen)

    def show_run(self, folder: JobFolder) -> None:
        """Show this run from now on."""
        if self.feed.folder != folder:
            self._told = None
            self._banner.clear()
            self._status.wait()
            self.log.set_path(folder.log)
        self.feed.show(folder)

    def _on_tab_chosen(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self._follow()

    def _on_opened(self, metrics: RunMetrics) -> None:
        self._metrics = metrics
        if self.feed.folder is not None:
            self.charts.set_run(self.feed.folder, read_job(self.feed.folder), metrics)

    def _on_compared(self, runs: tuple[tuple[str, int, Mapping[str, Any]], ...]) -> None:
        self.differences.set_runs(runs)
        self._offer("Differences", len(runs) > 1)

    def _offer(self, tab: str, there: bool) -> None:
        """A tab is there as long as it has something to show."""
        place = TABS.index(tab)
        self._tabs.button(place).setVisible(there)
        if not there and self._stack.currentIndex() == place:
            self._tabs.button(0).click()

    def _on_updated(self, run: JobInfo) -> None:
        self._status.show_job(run, STATES[run.state], self._facts_of(run))
        self._tell(run)
        self._follow()
        self.state_changed.emit(run)

    def _facts_of(self, run: JobInfo) -> str:
        facts = []
        if run.step is not None:
            facts.append(f"step {run.step:,} of {run.total:,}" if run.total else f"step {run.step:,}")
        if self._metrics is not None:
            loss, speed = self._metrics.newest("loss", SMOOTH), self._metrics.newest("tokens_per_second")
            if loss is not None:
                facts.append(f"loss {loss:.3f}")
            if run.alive and speed is not None:
                facts.append(f"{speed:,.0f} tokens/s")
            left = self._metrics.seconds_left(run.total)
            if run.state == "running" and left is not None:
                facts.append(f"{duration(left)} left")
            elif run.state == "running" and loss is None and self._metrics.message:
                facts.append(self._metrics.message)
        if run.state == "queued":
            facts.append(run.message or "waiting for another run to end")
        return " · ".join(facts)

    def _tell(self, run: JobInfo) -> None:
        if self._told == (run.state, run.message):
            return
        self._told = (run.state, run.message)
        if run.state in ("failed", "interrupted") or run.silent:
            folder = run.folder
            actions = [("Resume", lambda: self.resume_requested.emit(folder))] if run.state in RESUMABLE else []
            self._banner.problem(UserError(run.message, run.hint), actions)
        elif run.state == "stopped":
            folder = run.folder
            self._banner.say(
                run.message or "Stopped; what it had learned is saved.",
                actions=[("Resume", lambda: self.resume_requested.emit(folder))],
            )
        else:
            self._banner.clear()

    def _follow(self) -> None:
        """Bring the visible tab up to date; the others wait until they are chosen."""
        folder = self.feed.folder
        if folder is None:
            return
        exams = answers.listed(folder.output)
        self._offer("Answers", bool(exams))
        page = self._stack.currentWidget()
        if page is self.charts:
            self.charts.schedule()
        elif page is self.answers:
            self.answers.show_exams(exams)
        elif page is self.log:
            self.log.follow()
        elif page is self.details:
            self.details.show_run(read_job(folder).request, folder.output)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.feed.go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.feed.pause()
