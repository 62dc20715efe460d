"""The runs that the one on the screen is compared with: chosen by id, read off the GUI thread, followed while they grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.tasks import TaskRunner
from app.training.run_feed import MOST_HERE
from core.errors import UserError
from core.jobs import JobFolder
from core.jobs.folder import read_job
from core.training.metrics import RunMetrics

POLL_MS = 1000


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run beside the one that is looked at. slot: its colour, kept as long as it is chosen, from 1."""

    id: str
    title: str
    config: Mapping[str, Any]
    metrics: RunMetrics
    slot: int


class OverlayFeed(QObject):
    """Signals:
    changed()            another choice has been read
    grown()              some run has new numbers
    failed(UserError)    a run could not be read
    """

    changed = Signal()
    grown = Signal()
    failed = Signal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._slots: dict[str, int] = {}
        self._read: dict[str, ComparedRun] = {}
        self._reading: set[str] = set()
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The ids that were chosen, in that order, read already or not."""
        return tuple(self._slots)

    def runs(self) -> tuple[ComparedRun, ...]:
        """Those that are read, in the order they were chosen."""
        return tuple(self._read[one] for one in self._slots if one in self._read)

    def choose(self, jobs: Path, ids: tuple[str, ...]) -> None:
        """Compare with these runs of a workspace from now on."""
        for gone in set(self._slots) - set(ids):
            del self._slots[gone]
            self._read.pop(gone, None)
        for new in ids:
            if new not in self._slots:
                taken = set(self._slots.values())
                self._slots[new] = next(slot for slot in range(1, len(taken) + 2) if slot not in taken)
                self._open(JobFolder(jobs / new), self._slots[new])
        self.changed.emit()

    def _open(self, folder: JobFolder, slot: int) -> None:
        def read() -> ComparedRun:
            job = read_job(folder)
            metrics = RunMetrics(folder.events)
            metrics.load()
            return ComparedRun(folder.id, job.title, job.request.get("config", {}), metrics, slot)

        self._reading.add(folder.id)
        self._tasks.run(read, self._on_read, lambda error: self._on_unreadable(folder.id, error), owner=self)

    def _on_read(self, run: ComparedRun) -> None:
        self._reading.discard(run.id)
        if self._slots.get(run.id) == run.slot:
            self._read[run.id] = run
            self.changed.emit()

    def _on_unreadable(self, job_id: str, error: UserError) -> None:
        self._reading.discard(job_id)
        self._slots.pop(job_id, None)
        self._read.pop(job_id, None)
        self.failed.emit(error)

    def pause(self) -> None:
        """Stop looking, while nobody looks at the page."""
        self._timer.stop()

    def go_on(self) -> None:
        """Look from now on."""
        self._timer.start()

    def poll(self) -> None:
        """Look once at all of them."""
        behind = {run.id: run.metrics.behind() for run in self._read.values()}
        for run in list(self._read.values()):
            if behind[run.id] > MOST_HERE and run.id not in self._reading:
                self._open(JobFolder(run.metrics.path.parent), run.slot)
        near = [run for run in self._read.values() if behind[run.id] <= MOST_HERE]
        if any([run.metrics.poll() for run in near]):
            self.grown.emit()
