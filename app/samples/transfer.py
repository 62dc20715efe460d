"""Samples in and samples out: what takes time runs elsewhere, and its end is told in the banner.

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
from app.samples.long_work import LongWork, samples
from app.widgets.progress import byte_size
from core.samples.query import Query, render

if TYPE_CHECKING:
    from app.samples.export_dialog import ExportDialog
    from app.samples.import_dialog import ImportDialog, ImportRequest, RejectedDialog
    from core.samples.exporting import ExportResult
    from core.samples.importing import ImportResult
    from core.samples.reviews import MergeResult

_BUNDLES = "Review bundles (*.gz);;All files (*)"
_KINDS = "Samples (*.jsonl *.json *.parquet *.arrow *.gz);;All files (*)"


class Transfer(QObject):
    """Import and export of one page.

    Signals: search_wanted(text), when the user wants to see what came of it.
    """

    search_wanted = Signal(str)

    def __init__(self, context: AppContext, work: LongWork, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._work = work
        self.dialog: ImportDialog | ExportDialog | RejectedDialog | None = None

    # --- in ----------------------------------------------------------------------------------------------------

    def choose_import(self) -> None:
        """Ask for files, then show what they hold."""
        names, _ = QFileDialog.getOpenFileNames(self._page, "Import samples", str(Path.home()), _KINDS)
        if names:
            self.preview([Path(name) for name in names])

    def preview(self, paths: Sequence[Path]) -> None:
        """Show what these files hold and ask whether to import it."""
        if not self._work.free():
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
        names = request.paths[0].name if len(request.paths) == 1 else f"{len(request.paths)} files"
        report = self._work.begin(f"Importing {names}", stopped.set, byte_size)
        self._context.tasks.run_db_steps(
            lambda connection: importing.import_in_steps(
                connection,
                request.paths,
                format=request.format,
                source=request.source,
                tags=request.tags,
                progress=report,
                cancel=stopped.is_set,
            ),
            self._on_imported,
            self._work.fail,
            owner=self,
        )

    def _on_imported(self, result: ImportResult) -> None:
        self._work.end()
        words = [f"{samples(result.imported)} imported"]
        if result.duplicates:
            words.append(f"{number(result.duplicates)} were there already")
        if result.rejected:
            words.append(f"{number(len(result.rejected))} could not be read")
        actions: list[tuple[str, Callable[[], object]]] = []
        if result.rejected:
            actions.append(("Show what was left out", lambda: self._show_rejected(result)))
        if result.imported:
            actions.append(("Undo", lambda: self._context.commands.run("app.undo")))
        self._work.banner.say(f"{', '.join(words)}.", "warn" if result.rejected else "good", actions)
        if result.operation is not None:
            self._context.report(result.operation.changes)

    def _show_rejected(self, result: ImportResult) -> None:
        from app.samples.import_dialog import RejectedDialog

        self._open(RejectedDialog(self._context, result.rejected, self._page))

    # --- out ---------------------------------------------------------------------------------------------------

    def export(self, query: Query, count: int) -> None:
        """Ask where to and how, then write what the search finds."""
        if not self._work.free():
            return
        from app.samples.export_dialog import ExportDialog

        dialog = ExportDialog(self._context, render(query), count, self._page)
        dialog.confirmed.connect(lambda path, kind: self._export(query, path, kind))
        self._open(dialog)

    def _export(self, query: Query, path: Path, kind: str) -> None:
        from core.samples import exporting

        report = self._work.begin(f"Exporting to {path.name}")

        def work() -> ExportResult:
            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return exporting.export(connection, query, path, format=kind, progress=report)

        self._context.tasks.run(work, lambda result: self._on_exported(path, result), self._work.fail, owner=self)

    def _on_exported(self, path: Path, result: ExportResult) -> None:
        self._work.end()
        self._work.banner.say(
            f"{samples(result.exported)} written to {path} (sha256 {result.sha256[:12]}…).",
            "good",
            [("Show in files", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent))))],
        )

    # --- reviews of others -------------------------------------------------------------------------------------

    def export_reviews(self, query: Query) -> None:
        """Write the decisions on what the search finds to a file for another reviewer."""
        usual = Path.home() / f"reviews-{self._context.settings.reviewer}.gz"
        name, _ = QFileDialog.getSaveFileName(self._page, "Export my reviews", str(usual), _BUNDLES)
        if not name or not self._work.free():
            return
        from core.samples import reviews

        reviewer, path = self._context.settings.reviewer, Path(name)
        self._work.begin(f"Writing {path.name}")

        def work() -> int:
            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return reviews.export_reviews(connection, path, reviewer, query)

        def written(count: int) -> None:
            self._work.end()
            self._work.banner.say(f"{samples(count)} with the decisions of “{reviewer}” written to {path}.", "good")

        self._context.tasks.run(work, written, self._work.fail, owner=self)

    def merge_reviews(self) -> None:
        """Take in what another reviewer decided."""
        name, _ = QFileDialog.getOpenFileName(self._page, "Merge reviews", str(Path.home()), _BUNDLES)
        if not name or not self._work.free():
            return
        from core.samples import reviews

        self._work.begin(f"Merging {Path(name).name}")
        self._context.tasks.run_db(
            lambda connection: reviews.merge_reviews(connection, Path(name)),
            self._on_merged,
            self._work.fail,
            owner=self,
        )

    def _on_merged(self, result: MergeResult) -> None:
        self._work.end()
        found = result.preview
        words = (
            f"{samples(found.samples)} by {found.reviewer}: {number(found.new)} new, {number(found.decided)} decided for you, "
            f"{number(found.agreeing)} agree, {number(found.disagreeing)} disagree."
        )
        actions: list[tuple[str, Callable[[], object]]] = []
        if found.disagreeing:
            actions.append(("Show where you disagree", lambda: self.search_wanted.emit("disputed:yes")))
        if result.operation.changed:
            actions.append(("Undo", lambda: self._context.commands.run("app.undo")))
            self._context.report(result.operation.changes)
        self._work.banner.say(words, "warn" if found.disagreeing else "good", actions)

    # --- shared ------------------------------------------------------------------------------------------------

    def _open(self, dialog: ImportDialog | ExportDialog | RejectedDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._on_dialog_finished)
        dialog.open()

    def _on_dialog_finished(self) -> None:
        self.dialog = None


def _local(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
