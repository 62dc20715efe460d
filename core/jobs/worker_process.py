"""One worker as its supervisor sees it: a process group, a log that must not grow for ever, and the two signals that end it.

It watches nothing and decides nothing; when to start, stop or cut is the supervisor's business.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.jobs.control import python_command, python_environment
from core.jobs.folder import Job, JobFolder
from core.jobs.process import signal_group

LOG_LIMIT = 64 << 20
LOG_KEPT = 4 << 20
ATTEMPT_MARK = "--- attempt "


@dataclass(slots=True)
class StopRequest:
    """How far a stop has gone. Times are of the monotonic clock."""

    grace: float
    asked: float
    terminated: float | None = None
    killed: float | None = None


@dataclass(slots=True)
class Worker:
    """One worker. pidfd: becomes readable when it has ended. ended: when, seconds since the epoch. by_us: we signalled it."""

    rank: int
    process: subprocess.Popen[bytes]
    pidfd: int
    ended: float = 0.0
    by_us: bool = False


def start_worker(
    folder: JobFolder, job: Job, main_file: Path | None, *, attempt: int, rank: int, leases: Sequence[str]
) -> Worker:
    """Start one worker in its own process group, its output appended to its own log. leases: names of those that the job holds."""
    folder.rank_error(rank).unlink(missing_ok=True)
    command = [*python_command(), "core.jobs.worker", job.kind, str(folder.path)]
    if main_file is not None:
        command.append(str(main_file))
    environment = {
        **python_environment(folder.path),
        "SUPERVISOR": str(os.getpid()),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(job.processes),
        "ATTEMPT": str(attempt),
        "STORE": str(folder.path / f"store-{attempt}"),
    }
    gpus = [name.removeprefix("gpu:") for name in leases if name.startswith("gpu:")]
    if gpus:
        environment |= {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": ",".join(gpus),
        }  # as nvidia-smi counts
    with open(folder.rank_log(rank), "ab", buffering=0) as log:
        if log.tell() == 0:
            shown = [word.replace("{folder}", str(folder.path)) for word in job.command] or command
            log.write(f"{shlex.join(shown)}\n".encode())
        log.write(f"{ATTEMPT_MARK}{attempt}, {time.strftime('%Y-%m-%d %H:%M:%S')} ---\n".encode())
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0, cwd="/", env=environment
        )
    return Worker(rank, process, os.pidfd_open(process.pid))


def escalate(request: StopRequest, workers: Sequence[Worker]) -> None:
    """SIGTERM when the grace is over, SIGKILL when it is over again."""
    now = time.monotonic()
    if request.terminated is None and now >= request.asked + request.grace:
        request.terminated = now
        for worker in workers:
            worker.by_us = True
            signal_group(worker.process.pid, signal.SIGTERM)
    if request.terminated is not None and request.killed is None and now >= request.terminated + request.grace:
        request.killed = now
        for worker in workers:
            worker.by_us = True
            signal_group(worker.process.pid, signal.SIGKILL)


def limit_log(path: Path) -> None:
    """Keep the first line and the newest megabytes of a log that has grown too long, while its worker writes on."""
    if path.stat().st_size <= LOG_LIMIT:
        return
    with open(path, "rb") as file:
        first = file.readline(65536)
        file.seek(-LOG_KEPT, os.SEEK_END)
        newest = file.read().partition(b"\n")[2]
    os.truncate(path, 0)
    with open(path, "ab", buffering=0) as file:
        file.write(first + b"--- earlier lines were dropped ---\n" + newest)
