"""One set of walls in which many programs run, one after the other: to build walls for each costs four times what the program does.

Needs namespaces of our own (sandbox.py); the helper's `session_linux.go` says what programs share in turn and what not. Judges
nothing, and repeats nothing: whoever loses a session starts the program again in walls of its own (walled.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.golang.commands import Cancel, Finished
from core.golang.sandbox import Limits, Sandbox, inner_environment, wrap_session

_TICK = 0.1  # seconds between looks at the clock and at the wish to cancel
_GRACE = 10.0  # seconds after which a session that owes an answer is lost


class Session:
    """Walls around the programs of a folder. For one thread at a time."""

    def __init__(self, sandbox: Sandbox, programs: Path, folder: Path, limits: Limits) -> None:
        """programs: holds what may be run; files may come and go. folder: an empty one, which stays empty."""
        self._buffer = bytearray()
        self._process = subprocess.Popen(
            wrap_session(sandbox, programs, folder, limits), cwd=folder, env=dict(inner_environment(sandbox, folder)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def run(
        self, program: str, arguments: Sequence[str], *, seconds: float, output: int, cancel: Cancel | None
    ) -> Finished | None:
        """Run a program of the folder to its end or its limit; the same limits, and the same answer, as `commands.run`.

        None when the session is lost; after that, and after a cancelled run, it can only be closed.
        """
        start = time.monotonic()
        errand = {"program": program, "arguments": list(arguments), "seconds": seconds, "output": output}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(errand).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return None
        deadline = start + seconds + _GRACE
        told: dict[str, Any] = {}
        begin = end = 0  # of what the program said
        while not told or len(self._buffer) < end:
            if stopped := self._hear(deadline, cancel):
                lasted = time.monotonic() - start
                return Finished(-signal.SIGKILL, "", "", stopped, lasted) if stopped == "cancelled" else None
            if not told and (begin := self._buffer.find(b"\n") + 1):
                told = json.loads(self._buffer[:begin])
                end = begin + told["stdout"] + told["stderr"]
        if told["failed"]:
            return None
        said, middle = bytes(self._buffer[begin:end]), told["stdout"]
        self._buffer.clear()
        out, err = said[:middle].decode("utf-8", "replace"), said[middle:].decode("utf-8", "replace")
        return Finished(told["code"], out, err, told["stopped"], told["seconds"])

    def _hear(self, deadline: float, cancel: Cancel | None) -> str:
        """Wait for more of what the session says. Returns why there is none: "lost" or "cancelled", "" when there is."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not selector.select(_TICK):
                if cancel is not None and cancel():
                    return "cancelled"
                if time.monotonic() > deadline:
                    return "lost"
        data = os.read(self._process.stdout.fileno(), 1 << 16)
        self._buffer += data
        return "" if data else "lost"

    def close(self) -> None:
        """End it, with whatever runs in it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
