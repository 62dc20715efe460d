"""Which process is which, and how one dies with its parent: the few Linux facts that supervision rests on.

A pid alone is never trusted: it is used again sooner or later. A process is known by its pid, its start time and the
boot it belongs to. Only Linux is served here; nothing guesses on other systems.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path

JOB_VARIABLE = "GOSMITH_JOB"
"""Environment variable that every process of a job inherits: the absolute path of its folder."""

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """One process of one boot. started: clock ticks after boot, as in field 22 of /proc/PID/stat."""

    pid: int
    started: int
    boot: str


@cache
def boot_id() -> str:
    """Names this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _state_and_start(pid: int) -> tuple[str, int] | None:
    """State letter and start tick of a process; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])


def identity(pid: int) -> Identity | None:
    """Who has this pid now; None when nobody has, or only a corpse that its parent has not buried."""
    found = _state_and_start(pid)
    if found is None or found[0] in "ZX":
        return None
    return Identity(pid, found[1], boot_id())


def alive(process: Identity) -> bool:
    """Does this very process still run? Zombies do not."""
    return process.boot == boot_id() and identity(process.pid) == process


def die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGKILL when the thread that started this process ends; exit at once if `parent` already has.

    parent: pid of the process that should be our parent. Call it in the first lines of a child process.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        os._exit(1)


def members(folder: Path) -> list[int]:
    """Pids of all processes that carry this job folder in their environment: supervisor, workers, and their children.

    Only processes whose environment we may read, so only our own user's.
    """
    mark = f"{JOB_VARIABLE}={folder.resolve()}".encode()
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                environment = Path(entry.path, "environ").read_bytes()
            except OSError:
                continue
            if mark in environment.split(b"\0"):
                found.append(int(entry.name))
    return found


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the process group that `pid` leads; a group that is gone is no error."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def sweep(folder: Path, *, spare: int = 0) -> int:
    """SIGKILL every process of a job but ourselves and `spare`; returns how many there were."""
    killed = 0
    for pid in members(folder):
        if pid not in (os.getpid(), spare):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed += 1
    return killed


def memory_kills() -> int:
    """How many processes the kernel has killed for want of memory, on this machine or in our control group, since boot."""
    total = 0
    for path in (Path("/proc/vmstat"), *_group_events()):
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return total


def _group_events() -> list[Path]:
    try:
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    return [
        Path("/sys/fs/cgroup") / line[3:].lstrip("/") / "memory.events" for line in groups if line.startswith("0::")
    ]


def guard(folder: Path) -> int:
    """Leave a process behind that ends everything of a job as soon as the calling process has ended; returns its pid.

    PR_SET_PDEATHSIG reaches the workers only. What workers have started, compilers and tests say, would go on for ever
    once both supervisor and worker were killed. Call it while there is one thread.
    """
    watched = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        handle = os.pidfd_open(watched)
        os.closerange(0, handle)  # above all the supervisor's lock, which must end with the supervisor
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        if os.getppid() == watched:
            poll.poll()
        sweep(folder)
    finally:
        os._exit(0)
