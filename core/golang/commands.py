"""Run one command to its end or to its limit, and leave nothing of it behind.

For Go commands and for test binaries: both may run for ever, print for ever, or leave children. What the output means is
the caller's business.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError

Cancel = Callable[[], bool]

_TICK = 0.1  # seconds between looks at the clock and at the wish to cancel
_LAST_WORDS = 0.05  # seconds in which an ended command's output must have arrived


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended. code: exit code, negative for a signal. stopped: "" when it ended by itself, else why it was
    killed: "time", "output" or "cancelled"."""

    code: int
    stdout: str
    stderr: str
    stopped: str
    seconds: float


def run(
    argv: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    output: int = 16 << 20,
    cancel: Cancel | None = None,
) -> Finished:
    """Run argv in its own session; when it ends, or is ended, all of its process group is killed.

    seconds: wall clock. output: bytes of stdout and stderr together. Raises UserError when it cannot be started.
    """
    start = time.monotonic()
    try:
        process = subprocess.Popen(
            [str(part) for part in argv], cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise UserError(f"{argv[0]} cannot be started: {error.strerror}.", "Run `gosmith doctor`.") from error
    assert process.stdout is not None
    assert process.stderr is not None
    parts: dict[int, list[bytes]] = {process.stdout.fileno(): [], process.stderr.fileno(): []}
    stopped = ""
    try:
        with selectors.DefaultSelector() as selector:
            for pipe in parts:
                selector.register(pipe, selectors.EVENT_READ)
            left = output
            while selector.get_map() and not stopped:
                ended = _has_ended(process.pid)
                ready = selector.select(_LAST_WORDS if ended else _TICK)
                if ended and not ready:
                    break  # a child that it left behind holds the pipe open
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 16)
                    if not data:
                        selector.unregister(key.fd)
                    parts[key.fd].append(data[: max(0, left)])
                    left -= len(data)
                if left < 0:
                    stopped = "output"
                elif time.monotonic() - start > seconds and not _has_ended(process.pid):
                    stopped = "time"
                elif cancel is not None and cancel():
                    stopped = "cancelled"
            while not stopped and not _has_ended(process.pid):  # it closed its output and goes on
                time.sleep(0.01)
                stopped = "time" if time.monotonic() - start > seconds else ""
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        process.stdout.close()
        process.stderr.close()
    out, err = (b"".join(part).decode("utf-8", "replace") for part in parts.values())
    return Finished(code, out, err, stopped, time.monotonic() - start)


def _has_ended(pid: int) -> bool:
    """Whether the process has ended; it is not reaped, so that its group's number stays its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
