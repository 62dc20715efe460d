"""What is done to many samples at once, off the GUI thread: near copies found, the apprentice asked, code mended, suites kept out."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.context import AppContext
from app.samples.long_work import LongWork, samples
from core.changes import Changes
from core.samples.operations import Operation
from core.samples.query import Query

if TYPE_CHECKING:
    from core.samples import apprentice
    from core.samples.apprentice import Report
    from core.samples.duplicates import Found

_SUITES = "Problems (*.jsonl *.gz);;All files (*)"


class Analysis(QObject):
    """Signals: search_wanted(text) and clusters_wanted(), when the user wants to see what came of it; clusters_found(Found)."""

    search_wanted = Signal(str)
    clusters_wanted = Signal()
    clusters_found = Signal(object)

    def __init__(self, context: AppContext, work: LongWork, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._work = work

    # --- near copies -------------------------------------------------------------------------------------------

    def find_near_copies(self, query: Query, kind: str = "solutions") -> None:
        """Compare what the search finds with itself and mark what resembles something better. kind: of `duplicates.KINDS`."""
        if not self._work.free():
            return
        from core.samples import duplicates

        report = self._work.begin("Looking for near copies")

        def work() -> Found:
            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return duplicates.find(connection, query, kind=kind, progress=report)

        self._context.tasks.run(work, self._on_clusters, self._work.fail, owner=self)

    def _on_clusters(self, found: Found) -> None:
        from core.samples import duplicates

        self._context.tasks.run_db(
            lambda connection: duplicates.mark(connection, found),
            lambda _none: self._on_marked(found),
            self._work.fail,
            owner=self,
        )

    def _on_marked(self, found: Found) -> None:
        self._work.end()
        copies = sum(len(cluster.ids) - 1 for cluster in found.clusters)
        if not copies:
            self._work.banner.say("No near copies were found.", "good")
        elif found.kind == "solutions":
            words = f"{samples(copies)} resemble another one that is worth keeping."
            show = ("Show the copies", lambda: self.search_wanted.emit("dup:yes"))
            self._work.banner.say(words, "warn", [("Compare them", lambda: self.clusters_wanted.emit()), show])
            self._context.report(Changes(tag=True, ids=None))
        self.clusters_found.emit(found)

    # --- the apprentice ----------------------------------------------------------------------------------------

    def ask_apprentice(self) -> None:
        """Let the apprentice learn from the decisions so far and score every sample."""
        if not self._work.free():
            return
        from core.samples import apprentice

        report = self._work.begin("The apprentice is learning")

        def work() -> tuple[apprentice.Report, list[tuple[int, int]]]:
            with closing(self._context.workspace.connect(readonly=True)) as connection:
                learnt = apprentice.learn(connection, progress=report)
                return learnt.report, list(apprentice.scores(connection, learnt, progress=report))

        self._context.tasks.run(work, lambda found: self._on_scored(*found), self._work.fail, owner=self)

    def _on_scored(self, report: Report, given: list[tuple[int, int]]) -> None:
        from core.samples import apprentice

        def told(changes: Changes) -> None:
            self._work.end()
            self._work.banner.say(
                f"The apprentice would have made {report.accuracy:.0%} of decisions it had not seen as you did "
                f"(always saying what is commoner: {report.baseline:.0%}; AUC {report.auc:.2f}).",
                "good" if report.accuracy > report.baseline + 0.02 else "warn",
                [
                    ("Most uncertain first", lambda: self.search_wanted.emit("status:new sort:uncertain")),
                    ("Likeliest first", lambda: self.search_wanted.emit("status:new sort:-score")),
                ],
            )
            self._context.report(changes)

        self._context.tasks.run_db(
            lambda connection: apprentice.keep_scores(connection, given), told, self._work.fail, owner=self
        )

    # --- mending -----------------------------------------------------------------------------------------------

    def gofmt(self, query: Query) -> None:
        """Format the code of what the search finds."""
        from core.samples import mending

        self._mend(query, mending.gofmt, "Formatting")

    def fix_imports(self, query: Query) -> None:
        """Put the imports of what the search finds right, where it is certain."""
        from core.samples import mending

        self._mend(query, mending.fix_imports, "Fixing imports")

    def _mend(self, query: Query, mend: Callable[..., Operation], what: str) -> None:
        """On a connection of its own: its short transactions leave room for decisions in between."""
        if not self._work.free():
            return
        stopped = threading.Event()
        report = self._work.begin(what, stopped.set)

        def work() -> Operation:
            with closing(self._context.workspace.connect()) as connection:
                return mend(connection, query, progress=report, cancel=stopped.is_set)

        self._context.tasks.run(work, self._on_mended, self._work.fail, owner=self)

    def _on_mended(self, operation: Operation) -> None:
        self._work.end()
        if operation.changed:
            undo = ("Undo", lambda: self._context.commands.run("app.undo"))
            self._work.banner.say(f"Done: {operation.label}.", "good", [undo])
            self._context.report(operation.changes)
        else:
            self._work.banner.say("There was nothing to mend.", "info")

    # --- evaluation suites -------------------------------------------------------------------------------------

    def add_suite(self) -> None:
        """Add the problems of a file as a suite, and look for them in all samples."""
        name, _ = QFileDialog.getOpenFileName(self._page, "Add a suite of problems", str(Path.home()), _SUITES)
        if not name or not self._work.free():
            return
        from core.samples import contamination

        self._work.begin(f"Reading {Path(name).name}")

        def work(connection: sqlite3.Connection) -> object:
            return contamination.add_suite(connection, Path(name))

        self._context.tasks.run_db(work, lambda _added: self._after_suite(), self._work.fail, owner=self)

    def _after_suite(self) -> None:
        self._work.end()
        self.find_contaminated()

    def find_contaminated(self) -> None:
        """Look for the problems of all suites in every sample."""
        if not self._work.free():
            return
        from core.samples import contamination

        report = self._work.begin("Looking for problems of suites")

        def work() -> tuple[int, Changes]:
            with closing(self._context.workspace.connect()) as connection:
                return contamination.check(connection, Query(), progress=report)

        self._context.tasks.run(work, lambda found: self._on_contaminated(*found), self._work.fail, owner=self)

    def _on_contaminated(self, count: int, changes: Changes) -> None:
        self._work.end()
        if count:
            show = ("Show them", lambda: self.search_wanted.emit("contaminated:yes"))
            words = f"{samples(count)} give{'s' if count == 1 else ''} away problems of a suite and will never leave the workspace."
            self._work.banner.say(words, "warn", [show])
        else:
            self._work.banner.say("No sample gives away a problem.", "good")
        self._context.report(changes)
