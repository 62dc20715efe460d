"""Starting, stopping, resuming and deleting jobs, from a window, a terminal or a test.

Nothing here waits for the work itself, and nothing is kept in memory: every function takes a job folder, and another
process may be doing the same at this moment. The supervisor alone writes the state.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.files import read_json, write_json
from core.jobs.folder import Change, JobFolder, read_job, write_change
from core.jobs.kinds import KINDS
from core.jobs.process import JOB_VARIABLE, sweep
from core.jobs.status import ENDED, JobInfo, info, list_jobs, read_state

GRACE = 30.0
"""Seconds a worker gets after a stop request before SIGTERM, and again before SIGKILL."""


def python_command(*, bare: bool = False) -> list[str]:
    """argv prefix that runs a module of ours in a fresh interpreter, wherever the current folder is.

    bare: without installed packages, which starts in half the time.
    """
    return [sys.executable, *(["-S"] if bare else []), "-P", "-m"]


def module_environment() -> dict[str, str]:
    """Our environment, with the way to our modules."""
    root = str(Path(__file__).resolve().parent.parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


def python_environment(folder: Path) -> dict[str, str]:
    """The environment of a job's processes: ours, plus the mark by which they are found again."""
    return {**module_environment(), JOB_VARIABLE: str(folder.resolve()), "PYTHONUNBUFFERED": "1"}


def start(folder: JobFolder, *, main_file: Path | None = None) -> None:
    """Start the supervisor, detached; returns when it has said so in state.json (some 50 ms).

    main_file: a Python file whose `main(context)` does the work, instead of the module that KINDS names.
    Raises UserError when the kind is unknown, the job runs already or has run before, or the supervisor cannot start.
    """
    if read_state(folder).attempt:
        raise UserError(f"Job {folder.id} was started before.", "Resume it, or make a new job.")
    _spawn(folder, main_file)


def resume(folder: JobFolder, *, main_file: Path | None = None, change: Change | None = None) -> None:
    """Start a new attempt in the same folder. The worker decides what it can go on from.

    change: what this attempt and those after it are asked otherwise. Raises UserError when the job still runs, is done, or cannot start.
    """
    now = info(folder)
    if now.alive and read_state(folder).supervisor is not None:
        raise UserError(f"“{now.title}” is still {now.state}.", "Stop it first.")
    if now.state == "done":
        raise UserError(f"“{now.title}” is done; there is nothing to resume.", "Start a new job from its result.")
    sweep(folder.path)
    folder.control.unlink(missing_ok=True)
    if change is not None:
        write_change(folder, change)
    _spawn(folder, main_file)


def _spawn(folder: JobFolder, main_file: Path | None) -> None:
    job = read_job(folder)
    if main_file is None and job.kind not in KINDS:
        raise UserError(f"There is no job kind “{job.kind}”.", f"Known kinds: {', '.join(sorted(KINDS))}.")
    command = [*python_command(bare=True), "core.jobs.supervisor", str(folder.path.resolve())]
    if main_file is not None:
        command.append(str(main_file.resolve()))
    try:
        with open(folder.supervisor_log, "ab", buffering=0) as log:
            before = log.tell()
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env=python_environment(folder.path),
                check=False,
            ).returncode
    except OSError as error:
        raise UserError(
            f"Job {folder.id} cannot be started: {error.strerror}.", "Free some space and resume it."
        ) from error
    if code == BUSY:
        raise UserError(f"“{job.title}” runs already.", "Stop it first.")
    if code == DISK_FULL:
        raise UserError(f"“{job.title}” cannot be started: the disk is full.", "Free some space and resume it.")
    if code != 0:
        said = folder.supervisor_log.read_bytes()[before:].decode(errors="replace").strip().splitlines()
        raise UserError(
            f"The supervisor of “{job.title}” did not start: {said[-1] if said else f'exit code {code}'}",
            f"See {folder.supervisor_log}.",
        )


BUSY = 4
"""Exit code of a supervisor that found another one at work in the same folder."""


DISK_FULL = 5
"""Exit code of a supervisor that could not write its first state."""


def stop(folder: JobFolder, *, grace: float = GRACE, wait: bool = False, timeout: float = 120.0) -> JobInfo:
    """Ask a job to stop: it saves what it can; SIGTERM after `grace` seconds, SIGKILL after as long again.

    A second stop of the same attempt ends it at once. A job that has ended is left as it is.
    wait: return only when it has ended; raises TimeoutError after `timeout` seconds.
    """
    now = info(folder)
    if now.alive:
        with _asking(folder) as asked:
            again = "stop" in asked
            asked["stop"] = {"time": time.time(), "grace": 0.0 if again else grace, "now": again}
    if wait:
        wait_for_end(folder, timeout)
    return info(folder)


def kill(folder: JobFolder, *, timeout: float = 10.0) -> JobInfo:
    """End a job now, with everything it started; nothing is saved. Also clears up after a supervisor that was killed."""
    if info(folder).alive and read_state(folder).supervisor is not None:
        with _asking(folder) as asked:
            asked["stop"] = {"time": time.time(), "grace": 0.0, "now": True}
        with contextlib.suppress(TimeoutError):
            wait_for_end(folder, timeout)
    sweep(folder.path)
    return info(folder)


def request_checkpoint(folder: JobFolder) -> None:
    """Ask a worker to save a checkpoint at its next step."""
    with _asking(folder) as asked:
        asked["checkpoint"] = int(asked.get("checkpoint", 0)) + 1


def request_stop_after_epoch(folder: JobFolder) -> None:
    """Ask a worker to save and stop when it has finished the epoch it is in; asking twice is asking once."""
    with _asking(folder) as asked:
        asked["stop_after_epoch"] = True


def start_now(folder: JobFolder) -> None:
    """Let a job that waits for its time ask for its leases at once; of no effect on any other."""
    with _asking(folder) as asked:
        asked["start_now"] = True


@contextlib.contextmanager
def _asking(folder: JobFolder) -> Iterator[dict[str, Any]]:
    """control.json to be changed; one at a time, so that no request is lost to another of the same moment."""
    with open(folder.path / "control.lock", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        asked = read_json(folder.control) or {}
        yield asked
        write_json(folder.control, asked)


def wait_for_end(folder: JobFolder, timeout: float) -> JobInfo:
    """Wait until a job has ended, whoever ends it. Raises TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while (now := info(folder)).alive:
        if time.monotonic() > deadline:
            raise TimeoutError(f"job {folder.id} is still {now.state} after {timeout:g} s")
        time.sleep(0.02)
    return now


def delete(folder: JobFolder) -> None:
    """Remove a job that has ended, with its log, metrics and results.

    Raises UserError while it is alive. It disappears from lists at once, even if removing its files takes a while.
    """
    now = info(folder)
    if now.alive:
        raise UserError(f"“{now.title}” is still {now.state}.", "Stop it before you delete it.")
    with open(folder.path / "supervisor.lock", "ab") as lock:
        if not _locked(lock.fileno(), _LAST_WORDS):
            raise UserError(f"“{now.title}” is just being started.", "Stop it before you delete it.")
        sweep(folder.path)
        rubbish = folder.path.with_name(f".deleted-{folder.id}")
        folder.path.rename(rubbish)
    import shutil  # 7 ms that the start of every job would wait for

    shutil.rmtree(rubbish)


_LAST_WORDS = 3.0
"""Seconds that a supervisor may take to end after it has written its last state."""


def _locked(file: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)


def prune(jobs_dir: Path, kinds: Iterable[str], keep: int) -> int:
    """Delete ended jobs of these kinds but the newest `keep` of each; for previews and the like. Returns how many.

    Also finishes deletions that were cut short.
    """
    import shutil

    for rubbish in jobs_dir.glob(".deleted-*"):
        shutil.rmtree(rubbish)
    removed = 0
    for kind in kinds:
        ended = [job for job in list_jobs(jobs_dir) if job.kind == kind and job.state in ENDED]
        for job in ended[keep:]:
            delete(job.folder)
            removed += 1
    return removed
