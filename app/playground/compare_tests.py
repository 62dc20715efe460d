"""The prompt's test on every answer: one after the other, off the GUI thread, and none of them on an answer that nobody wants any more."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from core.evaluation.judging import Judged
from core.evaluation.tasks import Task, judged


class CompareTests(QObject):
    """Signals: waiting(key), its turn comes; judged(key, Judged), or None where nobody wants to know any more; failed(key, UserError), as where there is no toolchain."""

    waiting = Signal(int)
    judged = Signal(int, object)
    failed = Signal(int, object)

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._queue: list[tuple[int, Task, str]] = []
        self._cancel = threading.Event()
        self._busy = False
        self._waiting: set[int] = set()
        self.destroyed.connect(self._cancel.set)

    def add(self, key: int, task: Task, answer: str) -> None:
        """Judge an answer as soon as those before it are."""
        self._queue.append((key, task, answer))
        self._waiting.add(key)
        self.waiting.emit(key)
        self._next()

    def clear(self) -> None:
        """Judge nothing of what was asked for any more."""
        self._queue = []
        self._cancel.set()
        self._cancel = threading.Event()
        self._busy = False
        waiting, self._waiting = self._waiting, set()
        for key in waiting:
            self.judged.emit(key, None)

    def _next(self) -> None:
        if self._busy or not self._queue:
            return
        self._busy = True
        key, task, answer = self._queue.pop(0)
        cancel, tasks = self._cancel, self._context.tasks

        def enough() -> bool:
            return cancel.is_set() or tasks.closing()

        tasks.run(
            lambda: judged(task, answer, cancel=enough),
            lambda found: self._on_done(cancel, key, found),
            lambda error: self._on_done(cancel, key, error),
            owner=self,
        )

    def _on_done(self, cancel: threading.Event, key: int, found: object) -> None:
        if cancel is not self._cancel:
            return
        self._busy = False
        self._waiting.discard(key)
        if isinstance(found, Judged):
            self.judged.emit(key, found)
        elif found is not None:
            self.failed.emit(key, found)
        self._next()
