"""Samples in, samples out, samples to the Go checks: what takes time runs elsewhere, and its end is told in the banner.

The dialogs and what they need are imported when they are opened: none of it belongs to the start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from app.context import AppContext
from app.samples.columns import number
from app.samples.intake import Intake
from app.widgets.banner import Banner
from app.widgets.progress import ProgressLine, amount, byte_size
from core.changes import Changes
from core.errors import UserError
from core.jobs import JobFolder, JobInfo, resume, stop
from core.samples import checking
from core.samples.checking import Summary
from core.samples.query import Query, render

if TYPE_CHECKING:
    from app.samples.export_dialog import ExportDialog
    from app.samples.import_dialog import ImportDialog, ImportRequest, RejectedDialog
    from core.samples.duplicates import Found
    from core.samples.exporting import ExportResult
    from core.samples.importing import ImportResult

_BUSY = "Something is under way already; wait for its end or stop it."
_KINDS = "Samples (*.jsonl *.json *.parquet *.arrow *.gz);;All files (*)"


class Transfer(QObject):
    """Import, export and check of one page.

    Signals: search_wanted(text) and clusters_wanted(), when the user wants to see what came of it; clusters_found(Found).
    """

    search_wanted = Signal(str)
    clusters_wanted = Signal()
    clusters_found = Signal(object)

    def __init__(self, context: AppContext, page: QWidget, banner: Banner, progress: ProgressLine) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._banner = banner
        self._progress = progress
        self._stop: Callable[[], None] | None = None
        self._checking: str | None = None
        self.dialog: ImportDialog | ExportDialog | RejectedDialog | None = None
        self.intake = Intake(context, self)
        self.intake.progressed.connect(self._on_check_progressed)
        self.intake.finished.connect(self._on_check_finished)
        self.intake.failed.connect(banner.problem)
        progress.cancelled.connect(self._on_stop)

    @property
    def busy(self) -> bool:
        """Is an import or an export under way?"""
        return self._stop is not None

    # --- in ----------------------------------------------------------------------------------------------------

    def choose_import(self) -> None:
        """Ask for files, then show what they hold."""
        names, _ = QFileDialog.getOpenFileNames(self._page, "Import samples", str(Path.home()), _KINDS)
        if names:
            self.preview([Path(name) for name in names])

    def preview(self, paths: Sequence[Path]) -> None:
        """Show what these files hold and ask whether to import it."""
        if self.busy:
            self._banner.say(_BUSY, "warn")
            return
        from app.samples.import_dialog import ImportDialog

        dialog = ImportDialog(self._context, paths, self._page)
        dialog.confirmed.connect(self._import)
        self._open(dialog)

    def drag_enter(self, event: QDragEnterEvent) -> None:
        """Take local files and folders."""
        if _local(event.mimeData()):
            event.acceptProposedAction()

    def drop(self, event: QDropEvent) -> None:
        """Show what the dropped files hold."""
        paths = _local(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.preview(paths)

    def _import(self, request: ImportRequest) -> None:
        from core.samples import importing

        stopped = threading.Event()
        report = self._context.tasks.relay(self._progress.advance, owner=self)
        names = request.paths[0].name if len(request.paths) == 1 else f"{len(request.paths)} files"
        self._begin(f"Importing {names}", stopped.set, byte_size)
        self._context.tasks.run_db(
            lambda connection: importing.import_files(
                connection,
                request.paths,
                format=request.format,
                source=request.source,
                tags=request.tags,
                progress=report,
                cancel=stopped.is_set,
            ),
            self._on_imported,
            self._on_failed,
            owner=self,
        )

    def _on_imported(self, result: ImportResult) -> None:
        self._end()
        words = [f"{_samples(result.imported)} imported"]
        if result.duplicates:
            words.append(f"{number(result.duplicates)} were there already")
        if result.rejected:
            words.append(f"{number(len(result.rejected))} could not be read")
        actions: list[tuple[str, Callable[[], object]]] = []
        if result.rejected:
            actions.append(("Show what was left out", lambda: self._show_rejected(result)))
        if result.imported:
            actions.append(("Undo", lambda: self._context.commands.run("app.undo")))
        self._banner.say(f"{', '.join(words)}.", "warn" if result.rejected else "good", actions)
        if result.operation is not None:
            self._context.report(result.operation.changes)

    def _show_rejected(self, result: ImportResult) -> None:
        from app.samples.import_dialog import RejectedDialog

        self._open(RejectedDialog(self._context, result.rejected, self._page))

    # --- out ---------------------------------------------------------------------------------------------------

    def export(self, query: Query, count: int) -> None:
        """Ask where to and how, then write what the search finds."""
        if self.busy:
            self._banner.say(_BUSY, "warn")
            return
        from app.samples.export_dialog import ExportDialog

        dialog = ExportDialog(self._context, render(query), count, self._page)
        dialog.confirmed.connect(lambda path, kind: self._export(query, path, kind))
        self._open(dialog)

    def _export(self, query: Query, path: Path, kind: str) -> None:
        from core.samples import exporting

        report = self._context.tasks.relay(self._progress.advance, owner=self)
        self._begin(f"Exporting to {path.name}", None)

        def work() -> ExportResult:
            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return exporting.export(connection, query, path, format=kind, progress=report)

        self._context.tasks.run(work, lambda result: self._on_exported(path, result), self._on_failed, owner=self)

    def _on_exported(self, path: Path, result: ExportResult) -> None:
        self._end()
        self._banner.say(
            f"{_samples(result.exported)} written to {path} (sha256 {result.sha256[:12]}…).",
            "good",
            [("Show in files", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent))))],
        )

    # --- Go ----------------------------------------------------------------------------------------------------

    def check(self, query: Query, level: str) -> None:
        """Start a job that checks what the search finds; it goes on when the window closes."""
        jobs = self._context.workspace.jobs

        def work() -> JobFolder:
            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return checking.start_check(jobs, connection, query, level)

        self._context.tasks.run(work, self._on_check_started, self._banner.problem, owner=self)

    def _on_check_started(self, folder: JobFolder) -> None:
        self._context.jobs.refresh()

    def _on_check_progressed(self, info: JobInfo) -> None:
        if self._checking is None and not self.busy:
            self._checking = info.id
            self._progress.start("Checking Go")
        if self._checking != info.id:
            return
        if info.state == "stopping":
            self._progress.stopping()
        elif info.step is not None:
            self._progress.advance(info.step, info.total)

    def _on_check_finished(self, info: JobInfo, summary: Summary) -> None:
        if self._checking == info.id:
            self._checking = None
            self._progress.finish()
        failed = {check: states["fail"] for check, states in summary.by_check.items() if states.get("fail")}
        words = f"Go checked {_samples(summary.checked)}: {number(summary.passed)} pass, {number(summary.failed)} fail"
        if failed:
            words += f" ({', '.join(f'{check} {number(count)}' for check, count in failed.items())})"
        show = [("Show what fails", lambda: self.search_wanted.emit("verdict:fail"))] if summary.failed else []
        if info.state == "done":
            self._banner.say(f"{words}.", "good" if not summary.failed else "warn", show)
        elif info.state == "stopped":
            self._banner.say(f"The check was stopped. {words}.", "info", show)
        else:
            again = ("Go on", lambda: self._resume(info.folder))
            self._banner.say(f"The check did not end: {info.message} {info.hint}".strip(), "bad", [again])

    def _resume(self, folder: JobFolder) -> None:
        self._context.tasks.run(
            lambda: resume(folder), lambda _none: self._context.jobs.refresh(), self._banner.problem, owner=self
        )

    # --- near copies -------------------------------------------------------------------------------------------

    def find_near_copies(self, query: Query, kind: str = "solutions") -> None:
        """Compare what the search finds with itself and mark what resembles something better. kind: of `duplicates.KINDS`."""
        if self.busy:
            self._banner.say(_BUSY, "warn")
            return
        from core.samples import duplicates

        report = self._context.tasks.relay(self._progress.advance, owner=self)
        self._begin("Looking for near copies", None)

        def work() -> Found:
            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return duplicates.find(connection, query, kind=kind, progress=report)

        self._context.tasks.run(work, self._on_clusters, self._on_failed, owner=self)

    def _on_clusters(self, found: Found) -> None:
        from core.samples import duplicates

        self._context.tasks.run_db(
            lambda connection: duplicates.mark(connection, found),
            lambda _none: self._on_marked(found),
            self._on_failed,
            owner=self,
        )

    def _on_marked(self, found: Found) -> None:
        self._end()
        copies = sum(len(cluster.ids) - 1 for cluster in found.clusters)
        if not copies:
            self._banner.say("No near copies were found.", "good")
        elif found.kind == "solutions":
            words = f"{_samples(copies)} resemble another one that is worth keeping."
            show = ("Show the copies", lambda: self.search_wanted.emit("dup:yes"))
            self._banner.say(words, "warn", [("Compare them", lambda: self.clusters_wanted.emit()), show])
            self._context.report(Changes(tag=True, ids=None))
        self.clusters_found.emit(found)

    # --- shared ------------------------------------------------------------------------------------------------

    def _open(self, dialog: ImportDialog | ExportDialog | RejectedDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._on_dialog_finished)
        dialog.open()

    def _on_dialog_finished(self) -> None:
        self.dialog = None

    def _begin(self, what: str, stop_it: Callable[[], None] | None, show: Callable[[int], str] = amount) -> None:
        self._banner.clear()
        self._stop = stop_it or (lambda: None)
        self._progress.start(what, stoppable=stop_it is not None, show=show)

    def _end(self) -> None:
        self._stop = None
        self._progress.finish()

    def _on_failed(self, error: UserError) -> None:
        self._end()
        self._banner.problem(error)

    def _on_stop(self) -> None:
        if self._stop is not None:
            self._progress.stopping()
            self._stop()
        elif self._checking is not None:
            info = self._context.jobs.job(self._checking)
            if info is not None:
                self._progress.stopping()
                self._context.tasks.run(lambda: stop(info.folder), None, self._banner.problem, owner=self)


def _samples(count: int) -> str:
    return f"{number(count)} sample{'s' if count != 1 else ''}"


def _local(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
