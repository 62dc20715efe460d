"""What can be asked of the chosen run, as commands: save, stop, start now, another place in the queue, clone, delete.

Each writes into the run's folder or into the queue's order, on a thread of the pool, and is offered only where it has an
effect. Nothing is done to a run here: its supervisor and its worker do what they are asked, with or without a window.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu, QWidget

from app.context import AppContext
from app.training.run_size import amount, size_of
from app.widgets.jobs.job_commands import JobCommands
from app.widgets.jobs.job_row import RESUMABLE
from app.widgets.question import question
from core.jobs import JobInfo, delete, stop
from core.jobs.control import request_checkpoint, request_stop_after_epoch, start_now
from core.jobs.folder import read_job
from core.jobs.order import FIRST, move, shift
from core.training import launch

_MENU = (
    ("runs.resume", "runs.start_now", "runs.checkpoint", "runs.stop_after_epoch", "runs.stop"),
    ("runs.move_first", "runs.move_up", "runs.move_down"),
    ("runs.clone", "runs.delete"),
)


class RunActions(QObject):
    """Attribute commands: those of the chosen run. Signal: clone_wanted(what was asked of the run, as in job.json)."""

    clone_wanted = Signal(object)

    def __init__(self, context: AppContext, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._run: JobInfo | None = None
        runs = {
            "runs.resume": lambda: self._ask(lambda chosen: launch.resume(chosen.folder)),
            "runs.start_now": lambda: self._ask(lambda chosen: start_now(chosen.folder)),
            "runs.checkpoint": lambda: self._ask(lambda chosen: request_checkpoint(chosen.folder)),
            "runs.stop_after_epoch": lambda: self._ask(lambda chosen: request_stop_after_epoch(chosen.folder)),
            "runs.stop": self.stop,
            "runs.move_first": lambda: self._ask(lambda chosen: move(self._jobs, chosen.id, FIRST)),
            "runs.move_up": lambda: self._ask(lambda chosen: shift(self._jobs, chosen.id, -1)),
            "runs.move_down": lambda: self._ask(lambda chosen: shift(self._jobs, chosen.id, 1)),
            "runs.clone": self._clone,
            "runs.delete": self._ask_before_deleting,
        }
        self.commands = JobCommands(context.commands, context.tasks, page, runs)
        self.show_run(None, 0)

    @property
    def _jobs(self) -> Path:
        return self._context.workspace.jobs

    def show_run(self, run: JobInfo | None, waiting: int) -> None:
        """Offer what can be asked of this run. waiting: how many jobs wait in the queue."""
        self._run = run
        state = run.state if run is not None else ""
        place = run.place if run is not None else None
        self.commands.offer(
            {
                "runs.resume": state in RESUMABLE,
                "runs.start_now": run is not None and run.not_before is not None,
                "runs.checkpoint": state == "running",
                "runs.stop_after_epoch": state == "running",
                "runs.stop": run is not None and run.alive,
                "runs.move_first": place is not None and place > 1,
                "runs.move_up": place is not None and place > 1,
                "runs.move_down": place is not None and place < waiting,
                "runs.clone": run is not None,
                "runs.delete": run is not None and not run.alive,
            }
        )
        self.commands.call(
            "runs.stop", "Take it out of the queue" if state == "queued" else "Pause: save a checkpoint and stop"
        )

    def fill(self, menu: QMenu) -> None:
        """Put the commands into a menu: what can be done now, and no move for a run that does not wait."""
        self.commands.fill(menu, _MENU)

    def pop_up(self, place: QPoint) -> None:
        """The same as a menu of its own, at this point of the screen."""
        self.commands.pop_up(place, "run", _MENU)

    def stop(self) -> None:
        """Ask the run to save a checkpoint and stop; asked twice, it ends at once."""
        self._ask(lambda run: stop(run.folder))

    def move(self, job_id: str, before: str) -> None:
        """Give a waiting run another place (see `core.jobs.order.move`)."""
        self.commands.ask(lambda: move(self._jobs, job_id, before))

    def _clone(self) -> None:
        run = self._run
        if run is not None:
            self._context.tasks.run(
                lambda: read_job(run.folder).request, self.clone_wanted.emit, self.commands.failed.emit, owner=self
            )

    def _ask_before_deleting(self) -> None:
        run = self._run
        if run is not None:
            self._context.tasks.run(
                lambda: size_of(run.folder.path), lambda size: self._show_question(run, size), owner=self
            )

    def _show_question(self, run: JobInfo, size: int) -> None:
        question(
            self._page, "delete", "Delete a run", f"Delete “{run.title}”?", f"Its curves, its log and its checkpoints ({amount(size)}) are removed from the disk. This cannot be undone.",
            "Delete", lambda: self.commands.ask(lambda: delete(run.folder)),
        ).open()  # fmt: skip

    def _ask(self, function: Callable[[JobInfo], object]) -> None:
        run = self._run
        if run is not None:
            self.commands.ask(lambda: function(run))
