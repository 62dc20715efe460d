"""Keeps the conversation on disk while it goes on: one write at a time, the newest state wins, and whoever waits for a write is told.

Writing happens off the GUI thread, but for `flush`, which a window that closes calls.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.tasks import TaskRunner
from core.errors import UserError
from core.inference import conversation_files as files
from core.inference.conversation import Conversation, merged
from core.inference.conversation_files import Kept

Then = Callable[[], object]


class Keeper(QObject):
    """Signals: joined(Conversation), what another window wrote is in it now; failed(UserError), nothing was written."""

    joined = Signal(object)
    failed = Signal(object)

    def __init__(self, folder: Path, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._tasks = tasks
        self._revision = ""
        self._id = ""
        self._writing: Conversation | None = None
        self._next: Conversation | None = None
        self._waiting: list[tuple[Then, Then | None]] = []

    def follow(self, kept: Kept | None) -> None:
        """Keep another conversation from now on: one that was read, or None for one that is new."""
        self.flush()
        self._id = "" if kept is None else kept.conversation.id
        self._revision = "" if kept is None else kept.revision

    def keep(self, conversation: Conversation, then: Then | None = None, instead: Then | None = None) -> None:
        """Write this state. then: called when it is on disk; instead: when it could not be written, before `failed`."""
        if then is not None:
            self._waiting.append((then, instead))
        self._next = conversation
        if self._writing is None:
            self._begin()

    def flush(self) -> None:
        """Write what waits, at once, on this thread; what cannot be written then is told by `failed`."""
        conversation = self._next or self._writing
        self._next = self._writing = None
        self._waiting.clear()
        if conversation is not None:
            try:
                self._revision = files.save(self._folder, conversation, self._known(conversation)).revision
            except UserError as error:
                self.failed.emit(error)

    def _known(self, conversation: Conversation) -> str:
        return self._revision if conversation.id == self._id else ""

    def _begin(self) -> None:
        conversation, self._next = self._next, None
        if conversation is None:
            return
        self._writing = conversation
        folder, revision = self._folder, self._known(conversation)
        waiting, self._waiting = self._waiting, []

        def done(kept: Kept) -> None:
            if self._writing is not conversation:
                return  # a flush, or another conversation, came first
            self._writing = None
            self._id, self._revision = conversation.id, kept.revision
            if kept.conversation != conversation:
                newest = merged(self._next or conversation, kept.conversation)
                self._next = None if self._next is None else newest
                self.joined.emit(newest)
            for then, _instead in waiting:
                then()
            self._begin()

        def failed(error: UserError) -> None:
            if self._writing is not conversation:
                return
            self._writing = None
            for _then, instead in waiting:
                if instead is not None:
                    instead()
            self.failed.emit(error)
            self._begin()

        self._tasks.run(lambda: files.save(folder, conversation, revision), done, failed, owner=self)
