"""One running Go helper: lines in, lines out, and a clear word when it is gone.

Knows nothing of what the lines mean beyond the first and the last one. A restart is the caller's decision.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import queue
import resource
import selectors
import signal
import subprocess
import threading
import time
import weakref
from typing import Any

from core.errors import UserError
from core.golang.helper import Helper
from core.golang.toolchain import environment

ADDRESS_SPACE = 8 << 30  # bytes; the last wall, the helper watches its heap itself
SILENCE = 20.0  # seconds, beyond what texts may take, after which a helper that says nothing is taken for dead


class HelperGoneError(Exception):
    """The helper has ended. reason: "time" or "memory" when it gave up by itself, else its exit in words.

    suspects: number of a request -> the check it was in, for those under way when it gave up; {} when nobody knows.
    """

    def __init__(self, reason: str, suspects: dict[int, str] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.suspects = suspects or {}


class HelperProcess:
    """A started helper. A thread writes, so that neither side can wait for the other for ever."""

    def __init__(self, helper: Helper, *, workers: int, seconds: float) -> None:
        """Raises UserError when the helper does not come up."""
        self._silence = seconds * 2 + SILENCE
        command = [
            str(helper.binary),
            "serve",
            "-std",
            str(helper.pack),
            "-workers",
            str(workers),
            "-limit",
            f"{seconds}s",
        ]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=environment(helper.toolchain), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise UserError(
                f"The Go helper {helper.binary} cannot be started: {error.strerror}.", "Delete that file and try again."
            ) from error
        with contextlib.suppress(ProcessLookupError, PermissionError):
            resource.prlimit(self._process.pid, resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        self._lines: collections.deque[bytes] = collections.deque()
        self._partial = b""
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output, selectors.EVENT_READ)
        writer = threading.Thread(target=_write, args=(self._process.stdin.fileno(), self._outbox), daemon=True)
        writer.start()
        self._finalizer = weakref.finalize(self, _end, self._process, writer, self._outbox, self._selector)
        try:
            self.receive()
        except HelperGoneError as gone:
            self.close()
            raise UserError(f"The Go helper does not start ({gone.reason}).", "Run `gosmith doctor`.") from gone

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, line: bytes) -> None:
        """Queue a line; never waits. A helper that is gone shows in `receive`."""
        self._outbox.put(line)

    def receive(self) -> dict[str, Any]:
        """The next line. Raises HelperGoneError when the helper has ended or says nothing for too long (then it is killed)."""
        deadline = time.monotonic() + self._silence
        while not self._lines:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                self._process.kill()
                raise HelperGoneError("it said nothing for too long")
            data = os.read(self._output, 1 << 18)
            if not data:
                raise HelperGoneError(_exit(self._process.wait()))
            *whole, self._partial = (self._partial + data).split(b"\n")
            self._lines.extend(whole)
        line = json.loads(self._lines.popleft())
        if "abort" in line:
            self._process.wait()
            raise HelperGoneError(line["abort"], {one["n"]: one["check"] for one in line["suspects"]})
        return line  # type: ignore[no-any-return]

    def kill(self) -> None:
        """End the helper, from any thread; `receive` then raises. `close` must still follow."""
        self._process.kill()

    def close(self) -> None:
        """End the helper and wait until it has ended."""
        self._finalizer()


def _write(file: int, outbox: queue.SimpleQueue[bytes | None]) -> None:
    """Write what is queued, many lines at a time, until the end mark or a broken pipe (which shows in `receive`)."""
    with contextlib.suppress(OSError):
        while (line := outbox.get()) is not None:
            parts = [line]
            while len(parts) < 64 and not outbox.empty() and (line := outbox.get()) is not None:
                parts.append(line)
            view = memoryview(b"".join(parts))
            while view:
                view = view[os.write(file, view) :]
            if line is None:
                return


def _end(
    process: subprocess.Popen[bytes],
    writer: threading.Thread,
    outbox: queue.SimpleQueue[bytes | None],
    selector: selectors.BaseSelector,
) -> None:
    process.kill()
    outbox.put(None)
    writer.join()  # its write fails now; only then may the pipe's number be used for something else
    process.wait()
    selector.close()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name
