"""What else there is to know of a sample: snapshots that hold it, runs that used them, problems it gives away, the teacher or the answer it
came from, what judges say of it.

Looked up off the GUI thread, and only for a sample that stays in front for a moment.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from app.tasks import Task
from core.samples import comparing, snapshots
from core.samples.store import Sample
from core.training import origin
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.samples.answered import Answered
    from core.teacher.judging.judgement import Judgement
    from core.teacher.provenance import Provenance

_PAUSE_MS = 350
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Used:
    """words: the problems that a sample gives away and the snapshots that hold it, in a line; "" for none.

    runs: job id and title of the runs on those snapshots, the newest first. origin: None where no teacher wrote it.
    judgements: of its present text, the newest first. answered: None where it was no answer of the playground.
    """

    words: str = ""
    runs: tuple[tuple[str, str], ...] = ()
    origin: Provenance | None = None
    judgements: tuple[Judgement, ...] = ()
    answered: Answered | None = None


class Uses(QObject):
    """Signals: told(sample id, Used)."""

    told = Signal(int, object)

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
            lambda: uses(workspace, sample), lambda found: self.told.emit(sample.id, found), owner=self
        )


def uses(workspace: Workspace, sample: Sample) -> Used:
    """All that is known of the sample outside its own rows."""
    held = comparing.containing(snapshots.list_snapshots(workspace.snapshots), sample.uid)
    runs = origin.runs_on(workspace.jobs, {one.snapshot for one in held}) if held else ()
    with closing(workspace.connect(readonly=True)) as connection:
        given_away, origin_ = _given_away(connection, sample), _origin(connection, sample)
        judgements, answered_ = _judgements(connection, sample), _answered(connection, sample)
    words = " · ".join(words for words in (given_away, _held(held, sample)) if words)
    return Used(words, runs, origin_, judgements, answered_)


def _origin(connection: sqlite3.Connection, sample: Sample) -> Provenance | None:
    from core.teacher.provenance import provenance  # late: no part of the start

    return provenance(connection, sample.id)


def _judgements(connection: sqlite3.Connection, sample: Sample) -> tuple[Judgement, ...]:
    from core.teacher.judging.judgement import judgements  # late: no part of the start

    return tuple(judgements(connection, sample.id))


def _answered(connection: sqlite3.Connection, sample: Sample) -> Answered | None:
    from core.samples import answered  # late: no part of the start

    return answered.origin(connection, sample.id)


def _given_away(connection: sqlite3.Connection, sample: Sample) -> str:
    from core.samples import contamination  # late: no part of the start

    hits = contamination.hits(connection, sample.version)
    kinds: dict[str, list[str]] = {}
    for hit in hits:
        kinds.setdefault(f"{hit.suite} {hit.task}", []).append(hit.kind)
    return f"Gives away {_few([_named(*one) for one in kinds.items()])}" if kinds else ""


def _named(task: str, kinds: list[str]) -> str:
    return f"{task} ({', '.join(kinds)})"


def _held(held: list[comparing.Membership], sample: Sample) -> str:
    names = [
        f"{one.snapshot} ({one.side}{'' if one.version == sample.version else ', an earlier text'})" for one in held
    ]
    return f"In {_few(names)}" if names else ""


def _few(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
