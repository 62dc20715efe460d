"""Work of the Samples page that takes a while: one at a time, with a progress line, a way to stop it, and its end told in the banner."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.context import AppContext
from app.samples.columns import number
from app.widgets.banner import Banner
from app.widgets.progress import ProgressLine, amount
from core.errors import UserError

_BUSY = "Something is under way already; wait for its end or stop it."


class LongWork(QObject):
    """Attributes: banner, progress. Whoever works asks `free`, then `begin`s, and `end`s or `fail`s."""

    def __init__(self, context: AppContext, banner: Banner, progress: ProgressLine, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._stop: Callable[[], None] | None = None
        self.banner = banner
        self.progress = progress
        progress.cancelled.connect(self._on_cancelled)

    @property
    def busy(self) -> bool:
        """Is something under way?"""
        return self._stop is not None

    def free(self) -> bool:
        """Can something begin? If not, the banner says so."""
        if self.busy:
            self.banner.say(_BUSY, "warn")
        return not self.busy

    def begin(
        self, what: str, stop: Callable[[], None] | None = None, show: Callable[[int], str] = amount
    ) -> Callable[[int, int], None]:
        """Show the line; `stop` is called when the user asks for it. Returns where to report progress, from any thread."""
        self.banner.clear()
        self._stop = stop or (lambda: None)
        self.progress.start(what, stoppable=stop is not None, show=show)
        return self._context.tasks.relay(self.progress.advance, owner=self)

    def end(self) -> None:
        """It is done; the line goes."""
        self._stop = None
        self.progress.finish()

    def fail(self, error: UserError) -> None:
        """It could not be done; the banner says why."""
        self.end()
        self.banner.problem(error)

    def _on_cancelled(self) -> None:
        if self._stop is not None:
            self.progress.stopping()
            self._stop()


def samples(count: int) -> str:
    """So many samples, in words."""
    return f"{number(count)} sample{'s' if count != 1 else ''}"
