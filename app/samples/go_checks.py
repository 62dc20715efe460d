"""Samples to the Go toolchain and its verdicts back: a job, shown in the page's progress line while nothing else needs it."""

from __future__ import annotations

from contextlib import closing

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.samples.columns import number
from app.samples.intake import Intake
from app.samples.long_work import LongWork, samples
from core.jobs import JobFolder, JobInfo, resume, stop
from core.samples import checking
from core.samples.checking import Summary
from core.samples.query import Query


class GoChecks(QObject):
    """Signals: search_wanted(text), when the user wants to see what failed."""

    search_wanted = Signal(str)

    def __init__(self, context: AppContext, work: LongWork, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._work = work
        self._checking: str | None = None
        self.intake = Intake(context, self)
        self.intake.progressed.connect(self._on_check_progressed)
        self.intake.finished.connect(self._on_check_finished)
        self.intake.failed.connect(work.banner.problem)
        work.progress.cancelled.connect(self._on_cancelled)

    # --- Go ----------------------------------------------------------------------------------------------------

    def check(self, query: Query, level: str, *, race: bool = False) -> None:
        """Start a job that checks what the search finds; it goes on when the window closes."""
        jobs = self._context.workspace.jobs

        def work() -> JobFolder:
            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return checking.start_check(jobs, connection, query, level, race=race)

        self._context.tasks.run(work, self._on_check_started, self._work.banner.problem, owner=self)

    def _on_check_started(self, folder: JobFolder) -> None:
        self._context.jobs.refresh()

    def _on_check_progressed(self, info: JobInfo) -> None:
        if self._checking is None and not self._work.busy:
            self._checking = info.id
            self._work.progress.start("Checking Go")
        if self._checking != info.id:
            return
        if info.state == "stopping":
            self._work.progress.stopping()
        elif info.step is not None:
            self._work.progress.advance(info.step, info.total)

    def _on_check_finished(self, info: JobInfo, summary: Summary) -> None:
        if self._checking == info.id:
            self._checking = None
            self._work.progress.finish()
        failed = {check: states["fail"] for check, states in summary.by_check.items() if states.get("fail")}
        words = f"Go checked {samples(summary.checked)}: {number(summary.passed)} pass, {number(summary.failed)} fail"
        if failed:
            words += f" ({', '.join(f'{check} {number(count)}' for check, count in failed.items())})"
        show = [("Show what fails", lambda: self.search_wanted.emit("verdict:fail"))] if summary.failed else []
        if info.state == "done":
            self._work.banner.say(f"{words}.", "good" if not summary.failed else "warn", show)
        elif info.state == "stopped":
            self._work.banner.say(f"The check was stopped. {words}.", "info", show)
        else:
            again = ("Go on", lambda: self._resume(info.folder))
            self._work.banner.say(f"The check did not end: {info.message} {info.hint}".strip(), "bad", [again])

    def _resume(self, folder: JobFolder) -> None:
        self._context.tasks.run(
            lambda: resume(folder), lambda _none: self._context.jobs.refresh(), self._work.banner.problem, owner=self
        )

    def _on_cancelled(self) -> None:
        info = self._context.jobs.job(self._checking) if self._checking is not None and not self._work.busy else None
        if info is not None:
            self._work.progress.stopping()
            self._context.tasks.run(lambda: stop(info.folder), None, self._work.banner.problem, owner=self)
