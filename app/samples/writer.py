"""Everything the page writes, each as one operation on the database thread.

The answer comes back as an `Operation`; its changes are told to the whole window, and work on many samples is offered for undoing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.errors import UserError
from core.golang.checker import CheckResult
from core.samples import edits, store
from core.samples.edits import Operation, Scope
from core.samples.query import Query


class Writer(QObject):
    """Signals:
    done(Operation)
    failed(UserError)
    saved(sample id)     an edit is stored
    """

    done = Signal(object)
    failed = Signal(object)
    saved = Signal(int)

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context

    def decide(self, scope: Scope, status: str, reasons: Sequence[str] | None = None) -> None:
        """Accept, reject, put back."""
        author = self._reviewer
        self._run(lambda connection: edits.review(connection, scope, status=status, reasons=reasons, author=author))

    def rate(self, scope: Scope, rating: int) -> None:
        """1 to 5; 0 takes the rating away."""
        author = self._reviewer
        self._run(lambda connection: edits.review(connection, scope, rating=rating, author=author))

    def note(self, sample_id: int, text: str) -> None:
        """Write a note on one sample."""
        author = self._reviewer
        self._run(lambda connection: edits.review(connection, [sample_id], note=text, author=author))

    def tag(self, scope: Scope, add: Sequence[str], remove: Sequence[str]) -> None:
        """Add and remove tags."""
        author = self._reviewer
        self._run(lambda connection: edits.tag(connection, scope, add=add, remove=remove, author=author))

    def delete(self, scope: Scope) -> None:
        """Put samples aside; undo brings them back."""
        author = self._reviewer
        self._run(lambda connection: edits.delete(connection, scope, author=author))

    def keep_best(self, query: Query) -> None:
        """Reject what is marked as a near copy."""
        from core.samples import duplicates

        author = self._reviewer
        self._run(lambda connection: duplicates.keep_best(connection, query, author=author))

    def edit(self, sample_id: int, response: str, base_version: int, verdict: CheckResult | None) -> None:
        """Save a new answer. verdict: what Go said of exactly this code, stored with the new version."""

        author = self._reviewer

        def work(connection: sqlite3.Connection) -> Operation:
            operation = edits.edit(connection, sample_id, response, base_version=base_version, author=author)
            if verdict is not None and operation.changed:
                version = store.sample(connection, sample_id).version
                record = store.VerdictRecord(version, verdict.states, verdict.diagnostics, policy=verdict.policy)
                changes = store.save_verdicts(connection, [record])
                return Operation(operation.id, operation.label, operation.changed, operation.changes.merged(changes))
            return operation

        def saved(operation: Operation) -> None:
            self.saved.emit(sample_id)
            self._on_done(operation)

        self._context.tasks.run_db(work, saved, self.failed.emit, owner=self)

    @property
    def _reviewer(self) -> str:
        return self._context.settings.reviewer

    def _run(self, work: Callable[[sqlite3.Connection], Operation]) -> None:
        self._context.tasks.run_db(work, self._on_done, self._on_failed, owner=self)

    def _on_failed(self, error: UserError) -> None:
        self.failed.emit(error)

    def _on_done(self, operation: Operation) -> None:
        self._context.report(operation.changes)
        self.done.emit(operation)
        if operation.changed > 1:
            QTimer.singleShot(0, self, lambda: self._offer_undo(operation))  # after the paint of what has changed

    def _offer_undo(self, operation: Operation) -> None:
        self._context.notice(f"Done: {operation.label}", "Undo", lambda: self._context.commands.run("app.undo"))
