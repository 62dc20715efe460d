"""The results of all evaluations that are done, for whoever compares: read off the GUI thread, again only when another one is done."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from core.evaluation.board import KINDS, RUN_KIND, Board, Entry, stamp


class BoardFeed(QObject):
    """Attributes: entries, newest first. Signals: changed()."""

    changed = Signal()

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._board = Board()
        self._seen: tuple[tuple[str, object], ...] = ()
        self._reading = False
        self.entries: tuple[Entry, ...] = ()
        context.jobs.updated.connect(self.look)
        self.look()

    def entry(self, key: str) -> Entry | None:
        """The result with this key, which of an evaluation job is its id; None where there is none."""
        return next((one for one in self.entries if one.key == key), None)

    def look(self) -> None:
        """Read what is new, unless that is under way."""
        jobs = [
            one
            for one in self._context.jobs.jobs
            if one.kind == RUN_KIND or (one.kind in KINDS and one.state == "done")
        ]
        seen = tuple((job.id, stamp(job)) for job in jobs)
        if self._reading or seen == self._seen:
            return
        self._reading, self._seen = True, seen
        self._context.tasks.run(lambda: self._board.entries(jobs), self._on_read, owner=self)

    def _on_read(self, found: list[Entry]) -> None:
        self._reading = False
        self.entries = tuple(found)
        self.changed.emit()
        self.look()
