"""One job of a teacher's: where it stands in numbers, its course, what came to nothing."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.teacher import job_facts
from app.teacher.job_charts import JobCharts
from app.teacher.job_frame import JobFrame, JobKind
from app.teacher.rates_view import RatesView
from app.teacher.trouble_view import TroubleView
from app.widgets.facts_row import FactsRow
from app.widgets.jobs.job_tabs import scrolled
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
    """Shows the job it was given last, live. Attributes: frame, charts, troubles, rates, course.

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
        self.course: Course | None = None
        self.charts = JobCharts(theme)
        self.troubles = TroubleView(theme)
        self.troubles.retry_wanted.connect(self.retry_wanted)
        self.rates = RatesView(theme)
        self.rates.recipe_chosen.connect(lambda name: self.samples_wanted.emit(f"tag:{name}"))
        progress = scrolled(((self.charts, 1), (self.rates, 0)), "Course of the job")
        self.frame = JobFrame(
            context,
            _KIND,
            FactsRow(job_facts.FACTS, name="teacherFacts", says="Where the job stands"),
            (
                ("teacherProgress", "Progress", progress),
                ("teacherTroubles", "Refused and failed", self.troubles),
            ),
        )
        self.frame.looked.connect(self._on_looked)
        self.frame.counted.connect(self._on_counted)
        self.frame.resume_wanted.connect(self.resume_wanted)
        self.frame.samples_wanted.connect(self.samples_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.frame)

    def show_job(self, folder: JobFolder) -> None:
        """Show this job from now on."""
        if self.frame.show_job(folder):
            self.course = None
            self._other = True
            self.troubles.restart()

    def _on_looked(self, state: JobInfo, course: Course, news: bool) -> None:
        self.course = course
        self.frame.facts.show_facts(job_facts.of_course(course, running=state.state == "running"))
        self.charts.show_course(course, other=self._other)
        self._other = False
        if news and not state.alive:
            self._count_rates()
        self.state_changed.emit(state)

    def _on_counted(self, found: Counted) -> None:
        self.frame.facts.show_facts(job_facts.of_reviews(found.reviews))
        self.troubles.add(found.troubles)
        self.frame.head.show_samples.setEnabled(found.reviews.samples > 0)
        self._count_rates()

    def _count_rates(self) -> None:
        """Over all jobs, hence not at every sample: seldom while a job runs, and once it has ended."""
        now = time.monotonic()
        alive = self.frame.state is not None and self.frame.state.alive
        if alive and now - self._rated < _RATES_EVERY:
            return
        self._rated = now
        self._context.tasks.run_query(statistics.by_recipe, self.rates.show_rates, owner=self)


def _count(connection: sqlite3.Connection, folder: JobFolder, after: int) -> tuple[Counted, int]:
    found = statistics.troubles(connection, folder.id, after)
    counted = Counted(statistics.reviews(connection, folder.id), tuple(found))
    return counted, found[-1].place if found else after


def _about(asked: dict[str, Any]) -> str:
    recipe = asked["recipe"]
    facts = f"recipe {recipe['name']} {recipe['version']}{', your copy' if recipe['own'] else ''} · Go {asked['go']}"
    if evaluation := asked["plan"].get("evaluation"):
        facts += f" · answers {evaluation}"
    if numbers := asked.get("numbers"):
        facts += f" · only {', '.join(map(str, numbers[:12]))}{' …' if len(numbers) > 12 else ''} of {asked['again']}"
    return facts


_KIND = JobKind(
    "teacher",
    "The samples that this job made, in the table",
    lambda folder: Pace(folder.events).poll,
    _count,
    _about,
)
