"""Checks a draft while it is typed: parse, format and types, in one Go helper that the window keeps.

The helper is a child of this process and ends with it. Only the newest text is checked; whatever is out of date is dropped. Without a Go
toolchain editing works as ever, and the reason is told once.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.tasks import TaskRunner
from core.errors import UserError
from core.golang.checker import Checker, CheckItem, CheckResult


class DraftChecker(QObject):
    """Signals:
    checked(code, CheckResult)
    unavailable(UserError)       there is no toolchain, or the helper cannot be built
    """

    checked = Signal(str, object)
    unavailable = Signal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._checker = Checker(workers=1)
        self._busy = False
        self._next: str | None = None
        self._broken = False

    def check(self, code: str) -> None:
        """Check this text as soon as the helper is free; an older text that still waits is forgotten."""
        if self._broken:
            return
        self._next = code
        if not self._busy:
            self._start()

    def close(self) -> None:
        """End the helper."""
        self._broken = True
        self._checker.close()

    def _start(self) -> None:
        code, self._next = self._next, None
        if code is None:
            return
        self._busy = True
        checker = self._checker
        self._tasks.run(
            lambda: (code, next(iter(checker.check([CheckItem(0, code)])))), self._on_done, self._on_error, owner=self
        )

    def _on_done(self, found: tuple[str, CheckResult]) -> None:
        self._busy = False
        self.checked.emit(*found)
        self._start()

    def _on_error(self, error: UserError) -> None:
        self._busy = False
        self._broken = True
        self.unavailable.emit(error)
