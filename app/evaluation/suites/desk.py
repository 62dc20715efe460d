"""What is done with whole suites, off the GUI thread: listed, added, made, copied, deleted, checked, looked for in the samples.

A check is a job: it goes on when the window closes, and whoever opens it again finds what it has found.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.evaluation.suites.standing import Findings, standings
from core.changes import Changes
from core.evaluation import private, soundness
from core.evaluation.suites import Suite
from core.jobs import JobInfo, resume, stop
from core.samples import contamination, named_suites
from core.samples.language import Query


class Desk(QObject):
    """Attributes: tried (what drafts have been found to be, by digest).

    Signals: listed(standings); made(name, sentence) and changed(sentence), something about the suites has changed; added(name, Suite, path), so
    has this; compared(count), samples were looked through; progressed(done, total) of that; checking(JobInfo), a check moved on or ended;
    failed(UserError).
    """

    listed = Signal(object)
    made = Signal(str, str)
    changed = Signal(str)
    added = Signal(str, object, object)
    compared = Signal(int)
    progressed = Signal(int, int)
    checking = Signal(object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.tried: Findings = {}
        context.jobs.job_changed.connect(self._on_job_changed)

    def reload(self) -> None:
        """Read all suites; `listed` follows."""
        workspace, tried = self._context.workspace, dict(self.tried)
        self._context.tasks.run(lambda: standings(workspace, tried), self.listed.emit, self.failed.emit, owner=self)

    # --- making and taking away --------------------------------------------------------------------------------

    def add(self, path: Path) -> None:
        """Add the problems of a file of others; `added` or `failed` follows."""
        own = self._context.workspace.suites

        def work(connection: sqlite3.Connection) -> tuple[str, Suite]:
            return named_suites.add(connection, own, path)

        self._write(work, lambda found: self.added.emit(*found, path))

    def create(self, name: str, title: str, about: str) -> None:
        """Make an empty suite; `made` or `failed` follows."""
        own = self._context.workspace.suites
        self._write(
            lambda connection: named_suites.create(connection, own, name, title, about),
            lambda place: self.made.emit(name, f"“{name}” is made; its problems will lie in {place}."),
        )

    def copy(self, source: str, name: str) -> None:
        """Make a suite of one's own from another; `made` or `failed` follows."""
        own = self._context.workspace.suites
        self._write(
            lambda connection: named_suites.copy(connection, own, source, name),
            lambda place: self.made.emit(name, f"“{name}” is a copy of {source}, in {place}."),
        )

    def describe(self, name: str, title: str, about: str) -> None:
        """Say what a suite of one's own is; `changed` or `failed` follows."""
        own = self._context.workspace.suites
        self._context.tasks.run(
            lambda: private.describe(own, name, title, about),
            lambda _none: self.changed.emit(f"“{name}” is described."),
            self.failed.emit,
            owner=self,
        )

    def delete(self, name: str) -> None:
        """Delete an added suite or one of one's own; `changed` or `failed` follows."""
        own = self._context.workspace.suites

        def done(origin: str) -> None:
            self.changed.emit(f"“{name}” is deleted.")
            if origin == "added":
                self._context.report(Changes(membership=True, ids=None))

        self._write(lambda connection: named_suites.delete(connection, own, name), done)

    def _write(self, work: Callable[[sqlite3.Connection], object], done: Callable[..., object]) -> None:
        self._context.tasks.run_db(work, done, self.failed.emit, owner=self)

    # --- checking ----------------------------------------------------------------------------------------------

    def check(self, name: str) -> None:
        """Start the job that checks a suite; `checking` or `failed` follows."""
        workspace = self._context.workspace

        def work() -> object:
            with closing(workspace.connect(readonly=True)) as connection:
                named = named_suites.open_suite(connection, name, workspace.suites)
            return soundness.start_check(workspace.jobs, named)

        self._do(work)

    def stop_check(self, job: JobInfo) -> None:
        """Ask a check to stop; what it has found stays."""
        self._do(lambda: stop(job.folder))

    def resume_check(self, job: JobInfo) -> None:
        """Go on with a check that stopped or failed."""
        self._do(lambda: resume(job.folder))

    def check_of(self, name: str) -> JobInfo | None:
        """The newest check of a suite, whatever has become of it."""
        title = soundness.title(name)
        return next((one for one in self._context.jobs.jobs if one.kind == soundness.KIND and one.title == title), None)

    def running_check(self) -> JobInfo | None:
        """The newest check that has not ended."""
        return next(iter(self._context.jobs.running(soundness.KIND)), None)

    def _do(self, work: Callable[[], object]) -> None:
        self._context.tasks.run(work, lambda _result: self._context.jobs.refresh(), self.failed.emit, owner=self)

    def _on_job_changed(self, job: JobInfo) -> None:
        if job.kind == soundness.KIND:
            self.checking.emit(job)

    # --- samples that give problems away -----------------------------------------------------------------------

    def compare(self) -> None:
        """Look for the problems of all added suites in every sample; `compared` or `failed` follows."""
        report = self._context.tasks.relay(self.progressed.emit, owner=self)

        def work() -> tuple[int, Changes]:
            with closing(self._context.workspace.connect()) as connection:
                return contamination.check(connection, Query(), progress=report)

        def done(found: tuple[int, Changes]) -> None:
            self.compared.emit(found[0])
            self._context.report(found[1])

        self._context.tasks.run(work, done, self.failed.emit, owner=self)
