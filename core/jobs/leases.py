"""Who may run now: exclusive leases on named resources, in the order in which jobs were started.

A lease is an flock on <jobs>/leases/<name>, a place in the queue is an flock on <jobs>/leases/queue/<ticket>. The kernel
frees both when their holder dies, however it dies, so nothing can stay locked and no daemon has to be asked.
There are no shared leases and no priorities.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from core.errors import UserError

_LOOK_EVERY = 0.1


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def hold(
    leases_dir: Path,
    resources: Sequence[str],
    holder: str,
    *,
    waiting: Callable[[str], bool],
) -> Iterator[bool]:
    """Hold all `resources`, none of them shared, for as long as the block runs.

    holder: what others are told who hold up the queue, such as the job's title. waiting(reason): called about ten times
    a second while somebody else is first; its answer False gives up, and the block is then entered with False.
    All or nothing: while it waits, nothing is held, so two jobs cannot wait for each other. Raises UserError for a name that is no plain word.
    """
    for name in resources:
        if not name or "/" in name or name.startswith(".") or name == "queue":
            raise UserError(f"“{name}” cannot be the name of a resource.")
    if not resources:
        yield True
        return
    queue = leases_dir / "queue"
    queue.mkdir(parents=True, exist_ok=True)
    wanted = sorted(set(resources))
    with contextlib.ExitStack() as held:
        ticket = _draw(queue, wanted, holder, held)
        while True:
            reason = _ahead(queue, ticket, wanted) or _take(leases_dir, wanted, holder, held)
            if not reason:
                ticket.unlink(missing_ok=True)
                yield True
                return
            if not waiting(reason):
                yield False
                return
            time.sleep(_LOOK_EVERY)


def _draw(queue: Path, wanted: Sequence[str], holder: str, held: contextlib.ExitStack) -> Path:
    """A place at the end of the queue: a locked file whose name sorts by time."""
    path = queue / f"{time.time_ns():020d}-{os.getpid()}"
    unseen = path.with_name(f".{path.name}")
    file = held.enter_context(unseen.open("w", encoding="utf-8"))
    _lock(file)
    json.dump({"wants": list(wanted), "holder": holder}, file)
    file.flush()
    unseen.rename(path)
    held.callback(path.unlink, missing_ok=True)
    return path


def _ahead(queue: Path, ticket: Path, wanted: Sequence[str]) -> str:
    """Who waits for one of the same resources and came first; "" when nobody does. Clears away tickets of the dead."""
    for name in sorted(os.listdir(queue)):
        if name.startswith("."):
            continue
        if name >= ticket.name:
            break
        path = queue / name
        try:
            with open(path, encoding="utf-8") as file:
                if _lock(file):
                    path.unlink(missing_ok=True)
                    continue
                first = json.load(file)
        except FileNotFoundError:
            continue
        shared = [resource for resource in first["wants"] if resource in wanted]
        if shared:
            return f"Waiting behind “{first['holder']}” for {shared[0]}."
    return ""


def _take(leases_dir: Path, wanted: Sequence[str], holder: str, held: contextlib.ExitStack) -> str:
    """Lock all of `wanted` or none; "" on success, else who holds what is missing."""
    with contextlib.ExitStack() as taken:
        for name in wanted:
            file = taken.enter_context(open(leases_dir / name, "a+", encoding="utf-8"))
            if not _lock(file):
                file.seek(0)
                return f"Waiting for “{file.read().strip()}”, which holds {name}."
            file.truncate(0)
            file.write(holder)
            file.flush()
        held.push(taken.pop_all())
    return ""


def free(leases_dir: Path, resources: Sequence[str]) -> bool:
    """Would a job that needs these start at once? Only a hint: it may have changed when you read it."""
    for name in resources:
        try:
            with open(leases_dir / name, "a+", encoding="utf-8") as file:
                if not _lock(file):
                    return False
        except FileNotFoundError:
            continue
    return True
