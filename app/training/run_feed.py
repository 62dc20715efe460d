"""Follows one run while it is looked at: its state, its metrics, its log.

It reads the job folder and nothing else, so it does not matter who started the run or how often the window was closed.
The first reading of a long run happens on a worker thread; later ones are a few lines each and happen here.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.tasks import TaskRunner
from core.errors import UserError
from core.jobs import JobFolder, JobInfo, info
from core.training.metrics import RunMetrics

POLL_MS = 250
MOST_HERE = 1 << 18
"""Bytes of log, about a thousand steps, that are read between two frames; more is read elsewhere, all anew."""


class RunFeed(QObject):
    """The run that is shown.

    Signals: opened(RunMetrics), when another run's metrics are read; updated(JobInfo), whenever its folder was looked at.
    """

    opened = Signal(object)
    updated = Signal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._folder: JobFolder | None = None
        self._metrics: RunMetrics | None = None
        self._reading = False
        self._watched = False
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def folder(self) -> JobFolder | None:
        """The run that is shown, None at first."""
        return self._folder

    def show(self, folder: JobFolder) -> None:
        """Follow this run from now on."""
        if self._folder == folder:
            return
        self._folder = folder
        self._metrics = None
        self._timer.stop()
        self._open(folder)

    def _open(self, folder: JobFolder) -> None:
        """Read all of a run off the GUI thread: at first, and again when much came while nobody looked."""

        def read() -> RunMetrics:
            metrics = RunMetrics(folder.events)
            metrics.load()
            return metrics

        self._reading = True
        self._tasks.run(read, self._on_read, owner=self)

    def pause(self) -> None:
        """Stop looking, while nobody looks at the page."""
        self._watched = False
        self._timer.stop()

    def go_on(self) -> None:
        """Look again, at once and from now on."""
        self._watched = True
        if self._metrics is not None:
            self._timer.start()
            self.poll()

    def _on_read(self, metrics: RunMetrics) -> None:
        if self._folder is None or metrics.path != self._folder.events:
            return
        self._reading = False
        self._metrics = metrics
        self.opened.emit(metrics)
        if self._watched:
            self._timer.start()
        self.poll()

    def poll(self) -> None:
        """Look once."""
        if self._folder is None or self._metrics is None or self._reading:
            return
        if self._metrics.behind() > MOST_HERE:
            self._open(self._folder)
            return
        self._metrics.poll()
        try:
            state: JobInfo = info(self._folder)
        except UserError:
            self._timer.stop()
            return
        self.updated.emit(state)
        if not state.alive:
            self._timer.stop()
