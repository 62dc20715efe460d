"""A run that meets with what its request says at its fourth step, or before its first: the engine's own job, with trouble made around it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from core.engine import parallel, train_job

if TYPE_CHECKING:
    from core.jobs.worker import WorkerContext

AT = {"little memory": 0}
"""Steps done when it happens, where it is not after the first checkpoint."""
HELD: list[bytearray] = []
"""Memory that nobody else gets."""


def main(context: WorkerContext) -> None:
    trouble = context.request["trouble"]
    told = context.progress

    def progress(done: int, total: int | None = None) -> None:
        told(done, total)
        if done == AT.get(trouble, 4) and context.rank == context.world_size - 1 and context.attempt == 1:
            make(trouble)

    context.progress = progress  # type: ignore[method-assign]
    parallel.TIMEOUT = timedelta(seconds=12) if trouble == "hang" else parallel.TIMEOUT
    train_job.main(context)


def make(trouble: str) -> None:
    if trouble in ("SIGKILL", "SIGABRT"):
        os.kill(os.getpid(), signal.Signals[trouble])
    if trouble == "hang":
        while True:
            time.sleep(1)
    if trouble == "full disk":
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
    if trouble == "little memory":
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
        with contextlib.suppress(MemoryError):  # what was freed before would do for a while
            while True:
                HELD.append(bytearray(1 << 20))
        del HELD[-2:]  # the last words need some, too
