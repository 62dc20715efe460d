"""What every page is given: the open workspace, the task runner, the settings, the look, the jobs, and the news.

Built once in `app.main` and passed on; nothing in `app` reaches for it in any other way. It holds no widget.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.commands import Commands
from app.jobs import JobsModel
from app.page_request import PageRequest
from app.tasks import TaskRunner
from app.teacher_intake import TeacherIntake
from app.theme import Theme
from core.changes import Changes
from core.settings import Settings, save_settings
from core.workspace import Workspace


class AppContext(QObject):
    """The state that pages share.

    Attributes: workspace, tasks, settings, theme, jobs, teacher (what its jobs write is taken in), commands.
    Requests of pages to pages:
        to_samples      search the samples for this text
        to_training     open the launch dialog for the samples that this search finds
        to_run          choose the run with this job id
        to_teacher      choose this job of a teacher's or of a judge's
        to_plan         open the dialog of a teacher's plan, beginning with this part of one, plain data
        to_judging      ask how the samples that this search finds are to be judged
        to_playground   choose this model, a name or path as `core.models.resolve` takes it
        to_evaluation   ask how this model, a name or path likewise, is to be evaluated
    Signals, all past facts or plain wishes:
        changed(Changes)           samples changed, whoever did it; every view decides whether to refresh
        undone(Operation)          an operation was undone or done again; `changed` was emitted for it before
        problem(UserError)         shown as a banner on the page in front
        noticed(text, label, run)  shown as a toast; label and run are an optional action ("" and None)
        page_wanted(name)          bring a page to the front
        workspace_wanted(path)     close this workspace and open another
        settings_changed()
        closed()                   the tasks have ended: let go of child processes
    """

    changed = Signal(object)
    undone = Signal(object)
    problem = Signal(object)
    noticed = Signal(str, str, object)
    page_wanted = Signal(str)
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
        show = self.page_wanted.emit
        self.to_samples = PageRequest("samples", show, self)
        self.to_training = PageRequest("training", show, self)
        self.to_run = PageRequest("training", show, self)
        self.to_teacher = PageRequest("teacher", show, self)
        self.to_plan = PageRequest("teacher", show, self)
        self.to_judging = PageRequest("teacher", show, self)
        self.to_playground = PageRequest("playground", show, self)
        self.to_evaluation = PageRequest("evaluation", show, self)
        self._reader: sqlite3.Connection | None = None
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
