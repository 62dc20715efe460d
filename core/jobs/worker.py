"""A worker: the process in which the work of a job happens, and the little it may ask of the mechanism around it.

`python -m core.jobs.worker KIND FOLDER [FILE]`, started by the supervisor alone. It dies with the supervisor, whatever
it is doing. What goes wrong is written down for people in rank<N>.error.json and for us, with traceback, in the log.
It never opens the workspace's database.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import importlib.util
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from core.errors import UserError
from core.files import read_json, write_json
from core.jobs.events import EventWriter
from core.jobs.folder import JobFolder, read_job
from core.jobs.kinds import KINDS
from core.jobs.process import die_with_parent
from core.secrets import hide

STOPPED = 3
"""Exit code of a worker that has stopped early because it was asked to."""
FAILED = 1
HEARTBEAT_EVERY = 5.0
_LOOK_EVERY = 0.05
_PROGRESS_EVERY = 0.1


class WorkerContext:
    """What `main(context)` of a job kind gets.

    folder: the job's folder. request: what was asked, as given to `create`. rank, world_size: which worker of how many.
    attempt: 1 for the first start, one more for each resume. store: path for a FileStore, fresh for this attempt.
    """

    def __init__(self, folder: JobFolder, rank: int, world_size: int, attempt: int, store: Path) -> None:
        self.folder = folder
        self.rank = rank
        self.world_size = world_size
        self.attempt = attempt
        self.store = store
        self.request: dict[str, Any] = read_job(folder).request
        self.stopping = False
        self._terminated = False
        self._events = EventWriter(folder.events) if rank == 0 else None
        self._lock = threading.Lock()
        self._looked = 0.0
        self._seen = 0
        self._control: dict[str, Any] = {}
        self._checkpoints = self._requested_checkpoints()
        self._reported = 0.0

    def event(self, kind: str, /, **fields: object) -> None:
        """Append an event to events.jsonl; rank 0 writes, the others' events are dropped. Safe from any thread.

        Raises OSError on a full disk.
        """
        if self._events is not None:
            with self._lock:
                self._events.write(kind, **fields)

    def message(self, text: str) -> None:
        """One sentence for the person who watches, such as "Loading the model"."""
        self.event("message", text=text)

    def progress(self, done: int, total: int | None = None) -> None:
        """How far the work is. Call it as often as you like: at most ten a second are written, and always the last."""
        now = time.monotonic()
        if done == total or now - self._reported >= _PROGRESS_EVERY:
            self._reported = now
            self.event("progress", done=done, total=total)

    def should_stop(self) -> bool:
        """Has anyone asked this job to stop? Cheap enough for every step and every token (a `stat` each 50 ms).

        Once it has answered yes, the job ends as `stopped`, not `done`. With several workers, agree on the answer
        among them before acting on it.
        """
        self._look()
        if self._terminated or "stop" in self._control:
            self.stopping = True
        return self.stopping

    def checkpoint_requested(self) -> bool:
        """True once for each time somebody asked for a checkpoint since the last call."""
        self._look()
        asked = self._requested_checkpoints()
        new = asked > self._checkpoints
        self._checkpoints = asked
        return new

    def stop_after_epoch(self) -> bool:
        """Has anyone asked this job to stop at the end of the epoch it is in? As cheap as `should_stop`.

        A job that ends for this reason before its work is done calls `stopped_early`. With several workers, agree on the answer
        among them before acting on it.
        """
        self._look()
        return bool(self._control.get("stop_after_epoch"))

    def stopped_early(self) -> None:
        """This job ends now, as asked and before its work is done: it ends as `stopped`, not `done`."""
        self.stopping = True

    def pause(self, message: str, hint: str) -> None:
        """This job cannot go on for now, and nobody asked it to stop: it ends as `stopped` with these sentences, and can be resumed."""
        write_json(self.folder.pause, {"message": message, "hint": hint})
        self.stopping = True

    def give_back_leases(self) -> None:
        """Nothing that the leases of this job stand for is used any more: whoever waits for them may begin. Of several workers the first
        speaks for all, and must know that they are done with them."""
        write_json(self.folder.given_back, {"attempt": self.attempt})

    def _requested_checkpoints(self) -> int:
        return int(self._control.get("checkpoint", 0))

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        try:
            changed = os.stat(self.folder.control).st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self._seen:
            self._seen = changed
            self._control = read_json(self.folder.control) or {}

    def terminate(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the supervisor (or anyone) sent SIGTERM, so the next `should_stop` answers yes."""
        self._terminated = True


def beat(path: Path) -> None:
    """Touch the heartbeat file every few seconds for as long as this process lives."""
    while True:
        with contextlib.suppress(OSError):  # a full disk is reported by the work, not by its pulse
            path.touch()
        time.sleep(HEARTBEAT_EVERY)


def load_main(kind: str, main_file: Path | None) -> Callable[[WorkerContext], None]:
    """`main` of the module that does this kind of work."""
    if main_file is None:
        module: ModuleType = importlib.import_module(KINDS[kind])
    else:
        spec = importlib.util.spec_from_file_location(main_file.stem, main_file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    main: Callable[[WorkerContext], None] = module.main
    return main


def run(kind: str, folder: JobFolder, main_file: Path | None = None) -> int:
    """Do the work of one rank; returns the exit code: 0 done, STOPPED stopped early, FAILED failed.

    Reads RANK, WORLD_SIZE, ATTEMPT and STORE from the environment.
    """
    faulthandler.enable()
    rank = int(os.environ["RANK"])
    attempt = int(os.environ["ATTEMPT"])
    context = WorkerContext(folder, rank, int(os.environ["WORLD_SIZE"]), attempt, Path(os.environ["STORE"]))
    signal.signal(signal.SIGTERM, context.terminate)
    threading.Thread(target=beat, args=(folder.heartbeat(rank),), daemon=True, name="heartbeat").start()
    try:
        load_main(kind, main_file)(context)
    except BaseException as error:  # noqa: BLE001 - the last frame of the process: everything is written down here
        note_failure(folder, describe(error, rank))
        with contextlib.suppress(OSError):
            sys.stderr.write(hide(traceback.format_exc()))
        return FAILED
    return STOPPED if context.stopping else 0


def note_failure(folder: JobFolder, failure: dict[str, Any]) -> None:
    """Write a rank's error file; on a full disk with the space that was held back for it."""
    for _ in range(2):
        try:
            write_json(folder.rank_error(failure["rank"]), failure)
            return
        except OSError:
            folder.reserve.unlink(missing_ok=True)


def describe(error: BaseException, rank: int) -> dict[str, Any]:
    """A failure as plain data for the supervisor: no class of ours or of torch is needed to read it.

    types: qualified names of the classes of the error and of its causes, the most specific first.
    """
    types: list[str] = []
    texts: list[str] = []
    number: int | None = None
    cause: BaseException | None = error
    while cause is not None and len(texts) < 5:
        types.extend(f"{cls.__module__}.{cls.__qualname__}" for cls in type(cause).__mro__[:-1])
        texts.append(hide(str(cause)[:4000]))
        if number is None and isinstance(cause, OSError):
            number = cause.errno
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    user = isinstance(error, UserError)
    return {
        "rank": rank,
        "time": time.time(),
        "types": types,
        "texts": texts,
        "errno": number,
        "user": user,
        "message": error.message if isinstance(error, UserError) else "",
        "hint": error.hint if isinstance(error, UserError) else "",
    }


def entry(arguments: list[str]) -> int:
    """KIND FOLDER [FILE]."""
    die_with_parent(int(os.environ["SUPERVISOR"]))
    kind, path = arguments[:2]
    return run(kind, JobFolder(Path(path)), Path(arguments[2]) if arguments[2:] else None)


if __name__ == "__main__":
    from core.jobs.worker import entry as imported_entry  # one copy of the classes, whoever else imports them

    sys.exit(imported_entry(sys.argv[1:]))
