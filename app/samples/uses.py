"""What else there is to know of a sample: snapshots that hold it, runs that trained on it, problems it gives away.

Looked up off the GUI thread, and only for a sample that stays in front for a moment.
"""

from __future__ import annotations

from contextlib import closing

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from app.tasks import Task
from core.jobs import list_jobs
from core.jobs.folder import read_job
from core.samples import comparing, snapshots
from core.samples.store import Sample
from core.workspace import Workspace

_PAUSE_MS = 350
_NAMED = 3


class Uses(QObject):
    """Signals: told(sample id, words); the words are "" when it was never used."""

    told = Signal(int, str)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._sample: Sample | None = None
        self._task: Task | None = None
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._timer.timeout.connect(self._look)

    def ask(self, sample: Sample | None) -> None:
        """Look this one up, if it is still in front in a moment."""
        self._sample = sample
        if sample is not None:
            self._timer.start()
        else:
            self._timer.stop()

    def _look(self) -> None:
        sample = self._sample
        if sample is None:
            return
        if self._task is not None and not self._task.finished:
            self._task.cancel()
        workspace = self._context.workspace
        self._task = self._context.tasks.run(
            lambda: uses(workspace, sample), lambda words: self.told.emit(sample.id, words), owner=self
        )


def uses(workspace: Workspace, sample: Sample) -> str:
    """The problems that a sample gives away, the snapshots that hold it and the runs that trained on them, in a line; "" for none."""
    return " · ".join(words for words in (_given_away(workspace, sample), _held(workspace, sample)) if words)


def _given_away(workspace: Workspace, sample: Sample) -> str:
    from core.samples import contamination  # late: no part of the start

    with closing(workspace.connect(readonly=True)) as connection:
        hits = contamination.hits(connection, sample.version)
    kinds: dict[str, list[str]] = {}
    for hit in hits:
        kinds.setdefault(f"{hit.suite} {hit.task}", []).append(hit.kind)
    return f"Gives away {_few([_named(*one) for one in kinds.items()])}" if kinds else ""


def _named(task: str, kinds: list[str]) -> str:
    return f"{task} ({', '.join(kinds)})"


def _held(workspace: Workspace, sample: Sample) -> str:
    held = comparing.containing(snapshots.list_snapshots(workspace.snapshots), sample.uid)
    if not held:
        return ""
    names = [
        f"{one.snapshot} ({one.side}{'' if one.version == sample.version else ', an earlier text'})" for one in held
    ]
    frozen = {one.snapshot for one in held}
    runs = [
        job.title
        for job in list_jobs(workspace.jobs)
        if job.kind == "train" and read_job(job.folder).request["config"]["data"]["snapshot"] in frozen
    ]
    words = f"In {_few(names)}"
    return f"{words} · used by {_few(runs)}" if runs else words


def _few(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
