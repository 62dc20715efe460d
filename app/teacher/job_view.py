"""One job of a teacher's: where it stands in numbers, its course, what came to nothing, its log, its plan."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.teacher import job_facts
from app.teacher.actions import samples_of
from app.teacher.facts_row import FactsRow
from app.teacher.job_charts import JobCharts
from app.teacher.job_feed import JobFeed
from app.teacher.job_head import JobHead
from app.teacher.job_tabs import JobTabs, scrolled
from app.teacher.plan_view import PlanView
from app.teacher.rates_view import RatesView
from app.teacher.trouble_view import TroubleView
from app.widgets.log_view import LogView
from core.jobs import JobFolder, JobInfo
from core.teacher import statistics
from core.teacher.pace import Course, Pace
from core.teacher.statistics import Reviews, Trouble

_RATES_EVERY = 10.0
"""Seconds between two countings of all that teachers ever made."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the workspace holds of a job. troubles: those that came since the last time."""

    reviews: Reviews
    troubles: tuple[Trouble, ...]


class JobView(QWidget):
    """Shows the job it was given last, live.

    Signals: resume_wanted(), samples_wanted(search), retry_wanted(numbers); state_changed(JobInfo), after every look.
    """

    resume_wanted = Signal()
    samples_wanted = Signal(str)
    retry_wanted = Signal(object)
    state_changed = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = context.theme
        self._context = context
        self._other = True
        self._rated = -_RATES_EVERY
        self.state: JobInfo | None = None
        self.course: Course | None = None
        self.feed = JobFeed(context, lambda folder: Pace(folder.events).poll, _count, self)
        self.feed.looked.connect(self._on_looked)
        self.feed.counted.connect(self._on_counted)
        self._head = JobHead(theme, "teacher", "The samples that this job made, in the table")
        self._head.resume_wanted.connect(self.resume_wanted)
        self._head.show_samples.clicked.connect(self._on_show_samples)
        self.stop = self._head.stop
        self.banner = self._head.banner
        self.facts = FactsRow(job_facts.FACTS, name="teacherFacts", says="Where the job stands")
        self.charts = JobCharts(theme)
        self.troubles = TroubleView(theme)
        self.troubles.retry_wanted.connect(self.retry_wanted)
        self.rates = RatesView(theme)
        self.rates.recipe_chosen.connect(lambda name: self.samples_wanted.emit(f"tag:{name}"))
        self.log = LogView()
        self.plan = PlanView(theme, name="teacherPlan")
        self._tabs = JobTabs(
            theme,
            (
                ("teacherProgress", "Progress", scrolled(((self.charts, 1), (self.rates, 0)), "Course of the job")),
                ("teacherTroubles", "Refused and failed", self.troubles),
                ("teacherLog", "Log", self.log),
                ("teacherPlan", "Plan", self.plan),
            ),
        )
        self._tabs.chosen.connect(self._follow)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 20, 14)
        column.setSpacing(8)
        column.addWidget(self._head)
        column.addWidget(self.facts)
        column.addWidget(self._tabs, 1)

    def show_job(self, folder: JobFolder) -> None:
        """Show this job from now on."""
        if self.feed.folder == folder:
            return
        self.state = self.course = None
        self._other = True
        self._head.restart()
        self.troubles.restart()
        self.log.set_path(folder.log)
        self.plan.show_plan("", "")
        self.feed.show(folder)

    def refresh(self) -> None:
        """Look again, at once and from now on: something was asked of the job."""
        if self.isVisible():
            self.feed.go_on()

    def _on_show_samples(self) -> None:
        if self.state is not None:
            self.samples_wanted.emit(samples_of(self.state))

    def _on_looked(self, state: JobInfo, course: Course) -> None:
        self.state, self.course = state, course
        running = state.state == "running"
        news = self._head.show_state(state, course.message if running and not course.standing.done else "")
        self.facts.show_facts(job_facts.of_course(course, running=running))
        self.charts.show_course(course, other=self._other)
        self._other = False
        if news and not state.alive:
            self._count_rates()
        self._follow()
        self.state_changed.emit(state)

    def _on_counted(self, found: Counted) -> None:
        self.facts.show_facts(job_facts.of_reviews(found.reviews))
        self.troubles.add(found.troubles)
        self._head.show_samples.setEnabled(found.reviews.samples > 0)
        self._count_rates()

    def _count_rates(self) -> None:
        """Over all jobs, hence not at every sample: seldom while a job runs, and once it has ended."""
        now = time.monotonic()
        alive = self.state is not None and self.state.alive
        if alive and now - self._rated < _RATES_EVERY:
            return
        self._rated = now
        self._context.tasks.run_query(statistics.by_recipe, self.rates.show_rates, owner=self)

    def _follow(self) -> None:
        """Bring the tab in front up to date; the others wait until they are chosen."""
        folder = self.feed.folder
        if folder is None:
            return
        if self._tabs.page is self.log:
            self.log.follow()
        elif self._tabs.page is self.plan and not self.plan.text.toPlainText():
            self._context.tasks.run(lambda: _plan_of(folder), lambda found: self._show_plan(folder, *found), owner=self)

    def _show_plan(self, folder: JobFolder, text: str, facts: str) -> None:
        if folder == self.feed.folder:
            self.plan.show_plan(text, facts)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.feed.go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.feed.pause()


def _count(connection: sqlite3.Connection, folder: JobFolder, after: int) -> tuple[Counted, int]:
    found = statistics.troubles(connection, folder.id, after)
    counted = Counted(statistics.reviews(connection, folder.id), tuple(found))
    return counted, found[-1].place if found else after


def _plan_of(folder: JobFolder) -> tuple[str, str]:
    """The plan as TOML, as it is asked now, and what there is to say of it."""
    import tomli_w

    from core.jobs.folder import read_job

    asked = read_job(folder).request
    recipe = asked["recipe"]
    facts = f"{folder.id} · recipe {recipe['name']} {recipe['version']}{', your copy' if recipe['own'] else ''} · Go {asked['go']}"
    if numbers := asked.get("numbers"):
        facts += f" · only {', '.join(map(str, numbers[:12]))}{' …' if len(numbers) > 12 else ''} of {asked['again']}"
    return tomli_w.dumps(asked["plan"]), facts
