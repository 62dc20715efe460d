"""One job of a judge's: where it stands in numbers, how far it agrees with the reviewers, what failed, its log, its plan."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.teacher import judge_facts
from app.teacher.actions import samples_of
from app.teacher.agreement_view import AgreementView
from app.teacher.facts_row import FactsRow
from app.teacher.job_feed import JobFeed
from app.teacher.job_head import JobHead
from app.teacher.job_tabs import JobTabs
from app.teacher.plan_view import PlanView
from app.teacher.sample_list import Entry, Heading, SampleList
from app.widgets.labels import section
from app.widgets.log_view import LogView
from core.jobs import JobFolder, JobInfo
from core.jobs.folder import read_job
from core.teacher.judging import agreement
from core.teacher.judging.agreement import Agreement, Dispute, Judge
from core.teacher.judging.failures import Failure, failures
from core.teacher.judging.pace import JudgeCourse, JudgePace
from core.teacher.judging.rubrics import load
from core.teacher.judging.starting import RUBRIC

_FAILED = (Heading("#", 76, numeric=True), Heading("Prompt", 300), Heading("Why it has no score", 0))


@dataclass(frozen=True, slots=True)
class Counted:
    """What the workspace holds of a job and of its judge. agreement: None before it has scored anything. titles: of the criteria, by name."""

    agreement: Agreement | None
    disputes: tuple[Dispute, ...]
    titles: Mapping[str, str]
    failures: tuple[Failure, ...]


class JudgeView(QWidget):
    """Shows the job it was given last, live.

    Signals: resume_wanted(), samples_wanted(search); state_changed(JobInfo), after every look.
    """

    resume_wanted = Signal()
    samples_wanted = Signal(str)
    state_changed = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = context.theme
        self._context = context
        self.state: JobInfo | None = None
        self.course: JudgeCourse | None = None
        self.feed = JobFeed(context, lambda folder: JudgePace(folder.events).poll, _count, self)
        self.feed.looked.connect(self._on_looked)
        self.feed.counted.connect(self._on_counted)
        self._head = JobHead(theme, "judge", "The samples that this job judges, in the table, the best first")
        self._head.resume_wanted.connect(self.resume_wanted)
        self._head.show_samples.clicked.connect(self._on_show_samples)
        self.stop = self._head.stop
        self.banner = self._head.banner
        self.facts = FactsRow(judge_facts.FACTS, name="judgeFacts", says="Where the job stands")
        self.agreement = AgreementView(theme)
        self.agreement.samples_wanted.connect(self.samples_wanted)
        self.failed = SampleList(
            theme, _FAILED, name="judgeFailures", title=section("Samples without a score"), nothing="None has failed."
        )
        self.failed.samples_wanted.connect(self.samples_wanted)
        self.log = LogView()
        self.plan = PlanView(theme, name="judgePlan")
        self._tabs = JobTabs(
            theme,
            (
                ("judgeAgreement", "Agreement", self.agreement),
                ("judgeFailed", "Failed", self.failed),
                ("judgeLog", "Log", self.log),
                ("judgePlan", "Plan", self.plan),
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
        self._head.restart()
        self.agreement.restart()
        self.failed.show_entries(())
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

    def _on_looked(self, state: JobInfo, course: JudgeCourse) -> None:
        self.state, self.course = state, course
        running = state.state == "running"
        self._head.show_state(state, course.message if running and not course.standing.done else "")
        self.facts.show_facts(judge_facts.of_course(course, running=running))
        self._follow()
        self.state_changed.emit(state)

    def _on_counted(self, found: Counted) -> None:
        self.agreement.show_agreement(found.agreement, found.disputes, found.titles)
        self.failed.show_entries(
            [Entry(one.sample, (f"{one.sample:,}", one.title, one.reason)) for one in found.failures]
        )

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


def _count(connection: sqlite3.Connection, folder: JobFolder, _mark: int) -> tuple[Counted, int]:
    asked = read_job(folder).request
    who = asked["plan"]["model"], asked["rubric"]["name"], asked["rubric"]["version"]
    judge = next((one for one in agreement.judges(connection) if who == _name(one)), None)
    titles = {one.name: one.title for one in load(folder.path / RUBRIC).file.criteria}
    failed = tuple(failures(connection, folder.id))
    if judge is None:
        return Counted(None, (), titles, failed), 0
    found = agreement.agreement(connection, judge)
    return Counted(found, tuple(agreement.disputes(connection, judge)), titles, failed), 0


def _name(judge: Judge) -> tuple[str, str, int]:
    return judge.model, judge.rubric, judge.rubric_version


def _plan_of(folder: JobFolder) -> tuple[str, str]:
    """The plan as TOML, as it is asked now, and what there is to say of it."""
    import tomli_w

    asked = read_job(folder).request
    rubric = asked["rubric"]
    own = ", your copy" if rubric["own"] else ""
    return tomli_w.dumps(asked["plan"]), f"{folder.id} · rubric {rubric['name']} {rubric['version']}{own}"
