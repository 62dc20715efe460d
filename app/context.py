"""What every page is given: the open workspace, the task runner, the settings, the look, the jobs, and the news.

Built once in `app.main` and passed on; nothing in `app` reaches for it in any other way. It holds no widget.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.commands import Commands
from app.jobs import JobsModel
from app.tasks import TaskRunner
from app.teacher_intake import TeacherIntake
from app.theme import Theme
from core.changes import Changes
from core.settings import Settings, save_settings
from core.workspace import Workspace


class AppContext(QObject):
    """The state that pages share.

    Attributes: workspace, tasks, settings, theme, jobs, teacher (what its jobs write is taken in), commands.
    Signals, all past facts or plain wishes:
        changed(Changes)           samples changed, whoever did it; every view decides whether to refresh
        undone(Operation)          an operation was undone or done again; `changed` was emitted for it before
        problem(UserError)         shown as a banner on the page in front
        noticed(text, label, run)  shown as a toast; label and run are an optional action ("" and None)
        page_wanted(name)          bring a page to the front
        samples_wanted(text)       search the samples for this
        training_wanted(text)      open the launch dialog for the samples that this search finds
        run_wanted(job id)         choose this run
        teacher_wanted(job id)     choose this job of a teacher's or of a judge's
        judging_wanted(text)       ask how the samples that this search finds are to be judged
        playground_wanted(model)   choose this model in the playground
        workspace_wanted(path)     close this workspace and open another
        settings_changed()
        closed()                   the tasks have ended: let go of child processes
    """

    changed = Signal(object)
    undone = Signal(object)
    problem = Signal(object)
    noticed = Signal(str, str, object)
    page_wanted = Signal(str)
    samples_wanted = Signal(str)
    training_wanted = Signal(str)
    run_wanted = Signal(str)
    teacher_wanted = Signal(str)
    judging_wanted = Signal(str)
    playground_wanted = Signal(str)
    workspace_wanted = Signal(object)
    settings_changed = Signal()
    closed = Signal()

    def __init__(self, workspace: Workspace, tasks: TaskRunner, settings: Settings, theme: Theme) -> None:
        super().__init__()
        self.workspace = workspace
        self.tasks = tasks
        self.settings = settings
        self.theme = theme
        self.jobs = JobsModel(workspace.jobs, tasks, parent=self)
        self.teacher = TeacherIntake(self.jobs, tasks, parent=self)
        self.commands = Commands(self)
        self._reader: sqlite3.Connection | None = None
        self._samples_request: str | None = None
        self._training_request: str | None = None
        self._run_request: str | None = None
        self._playground_request: str | None = None
        self._teacher_request: str | None = None
        self._judging_request: str | None = None
        tasks.problem.connect(self.problem)
        self.teacher.failed.connect(self.problem)
        self.teacher.taken.connect(lambda _job, taken: self.report(taken.changes))

    def reader(self) -> sqlite3.Connection:
        """A read-only connection for the GUI thread: rows by id only (0.2 ms a screenful). Searches go to `tasks.run_query`."""
        if self._reader is None:
            self._reader = self.workspace.connect(readonly=True)
        return self._reader

    def report(self, changes: Changes) -> None:
        """Tell every view what an operation touched."""
        if changes:
            self.changed.emit(changes)

    def notice(self, text: str, label: str = "", run: Callable[[], object] | None = None) -> None:
        """Show a toast, with an action if `label` and `run` are given."""
        self.noticed.emit(text, label, run)

    def open_samples(self, query: str) -> None:
        """Ask for the Samples page with this search in its field. Works as `open_training` does."""
        self._samples_request = query
        self.page_wanted.emit("samples")
        self.samples_wanted.emit(query)

    def take_samples_request(self) -> str | None:
        """The search to show that nobody has taken yet."""
        request, self._samples_request = self._samples_request, None
        return request

    def open_training(self, query: str) -> None:
        """Ask for the launch dialog on the samples that `query` finds (the text of a search; "" is every sample).

        The window brings the Training page to the front. The page takes the request with `take_training_request` when it is
        built, and later on each `training_wanted`.
        """
        self._training_request = query
        self.page_wanted.emit("training")
        self.training_wanted.emit(query)

    def take_training_request(self) -> str | None:
        """The search to train on that nobody has taken yet."""
        request, self._training_request = self._training_request, None
        return request

    def open_run(self, job_id: str) -> None:
        """Ask for the Training page with this run chosen. Works as `open_training` does."""
        self._run_request = job_id
        self.page_wanted.emit("training")
        self.run_wanted.emit(job_id)

    def take_run_request(self) -> str | None:
        """The run to choose that nobody has taken yet."""
        request, self._run_request = self._run_request, None
        return request

    def open_teacher(self, job_id: str) -> None:
        """Ask for the Teacher page with this job chosen, a teacher's or a judge's. Works as `open_training` does."""
        self._teacher_request = job_id
        self.page_wanted.emit("teacher")
        self.teacher_wanted.emit(job_id)

    def take_teacher_request(self) -> str | None:
        """The job to choose that nobody has taken yet."""
        request, self._teacher_request = self._teacher_request, None
        return request

    def open_judging(self, query: str) -> None:
        """Ask for the dialog that has the samples found by `query` judged. Works as `open_training` does, on the Teacher page."""
        self._judging_request = query
        self.page_wanted.emit("teacher")
        self.judging_wanted.emit(query)

    def take_judging_request(self) -> str | None:
        """The search to judge that nobody has taken yet."""
        request, self._judging_request = self._judging_request, None
        return request

    def open_playground(self, model: str) -> None:
        """Ask for the playground with this model (a name or path as `core.models.resolve` takes it) chosen.

        Works as `open_training` does: the page looks at `take_playground_request` when it is built, and on `playground_wanted`.
        """
        self._playground_request = model
        self.page_wanted.emit("playground")
        self.playground_wanted.emit(model)

    def take_playground_request(self) -> str | None:
        """The model to choose that nobody has taken yet."""
        request, self._playground_request = self._playground_request, None
        return request

    def update_settings(self, settings: Settings) -> None:
        """Keep these settings from now on. Raises UserError when they cannot be written."""
        self.settings = settings
        save_settings(settings)
        self.settings_changed.emit()

    def close(self) -> None:
        """Stop polling, finish the writes under way, close the connections."""
        self.jobs.close()
        self.tasks.close()
        self.closed.emit()
        if self._reader is not None:
            self._reader.close()
            self._reader = None
