"""What can be asked of the chosen job, as commands: stop, resume with another budget, try some of it again, show its samples, delete.

Each is offered only where it has an effect, and works off the GUI thread: its supervisor and its worker do what they are asked,
with or without a window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.teacher import words
from app.teacher.budget_question import BudgetQuestion
from app.teacher_intake import JUDGE, TEACHER
from app.widgets.jobs.job_commands import JobCommands
from app.widgets.jobs.job_row import RESUMABLE
from app.widgets.question import question
from core.jobs import JobFolder, JobInfo, delete, start, stop
from core.jobs.folder import read_job
from core.teacher import pace, starting
from core.teacher import plan as plans
from core.teacher.judging import pace as judge_pace
from core.teacher.judging import plan as judge_plans
from core.teacher.judging import starting as judge_starting
from core.teacher.terms import Terms

Standing = pace.Standing | judge_pace.JudgeStanding

_MENU = (("teacher.samples",), ("teacher.resume", "teacher.stop", "teacher.delete"))


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is asked of a kind of job in its own way. stays: what deleting its folder leaves, in a sentence."""

    read: Callable[[dict[str, Any]], Terms]
    standing: Callable[[Path], Standing]
    resume: Callable[..., None]
    stays: str


_KINDS = {
    TEACHER: _Kind(
        plans.plan_from,
        lambda events: pace.standing(events) or pace.Standing(),
        starting.resume,
        "Its samples stay, and where they come from.",
    ),
    JUDGE: _Kind(
        judge_plans.plan_from,
        lambda events: judge_pace.standing(events) or judge_pace.JudgeStanding(),
        judge_starting.resume,
        "The scores stay, and what the judge said of each sample.",
    ),
}


def samples_of(job: JobInfo) -> str:
    """The search that finds what a job has made or was to judge, the best first."""
    return f"job:{job.id}" + (" sort:-judge" if job.kind == JUDGE else "")


class TeacherActions(QObject):
    """Attribute commands: those of the job. Signal: started(job id), a second try."""

    started = Signal(str)

    def __init__(self, context: AppContext, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._job: JobInfo | None = None
        self._question: BudgetQuestion | None = None
        runs = {
            "teacher.samples": self.show_samples,
            "teacher.resume": self.resume,
            "teacher.stop": self.stop,
            "teacher.delete": self.ask_before_deleting,
        }
        self.commands = JobCommands(context.commands, context.tasks, page, runs)
        self.show_job(None)

    def show_job(self, job: JobInfo | None) -> None:
        """Offer what can be asked of this one."""
        self._job = job
        self.commands.offer(
            {
                "teacher.samples": job is not None,
                "teacher.resume": job is not None and job.state in RESUMABLE,
                "teacher.stop": job is not None and job.alive,
                "teacher.delete": job is not None and not job.alive,
            }
        )

    def pop_up(self, place: QPoint) -> None:
        """What can be done now, as a menu at this point of the screen."""
        self.commands.pop_up(place, "job", _MENU)

    def stop(self) -> None:
        """Ask the job to stop; asked twice, it ends at once."""
        if (job := self._job) is not None:
            self.commands.ask(lambda: stop(job.folder))

    def show_samples(self) -> None:
        """Its samples, in the table."""
        if self._job is not None:
            self._context.to_samples.make(samples_of(self._job))

    def retry(self, folder: JobFolder, numbers: Sequence[int]) -> None:
        """Ask for these samples of a job once more, in a job of their own; `started` follows."""
        workspace = self._context.workspace

        def begin() -> JobFolder:
            with closing(workspace.connect(readonly=True)) as connection:
                made = starting.launch_again(folder, numbers, workspace.root, connection)
            start(made)
            return made

        self._context.tasks.run(begin, lambda made: self.started.emit(made.id), self.commands.failed.emit, owner=self)

    def resume(self) -> None:
        """Ask with which budget, then go on."""
        job = self._job
        if job is None or job.state not in RESUMABLE or self._question is not None:
            return

        kind = _KINDS[job.kind]

        def look() -> tuple[Terms, Standing]:
            return kind.read(read_job(job.folder).request["plan"]), kind.standing(job.folder.events)

        self._context.tasks.run(
            look, lambda found: self._ask_budget(job, *found), self.commands.failed.emit, owner=self
        )

    def _ask_budget(self, job: JobInfo, plan: Terms, at: Standing) -> None:
        cost = f" for {words.dollars(at.cost_usd)}" if at.cost_usd is not None else ""
        spent = f"{at.done:,} of {at.requested:,} samples are done{cost}, {words.tokens(at.tokens)} tokens."
        self._question = BudgetQuestion(self._context.theme, job.title, job.message, plan, spent, self._page)
        self._question.finished.connect(lambda result: self._on_answered(job, bool(result)))
        self._question.open()

    def _on_answered(self, job: JobInfo, yes: bool) -> None:
        question, self._question = self._question, None
        if question is None:
            return
        dollars, tokens = question.budget
        question.deleteLater()
        if yes:
            self.commands.ask(lambda: _KINDS[job.kind].resume(job.folder, budget_usd=dollars, budget_tokens=tokens))

    def ask_before_deleting(self) -> None:
        """Delete the job's folder, after a question; its samples stay."""
        job = self._job
        if job is None or job.alive:
            return
        question(
            self._page, "teacherDelete", "Delete a job", f"Delete “{job.title}”?", f"Its log and its raw answers are removed. {_KINDS[job.kind].stays}",
            "Delete", lambda: self.commands.ask(lambda: delete(job.folder)),
        ).open()  # fmt: skip
