"""The programs of one folder, run behind walls from several threads: in sessions where there can be any, else each in walls of its own.

What a program said means nothing here; only that walls stood around it is promised, and that a failing session costs nobody a run.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from pathlib import Path

from core.golang.commands import Cancel, Finished, run
from core.golang.sandbox import Limits, Sandbox, failure, inner_environment, scratch, wrap
from core.golang.session import Session

_LOST = 3
"""So many sessions lost one after the other mean that this machine allows none."""


class WalledPrograms:
    """A folder of static programs. Sessions are started as threads need them, and belong to the threads that start them: those must
    live until `close`, which no thread may overtake."""

    def __init__(self, sandbox: Sandbox, folder: Path, limits: Limits) -> None:
        """folder: an empty one of the caller's. The programs are put into `self.folder`, below it."""
        self.folder = folder / "programs"
        self.folder.mkdir()
        self._empty = folder / "walls"
        self._empty.mkdir()
        self._sandbox = sandbox
        self._limits = limits
        self._idle: queue.SimpleQueue[Session] = queue.SimpleQueue()
        self._lost = 0

    def run(
        self, program: Path, arguments: Sequence[str], *, seconds: float, cancel: Cancel | None
    ) -> tuple[Finished, str]:
        """Run a program of the folder. seconds: wall clock. Returns what came of it, and why it was not run after all, "" when it was."""
        if self._sandbox.level.name == "namespaces" and self._lost < _LOST:
            done = self._in_session(program, arguments, seconds, cancel)
            self._lost = 0 if done is not None else self._lost + 1
            if done is not None:
                return done, ""
        with scratch(self._sandbox.toolchain) as room:
            done = run(
                wrap(self._sandbox, [program, *arguments], Path(room), self._limits),
                folder=Path(room), environment=inner_environment(self._sandbox, Path(room)),
                seconds=seconds, output=self._limits.output, cancel=cancel,
            )  # fmt: skip
        return done, failure(done)

    def _in_session(
        self, program: Path, arguments: Sequence[str], seconds: float, cancel: Cancel | None
    ) -> Finished | None:
        try:
            session = self._idle.get_nowait()
        except queue.Empty:
            try:
                session = Session(self._sandbox, self.folder, self._empty, self._limits)
            except OSError:
                return None  # `run` meets the same and has words for it
        done = None
        try:
            done = session.run(program.name, arguments, seconds=seconds, output=self._limits.output, cancel=cancel)
        finally:
            if done is None or done.stopped == "cancelled":
                session.close()
            else:
                self._idle.put(session)
        return done

    def close(self) -> None:
        """End all sessions; nothing may run meanwhile."""
        while not self._idle.empty():
            self._idle.get_nowait().close()
