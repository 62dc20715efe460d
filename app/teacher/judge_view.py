"""One job of a judge's: where it stands in numbers, how far it agrees with the reviewers, what failed."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.teacher import judge_facts
from app.teacher.agreement_view import AgreementView
from app.teacher.job_frame import JobFrame, JobKind
from app.teacher.sample_list import Entry, Heading, SampleList
from app.widgets.facts_row import FactsRow
from app.widgets.labels import section
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
    """Shows the job it was given last, live. Attributes: frame, agreement, failed.

    Signals: resume_wanted(), samples_wanted(search); state_changed(JobInfo), after every look.
    """

    resume_wanted = Signal()
    samples_wanted = Signal(str)
    state_changed = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = context.theme
        self.agreement = AgreementView(theme)
        self.agreement.samples_wanted.connect(self.samples_wanted)
        self.failed = SampleList(
            theme, _FAILED, name="judgeFailures", title=section("Samples without a score"), nothing="None has failed."
        )
        self.failed.samples_wanted.connect(self.samples_wanted)
        self.frame = JobFrame(
            context,
            _KIND,
            FactsRow(judge_facts.FACTS, name="judgeFacts", says="Where the job stands"),
            (("judgeAgreement", "Agreement", self.agreement), ("judgeFailed", "Failed", self.failed)),
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
            self.agreement.restart()
            self.failed.show_entries(())

    def _on_looked(self, state: JobInfo, course: JudgeCourse, _news: bool) -> None:
        self.frame.facts.show_facts(judge_facts.of_course(course, running=state.state == "running"))
        self.state_changed.emit(state)

    def _on_counted(self, found: Counted) -> None:
        self.agreement.show_agreement(found.agreement, found.disputes, found.titles)
        self.failed.show_entries(
            [Entry(one.sample, (f"{one.sample:,}", one.title, one.reason)) for one in found.failures]
        )


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


def _about(asked: dict[str, Any]) -> str:
    rubric = asked["rubric"]
    return f"rubric {rubric['name']} {rubric['version']}{', your copy' if rubric['own'] else ''}"


_KIND = JobKind(
    "judge",
    "The samples that this job judges, in the table, the best first",
    lambda folder: JudgePace(folder.events).poll,
    _count,
    _about,
)
