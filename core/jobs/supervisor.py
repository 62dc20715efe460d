"""The supervisor of one job: starts its workers, watches them, stops them, and says in state.json how it went.

`python -m core.jobs.supervisor FOLDER [FILE]`. It detaches itself into its own session, so closing or killing the window
changes nothing for the job; it imports nothing of what the workers do. Workers die with it (see `core.jobs.process`).
It decides nothing about the work: no retry, no timeout on silence.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from core.files import read_json, write_json
from core.jobs.clock import clock_text
from core.jobs.control import BUSY, DISK_FULL, GRACE
from core.jobs.events import EventWriter
from core.jobs.failures import Around, Failure, RankEnd, classify
from core.jobs.folder import Job, JobFolder, read_job
from core.jobs.leases import take
from core.jobs.process import guard, identity, memory_kills, signal_group, sweep
from core.jobs.status import State, last_step, read_state, write_state
from core.jobs.worker import STOPPED
from core.jobs.worker_process import ATTEMPT_MARK, StopRequest, Worker, escalate, limit_log, start_worker

LOOK_EVERY = 0.05
"""Seconds between looks at control.json; the end of a worker is noticed at once."""
CLOCK_EVERY = 0.25
"""Seconds between looks at the clock and control.json while a job waits for its time."""
SHUTDOWN_GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL for workers when the supervisor itself is told to end, as at a shutdown."""
LOGS_EVERY = 5.0
RESERVE = 64 << 10
PARTNER_GRACE = 2.0
"""Seconds the other workers get to say what they saw when one has failed."""


@dataclass(slots=True)
class Supervision:
    """One attempt at one job."""

    folder: JobFolder
    job: Job
    main_file: Path | None
    state: State
    events: EventWriter
    guardian: int
    signalled: bool = False
    stop: StopRequest | None = None
    lost: StopRequest | None = None
    workers: list[Worker] = field(default_factory=list)
    control: dict[str, Any] = field(default_factory=dict)
    control_seen: int = 0
    memory_kills: int = field(default_factory=memory_kills)
    held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def change(self, **changes: Any) -> None:
        """Write the new state, and an event when its name is new."""
        before = self.state.state
        self.state = replace(self.state, **changes)
        try:
            write_state(self.folder, self.state)
        except OSError:
            self.folder.reserve.unlink(missing_ok=True)
            write_state(self.folder, self.state)
        if self.state.state != before:
            with contextlib.suppress(OSError):  # the state stands in state.json; the log is told if there is room
                self.events.write("state", state=self.state.state, message=self.state.message)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """SIGTERM to the supervisor, as at a shutdown, is a request to stop."""
        self.signalled = True

    def asked_to_stop(self) -> StopRequest | None:
        """The stop request, if there is one by now; a second one shortens the first to nothing."""
        if self.signalled and self.stop is None:
            self.stop = StopRequest(SHUTDOWN_GRACE, time.monotonic() - SHUTDOWN_GRACE)
        if self.look():
            asked = self.control.get("stop")
            if isinstance(asked, dict):
                self.stop = self.stop or StopRequest(float(asked.get("grace", GRACE)), time.monotonic())
                if asked.get("now"):
                    self.stop.grace = 0.0
                    self.stop.terminated = self.stop.terminated or time.monotonic()
        return self.stop

    def take_back(self) -> None:
        """Let go of the leases where the worker says that it needs them no more."""
        if self.state.leases and self.folder.given_back.exists():
            self.held.close()
            self.change(leases=())

    def look(self) -> bool:
        """Read control.json if it has changed since the last look; was there anything new?"""
        try:
            changed = os.stat(self.folder.control).st_mtime_ns
        except FileNotFoundError:
            return False
        if changed == self.control_seen:
            return False
        self.control_seen = changed
        self.control = read_json(self.folder.control) or {}
        return True


def watch(run: Supervision) -> None:
    """Return when all workers have ended, after stopping them if somebody asked or one of them failed."""
    poll = select.poll()
    for worker in run.workers:
        poll.register(worker.pidfd, select.POLLIN)
    running = list(run.workers)
    look_at_logs = time.monotonic() + LOGS_EVERY
    while running:
        poll.poll(LOOK_EVERY * 1000)
        for worker in [worker for worker in running if worker.process.poll() is not None]:
            running.remove(worker)
            worker.ended = time.time()
            poll.unregister(worker.pidfd)
            os.close(worker.pidfd)
            signal_group(worker.process.pid, signal.SIGKILL)  # what it started and left behind
            if worker.process.returncode not in (0, STOPPED) and run.lost is None:
                run.lost = StopRequest(PARTNER_GRACE, time.monotonic())
        if time.monotonic() >= look_at_logs:
            look_at_logs = time.monotonic() + LOGS_EVERY
            for worker in run.workers:
                limit_log(run.folder.rank_log(worker.rank))
        run.take_back()
        request = run.asked_to_stop()
        if run.control.get("stop_after_epoch") and not run.state.message:
            run.change(message="Stops after this epoch.")
        if request is not None:
            if run.state.state == "running" and running:
                run.change(state="stopping", message="Stopping: it saves what it can.")
            escalate(request, running)
        if run.lost is not None:
            escalate(run.lost, running)


def wait_for_its_time(run: Supervision) -> None:
    """Return when the job may ask for its leases: its time has come, or somebody wants it started now, or stopped.

    By the clock on the wall, which goes on while the computer sleeps.
    """
    when = run.job.not_before
    while when is not None and (left := when - time.time()) > 0:
        if run.asked_to_stop() is not None or run.control.get("start_now"):
            break
        if not run.state.scheduled:
            run.change(scheduled=True, message=f"Starts at {clock_text(when, time.time())}.")
        time.sleep(min(left, CLOCK_EVERY))
    if run.state.scheduled:
        run.change(scheduled=False, message="")


def supervise(run: Supervision) -> None:
    """One attempt from its time, through the queue, to its end."""
    wait_for_its_time(run)

    def waiting(reason: str) -> bool:
        if run.state.message != reason:
            run.change(message=reason)
        return run.asked_to_stop() is None

    leases = run.folder.path.parent / "leases"
    with run.held:
        held = take(leases, run.job.resources, run.job.title, run.held, waiting=waiting, job=run.job.id)
        if held is None or run.asked_to_stop() is not None:
            run.change(state="stopped", message="Stopped before it started.", finished=time.time())
            return
        for rank in range(run.job.processes):
            run.workers.append(
                start_worker(run.folder, run.job, run.main_file, attempt=run.state.attempt, rank=rank, leases=held)
            )
        run.change(
            state="running",
            message="",
            started=time.time(),
            workers=tuple(worker.process.pid for worker in run.workers),
            leases=held,
        )
        watch(run)
        conclude(run)


def conclude(run: Supervision) -> None:
    """The last state: done, stopped or failed, with the reason."""
    exits = tuple(worker.process.returncode for worker in run.workers)
    step, total = last_step(run.folder)
    ended: dict[str, Any] = {"finished": time.time(), "exits": exits, "step": step, "total": total}
    sweep(run.folder.path, spare=run.guardian)
    run.folder.reserve.unlink(missing_ok=True)
    (run.folder.path / f"store-{run.state.attempt}").unlink(missing_ok=True)
    if all(code == 0 for code in exits):
        run.change(state="done", message="", hint="", **ended)
    elif all(code in (0, STOPPED) for code in exits):
        said = read_json(run.folder.pause) or {}
        message, hint = str(said.get("message", "Stopped when asked.")), str(said.get("hint", ""))
        run.change(state="stopped", message=message, hint=hint, **ended)
    elif run.stop is not None and run.stop.terminated is not None:
        run.change(
            state="stopped",
            message=f"It did not stop by itself within {run.stop.grace:g} s and was ended.",
            hint="Work since its last checkpoint is lost.",
            **ended,
        )
    else:
        failure = failure_of(run)
        write_json(run.folder.error, asdict(failure))
        run.change(state="failed", message=failure.message, hint=failure.hint, **ended)


def failure_of(run: Supervision) -> Failure:
    """Classify what the workers left behind."""
    ends = []
    for worker in run.workers:
        code = worker.process.returncode
        if code in (0, STOPPED):
            continue
        with open(run.folder.rank_log(worker.rank), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 8192))
            tail = file.read().decode(errors="replace").rpartition(ATTEMPT_MARK)[2]
        error = read_json(run.folder.rank_error(worker.rank))
        when = error["time"] if error else worker.ended
        ends.append(RankEnd(worker.rank, code, when, error, tail, worker.by_us))
    around = Around(
        run.job.kind,
        run.job.request,
        kernel_killed=memory_kills() > run.memory_kills,
        gpu=any(name.startswith("gpu:") for name in run.state.leases),
    )
    return classify(ends, around)


def detach(folder: JobFolder, main_file: Path | None, ready: int) -> None:
    """The life of the detached process; `ready` is a pipe that hears how its beginning went."""
    starter = os.pidfd_open(os.getppid())
    os.setsid()
    job = read_job(folder)
    state = State(attempt=read_state(folder).attempt + 1, supervisor=identity(os.getpid()), queued=time.time())
    try:
        with open(folder.reserve, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE)
        folder.error.unlink(missing_ok=True)
        folder.pause.unlink(missing_ok=True)
        folder.given_back.unlink(missing_ok=True)
        for old in folder.path.glob("store-*"):  # of attempts whose supervisor was killed
            old.unlink()
        events = EventWriter(folder.events)
        events.write("attempt", attempt=state.attempt)
        write_state(folder, state)
    except OSError as error:
        os.write(ready, bytes([DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else 1]))
        raise
    run = Supervision(folder, job, main_file, state, events, guard(folder.path))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, run.on_signal)
    os.write(ready, b"\0")
    os.close(ready)
    # whoever started us carries the job's mark too: a job that ends at once would sweep it away before it has said that all is well
    select.select([starter], [], [])
    os.close(starter)
    try:
        supervise(run)
    except Exception as error:
        run.change(
            state="failed",
            message=f"The job could not be looked after ({type(error).__name__}: {error}).",
            hint=f"Resume it, and report it if it happens again; see {folder.supervisor_log.name}.",
            finished=time.time(),
        )
        raise


def main(arguments: list[str]) -> int:
    """FOLDER [FILE]: returns when the detached process is at work (0) or cannot be (BUSY, DISK_FULL, 1)."""
    folder = JobFolder(Path(arguments[0]))
    main_file = Path(arguments[1]) if arguments[1:] else None
    lock = os.open(folder.path / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return BUSY
    listen, ready = os.pipe()
    if os.fork():
        os.close(ready)
        return (os.read(listen, 1) or b"\1")[0]
    os.close(listen)
    detach(folder, main_file, ready)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
