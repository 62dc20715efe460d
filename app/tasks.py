"""Work off the GUI thread, and its result back on it.

Three lanes: one thread that owns the writing connection, one that owns a read-only one (so that a search need not wait
for an import), and a pool for everything without a database. Functions get plain values and return plain
values; no widget and no model ever crosses over. A result whose owner is gone is dropped.

`TaskRunner(..., inline=True)` does the work on the spot, for tests of single widgets.
"""

from __future__ import annotations

import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

from core.errors import UserError
from core.steps import Steps

T = TypeVar("T")

Done = Callable[[T], object]
Failed = Callable[[UserError], object]

_BRIEFLY = 0.5
_STEPS = 100_000
"""Steps of SQLite's machine, some milliseconds, after which a query looks whether it was cancelled."""


class Database(Protocol):
    """What a runner needs of a workspace."""

    def connect(self, *, readonly: bool = False) -> sqlite3.Connection: ...


class Task:
    """One piece of work: ask it to stop, or ask whether that was asked.

    A cancelled task delivers nothing but bugs. What it does meanwhile is up to its function, which may look at `cancelled`.
    """

    __slots__ = ("_cancel", "finished")

    def __init__(self) -> None:
        self._cancel = threading.Event()
        self.finished = False

    def cancel(self) -> None:
        """Drop the result, and break off a statement that is under way."""
        self._cancel.set()

    def cancelled(self) -> bool:
        """Was it asked to stop? Safe on any thread."""
        return self._cancel.is_set()


class TaskRunner(QObject):
    """Runs functions elsewhere.

    Signals: problem(UserError), when a task without an `on_error` failed in a way that a user can mend. Any other exception is a
    bug and goes to `sys.excepthook` on the GUI thread.
    """

    problem = Signal(object)
    _posted = Signal(object)

    def __init__(self, database: Database | None, *, pool: int = 12, inline: bool = False) -> None:
        super().__init__()
        self._inline = inline
        self._posted.connect(self._on_posted, Qt.ConnectionType.QueuedConnection)
        self._writer = _Lane("writer", partial(database.connect, readonly=False) if database else None)
        self._reader = _Lane("reader", partial(database.connect, readonly=True) if database else None)
        self._pool = _Lane("pool", None, threads=pool)

    def run_db(
        self,
        function: Callable[[sqlite3.Connection], T],
        on_done: Done[T] | None = None,
        on_error: Failed | None = None,
        *,
        owner: QObject | None = None,
    ) -> Task:
        """`function(connection)` on the one thread that writes; tasks run in the order they came."""
        return self._start(self._writer, partial(_at_once, function), on_done, on_error, owner)

    def run_db_steps(
        self,
        function: Callable[[sqlite3.Connection], Steps[T]],
        on_done: Done[T] | None = None,
        on_error: Failed | None = None,
        *,
        owner: QObject | None = None,
    ) -> Task:
        """As `run_db`, for long work in steps: whatever else is to be written comes in between two of them.

        When the runner closes, the work is dropped after the step it is in.
        """
        return self._start(self._writer, function, on_done, on_error, owner)

    def run_query(
        self,
        function: Callable[[sqlite3.Connection], T],
        on_done: Done[T] | None = None,
        on_error: Failed | None = None,
        *,
        owner: QObject | None = None,
    ) -> Task:
        """`function(connection)` on the one thread that only reads. `Task.cancel` interrupts the statement under way."""
        return self._start(self._reader, partial(_at_once, function), on_done, on_error, owner)

    def run(
        self,
        function: Callable[[], T],
        on_done: Done[T] | None = None,
        on_error: Failed | None = None,
        *,
        owner: QObject | None = None,
    ) -> Task:
        """`function()` on a thread of the pool."""
        return self._start(self._pool, partial(_at_once, lambda _none: function()), on_done, on_error, owner)

    def relay(self, function: Callable[..., object], *, owner: QObject | None = None) -> Callable[..., None]:
        """A function for other threads that calls `function` on the GUI thread with the latest arguments.

        Calls that come faster than the GUI takes them are merged, so progress may be reported as often as one likes.
        """
        latest: list[tuple[Any, ...]] = []
        lock = threading.Lock()

        def deliver() -> None:
            with lock:
                arguments = latest.pop()
            if _alive(owner):
                function(*arguments)

        def call(*arguments: object) -> None:
            with lock:
                waiting = bool(latest)
                latest[:] = [arguments]
            if not waiting:
                self._post(deliver)

        return call

    def busy(self) -> bool:
        """Is anything queued, at work, or not yet delivered? For tests and for closing."""
        return any(lane.unfinished for lane in (self._writer, self._reader, self._pool))

    def closing(self) -> bool:
        """Is everything being put away? Safe on any thread; for long work with children of its own, which asks now and then."""
        return self._pool.closing

    def close(self, seconds: float = 10.0) -> None:
        """Let the writer finish what it has, for at most `seconds`; drop everything else. Call once, at the end.

        Work of the other lanes that does not end by itself within half a second is left behind: its threads are daemons, its result is nobody's.
        """
        self._posted.disconnect(self._on_posted)
        self._reader.close(_BRIEFLY, drop=True)
        self._pool.close(_BRIEFLY, drop=True)
        self._writer.close(seconds, drop=False)

    def _start(
        self,
        lane: _Lane,
        begin: Callable[[Any], Steps[T]],
        on_done: Done[T] | None,
        on_error: Failed | None,
        owner: QObject | None,
    ) -> Task:
        task = Task()
        under_way: list[Steps[T]] = []

        def step(lane: _Lane) -> bool:
            deliver: Callable[[], object] = _nothing
            try:
                if not (task.cancelled() or (lane.closing and under_way)):
                    # A handler and not Connection.interrupt: that is lost when it comes between two statements.
                    connection = lane.connection()
                    if connection is not None:
                        connection.set_progress_handler(task.cancelled, _STEPS)
                    if not under_way:
                        under_way.append(begin(connection))
                    next(under_way[0])
                    return True
                for steps in under_way:
                    steps.close()
            except StopIteration as end:
                if on_done is not None:
                    deliver = partial(on_done, end.value)
            except UserError as error:
                deliver = partial(on_error or self.problem.emit, error)
            except BaseException as error:  # noqa: BLE001  every bug, wherever it happens, ends in the report dialog
                if not (task.cancelled() and isinstance(error, sqlite3.OperationalError)):
                    self._post(partial(sys.excepthook, type(error), error, error.__traceback__))
            self._post(partial(self._finish, lane, task, owner, deliver))
            return False

        lane.put(step, here=self._inline)
        return task

    def _finish(self, lane: _Lane, task: Task, owner: QObject | None, deliver: Callable[[], object]) -> None:
        lane.unfinished -= 1
        task.finished = True
        if not task.cancelled() and _alive(owner):
            deliver()

    def _post(self, call: Callable[[], object]) -> None:
        if self._inline:
            call()
        else:
            self._posted.emit(call)

    @Slot(object)
    def _on_posted(self, call: Callable[[], object]) -> None:
        call()


class _Lane:
    """Threads that take work from one queue, started when the first work comes.

    A lane with a database has one thread, which opens the connection and closes it. `unfinished` is for the GUI thread alone.
    """

    def __init__(self, name: str, connect: Callable[[], sqlite3.Connection] | None, *, threads: int = 1) -> None:
        self.unfinished = 0
        self._name = name
        self._connect = connect
        self._most = threads
        self._threads: list[threading.Thread] = []
        self._queue: queue.SimpleQueue[Callable[[_Lane], bool] | None] = queue.SimpleQueue()
        self._open: sqlite3.Connection | None = None
        self._dropping = False
        self.closing = False

    def connection(self) -> sqlite3.Connection | None:
        """The lane's connection, made on first use; None for the pool. Raises UserError when the database cannot be opened."""
        if self._open is None and self._connect is not None:
            self._open = self._connect()
        return self._open

    def put(self, step: Callable[[_Lane], bool], *, here: bool) -> None:
        """Have `step` called until it says False: each call at the end of the queue."""
        self.unfinished += 1
        if here:
            while step(self):
                pass
            return
        self._queue.put(step)
        if len(self._threads) < min(self._most, self.unfinished):
            thread = threading.Thread(target=self._loop, name=f"gosmith-{self._name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self, seconds: float, *, drop: bool) -> None:
        self._dropping = drop
        self.closing = True
        for _ in self._threads:
            self._queue.put(None)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if not self._threads:
            self._close_connection()

    def _loop(self) -> None:
        while (step := self._queue.get()) is not None:
            if not self._dropping and step(self):
                if self.closing:
                    step(self)  # it drops what it began
                else:
                    self._queue.put(step)
        self._close_connection()

    def _close_connection(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _alive(owner: QObject | None) -> bool:
    return owner is None or shiboken6.isValid(owner)


def _at_once(function: Callable[[Any], T], connection: sqlite3.Connection | None) -> Steps[T]:
    """Work in a single step."""
    return function(connection)
    yield


def _nothing() -> None:
    """What a task delivers that has nothing to say."""
