"""Follows one evaluation while it is looked at: its state and pace from its folder, and what was judged, read anew when there is more of it.

All of it off the GUI thread, and never twice at a time. It does not matter who started the job.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.errors import UserError
from core.evaluation import board, contents
from core.evaluation.board import Standing
from core.evaluation.contents import Contents, Stamp
from core.jobs import JobFolder, JobInfo, info

POLL_MS = 500
_LOOKED_BACK = 256 * 1024
"""Bytes of events, some ten minutes at ten a second: what the pace is told from."""


class EvaluationFeed(QObject):
    """Signals:
    looked(JobInfo, Standing)   its folder was looked at
    loaded(Contents)            what it holds was read, whole or so far
    failed(UserError)           what it holds cannot be read
    """

    looked = Signal(object, object)
    loaded = Signal(object)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._folder: JobFolder | None = None
        self._stamp: Stamp | None = None
        self._looking = False
        self._watched = False
        self._number = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self.look)

    @property
    def folder(self) -> JobFolder | None:
        """The job that is shown, None at first."""
        return self._folder

    def show(self, folder: JobFolder) -> None:
        """Follow this job from now on."""
        if self._folder == folder:
            return
        self._folder, self._stamp, self._looking = folder, None, False
        self._number += 1  # answers that are under way are another job's
        if self._watched:
            self.go_on()

    def go_on(self) -> None:
        """Look again, at once and from now on."""
        self._watched = True
        if self._folder is not None:
            self._timer.start()
            self.look()

    def pause(self) -> None:
        """Stop looking, while nobody looks at the page."""
        self._watched = False
        self._timer.stop()

    def look(self) -> None:
        """Read what is new in the folder, unless that is under way."""
        folder, known, number = self._folder, self._stamp, self._number
        if folder is None or self._looking:
            return
        self._looking = True

        def read() -> tuple[JobInfo, Standing, Stamp, Contents | UserError | None]:
            state, stamp = info(folder), contents.stamp(folder)
            found: Contents | UserError | None = None
            if stamp != known:
                try:
                    found = contents.read(folder)
                except UserError as error:
                    found = error
            return state, board.standing(folder.events, _LOOKED_BACK), stamp, found

        self._context.tasks.run(
            read,
            lambda result: self._on_read(number, *result),
            lambda _error: self._on_gone(number),
            owner=self,
        )

    def _on_read(
        self, number: int, state: JobInfo, at: Standing, stamp: Stamp, found: Contents | UserError | None
    ) -> None:
        if number != self._number:
            return
        self._looking = False
        self._stamp = stamp
        self.looked.emit(state, at)
        if isinstance(found, UserError):
            self.failed.emit(found)
        elif found is not None:
            self.loaded.emit(found)
        if not state.alive:
            self._timer.stop()

    def _on_gone(self, number: int) -> None:
        if number == self._number:
            self._looking = False
            self._timer.stop()
