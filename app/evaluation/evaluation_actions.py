"""What can be asked of the chosen evaluation, as commands: stop, resume, delete after a question, and its result to take along.

Each is offered only where it has an effect, and works off the GUI thread. What was judged stays, so a resumed one goes on after it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.context import AppContext
from app.widgets.jobs.job_commands import JobCommands
from app.widgets.jobs.job_row import RESUMABLE
from app.widgets.question import question
from core.errors import UserError
from core.evaluation.results import RESULT
from core.jobs import JobInfo, delete, stop
from core.jobs.control import resume

_RESULT = ("evaluation.copy_path", "evaluation.open_folder", "evaluation.save")
_JOB = ("evaluation.stop", "evaluation.resume", "evaluation.delete")


class EvaluationActions(QObject):
    """Attribute commands: those of the job. Signal: noted(words), something was done with its result."""

    noted = Signal(str)

    def __init__(self, context: AppContext, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._job: JobInfo | None = None
        runs = {
            "evaluation.stop": self.stop,
            "evaluation.resume": self.resume,
            "evaluation.delete": self.ask_before_deleting,
            "evaluation.copy_path": self.copy_path,
            "evaluation.open_folder": self.open_folder,
            "evaluation.save": self.ask_where_to_save,
        }
        self.commands = JobCommands(context.commands, context.tasks, page, runs)
        self.show_job(None)

    def show_job(self, job: JobInfo | None) -> None:
        """Offer what can be asked of this one."""
        self._job = job
        done = job is not None and job.state == "done"
        self.commands.offer(
            {
                "evaluation.stop": job is not None and job.alive,
                "evaluation.resume": job is not None and job.state in RESUMABLE,
                "evaluation.delete": job is not None and not job.alive,
                **dict.fromkeys(_RESULT, done),
            }
        )

    def fill(self, menu: QMenu) -> None:
        """Put what can be done now into a menu."""
        self.commands.fill(menu, (_RESULT, _JOB))

    def pop_up(self, place: QPoint) -> None:
        """The same as a menu of its own, at this point of the screen."""
        self.commands.pop_up(place, "evaluation", (_RESULT, _JOB))

    def stop(self) -> None:
        """Ask the job to stop; asked twice, it ends at once."""
        if (job := self._job) is not None:
            self.commands.ask(lambda: stop(job.folder))

    def resume(self) -> None:
        """Go on where it was."""
        job = self._job
        if job is not None and job.state in RESUMABLE:
            self.commands.ask(lambda: resume(job.folder))

    # --- the result --------------------------------------------------------------------------------------------

    def copy_path(self) -> None:
        """Its path into the clipboard."""
        if (path := self._path()) is not None:
            QGuiApplication.clipboard().setText(str(path))
            self.noted.emit(f"The path of {path.name} is in the clipboard.")

    def open_folder(self) -> None:
        """Show the folder with result and candidates as the desktop shows folders."""
        if (path := self._path()) is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))

    def ask_where_to_save(self) -> None:
        """Ask for a file, and write a copy of the result."""
        path = self._path()
        if path is None or self._job is None:
            return
        box = QFileDialog(self._page, "Save the result", str(Path.home() / f"{self._job.id}.json"), "JSON (*.json)")
        box.setObjectName("evaluationSaveDialog")
        box.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        box.setDefaultSuffix("json")
        box.fileSelected.connect(lambda name: self.save(Path(name)))
        box.finished.connect(box.deleteLater)
        box.open()

    def save(self, target: Path) -> None:
        """Write a copy of the result to this file."""
        path = self._path()
        if path is None:
            return

        def copy() -> None:
            try:
                shutil.copyfile(path, target)
            except OSError as error:
                raise UserError(
                    f"{target} cannot be written: {error.strerror}.", "Choose a folder that you may write to."
                ) from error

        self._context.tasks.run(
            copy, lambda _none: self.noted.emit(f"Saved as {target}."), self.commands.failed.emit, owner=self
        )

    def _path(self) -> Path | None:
        return self._job.folder.output / RESULT if self._job is not None and self._job.state == "done" else None

    # --- deleting ----------------------------------------------------------------------------------------------

    def ask_before_deleting(self) -> None:
        """Delete the job's folder, after a question."""
        job = self._job
        if job is None or job.alive:
            return
        question(
            self._page, "evaluationDelete", "Delete an evaluation", f"Delete “{job.title}”?", "Its result, its answers and its log are removed from the disk. What it measured must be measured again.",
            "Delete", lambda: self.commands.ask(lambda: delete(job.folder)),
        ).open()  # fmt: skip
