"""One job of a teacher's: where it stands in numbers, its course, what came to nothing, its log, its plan."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.context import AppContext
from app.teacher import words
from app.teacher.facts_row import FactsRow
from app.teacher.job_charts import JobCharts
from app.teacher.job_feed import Counted, JobFeed
from app.teacher.plan_view import PlanView
from app.teacher.rates_view import RatesView
from app.teacher.trouble_view import TroubleView
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.jobs.job_head import JobHead
from app.widgets.jobs.job_row import RESUMABLE
from app.widgets.log_view import LogView
from core.errors import UserError
from core.jobs import JobFolder, JobInfo
from core.teacher import statistics
from core.teacher.pace import Course

TABS = ("Progress", "Troubles", "Log", "Plan")
_RATES_EVERY = 10.0
"""Seconds between two countings of all that teachers ever made."""
_WORDS = {"Troubles": "Refused and failed"}


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
        self._told: tuple[str, str] | None = None
        self._other = True
        self._rated = -_RATES_EVERY
        self.state: JobInfo | None = None
        self.course: Course | None = None
        self.feed = JobFeed(context, self)
        self.feed.looked.connect(self._on_looked)
        self.feed.counted.connect(self._on_counted)
        self._head = JobHead(name="teacherState")
        self._add_buttons()
        self.banner = Banner(theme, name="teacherBanner")
        self.facts = FactsRow()
        self.charts = JobCharts(theme)
        self.troubles = TroubleView(theme)
        self.troubles.retry_wanted.connect(self.retry_wanted)
        self.rates = RatesView(theme)
        self.rates.recipe_chosen.connect(lambda name: self.samples_wanted.emit(f"tag:{name}"))
        self.log = LogView()
        self.plan = PlanView(theme)
        self._stack = QStackedWidget()
        for page in (self._progress(), self.troubles, self.log, self.plan):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 20, 14)
        column.setSpacing(8)
        column.addWidget(self._head)
        column.addWidget(self.banner)
        column.addWidget(self.facts)
        column.addLayout(self._tab_row())
        column.addWidget(self._stack, 1)

    def _progress(self) -> QWidget:
        """Charts, and the recipes compared below them; it scrolls where there is no room for both."""
        inner = QWidget()
        inner.setProperty("kind", "page")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.charts, 1)
        column.addWidget(self.rates)
        column.addStretch(0)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName("Course of the job")
        scroll.setWidget(inner)
        return scroll

    def _add_buttons(self) -> None:
        theme = self._context.theme
        self.show_samples = Button(
            "Show samples", theme, icon="table", name="teacherShowSamples", tip="The samples that this job made, in the table"
        )  # fmt: skip
        self.stop = Button(
            "Stop", theme, icon="stop", name="teacherStop", tip="Stops asking; Resume goes on from there."
        )
        self.resume = Button(
            "Resume…", theme, icon="play", name="teacherResume", tip="Goes on where it was; nothing is paid for twice"
        )  # fmt: skip
        for button in (self.show_samples, self.stop, self.resume):
            self._head.add(button)
        self.resume.clicked.connect(self.resume_wanted)
        self.show_samples.clicked.connect(self._on_show_samples)

    def _tab_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        self._tabs = QButtonGroup(self)
        for place, name in enumerate(TABS):
            button = Button(_WORDS.get(name, name), self._context.theme, kind="segment", name=f"teacher{name}")
            button.setCheckable(True)
            button.setChecked(place == 0)
            self._tabs.addButton(button, place)
            row.addWidget(button)
        row.addStretch(1)
        self._tabs.idClicked.connect(self._on_tab_chosen)
        return row

    def show_job(self, folder: JobFolder) -> None:
        """Show this job from now on."""
        if self.feed.folder == folder:
            return
        self._told = self.state = self.course = None
        self._other = True
        self.banner.clear()
        self._head.wait()
        self.troubles.restart()
        self.log.set_path(folder.log)
        self.plan.show_plan("", "")
        self.feed.show(folder)

    def refresh(self) -> None:
        """Look again, at once and from now on: something was asked of the job."""
        if self.isVisible():
            self.feed.go_on()

    def _on_show_samples(self) -> None:
        if self.feed.folder is not None:
            self.samples_wanted.emit(f"job:{self.feed.folder.id}")

    def _on_tab_chosen(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self._follow()

    def _on_looked(self, state: JobInfo, course: Course) -> None:
        self.state, self.course = state, course
        doing = (
            course.message if state.state == "running" and not course.standing.done and course.message else state.title
        )
        self._head.show_job(state, words.STATES[state.state], doing)
        self.facts.show_course(course, running=state.state == "running")
        self.charts.show_course(course, other=self._other)
        self._other = False
        self.stop.setVisible(state.alive)
        self.stop.setText("Stop now" if state.state == "stopping" else "Stop")
        self.resume.setVisible(state.state in RESUMABLE)
        self._tell(state)
        self._follow()
        self.state_changed.emit(state)

    def _on_counted(self, found: Counted) -> None:
        self.facts.show_reviews(found.reviews)
        self.troubles.add(found.troubles)
        self.show_samples.setEnabled(found.reviews.samples > 0)
        self._count_rates()

    def _tell(self, state: JobInfo) -> None:
        if self._told == (state.state, state.message):
            return
        self._told = (state.state, state.message)
        if not state.alive:
            self._count_rates()
        again = [("Resume…", self.resume_wanted.emit)] if state.state in RESUMABLE else []
        if state.state in ("failed", "interrupted") or state.silent:
            self.banner.say(str(UserError(state.message, state.hint)), "bad", again)
        elif state.state == "stopped":
            self.banner.say(f"{state.message or 'Paused.'} {state.hint}".strip(), "warn", again)
        else:
            self.banner.clear()

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
        page = self._stack.currentWidget()
        if folder is None:
            return
        if page is self.log:
            self.log.follow()
        elif page is self.plan and not self.plan.text.toPlainText():
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
