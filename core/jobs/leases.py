"""Who may run now: exclusive leases on named resources, in the order of the queue, which is that of asking unless changed.

A lease is an flock on <jobs>/leases/<name>, a place in the queue is an flock on <jobs>/leases/queue/<ticket>. The kernel
frees both when their holder dies, however it dies, so nothing can stay locked and no daemon has to be asked.
A resource is a name such as "train" or "gpu:0", or so many of a numbered kind: "gpu:2/8" is any two of gpu:0 to gpu:7.
"gpu:1/8 shared" is one of them together with others that share it, the emptiest first: models that answer, each with a part of the
memory. Who wants it alone waits until all of them are gone.
There are no priorities; who is first in the queue is served first, even if a later job would fit
sooner. So a job that needs all GPUs gets them: those behind it wait until it has. `core.jobs.order` changes the order.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import UserError
from core.jobs.order import QUEUE, in_order, write_ticket
from core.jobs.process import identity

SHARED = " shared"
_LOOK_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """Some of several names: `count` of `names`. shared: others that share them may hold them at the same time."""

    names: tuple[str, ...]
    count: int
    shared: bool = False


def wish(resource: str) -> Wish:
    """What a resource asks for. Raises UserError when it is not written as this module demands."""
    plain = resource.removesuffix(SHARED)
    shared = plain != resource
    pool = re.fullmatch(r"([a-z]+):(\d{1,4})/(\d{1,4})", plain)
    if pool:
        count, size = int(pool[2]), int(pool[3])
        if 1 <= count <= size:
            return Wish(tuple(f"{pool[1]}:{number}" for number in range(size)), count, shared)
    elif re.fullmatch(r"[a-z]+(:\d{1,4})?", plain) and plain != QUEUE:
        return Wish((plain,), 1, shared)
    raise UserError(f"“{resource}” cannot be a resource.", 'Write "train", "gpu:0", or "gpu:2/8" for any two of eight.')


@contextlib.contextmanager
def hold(
    leases_dir: Path, resources: Sequence[str], holder: str, *, waiting: Callable[[str], bool], job: str = ""
) -> Iterator[tuple[str, ...] | None]:
    """Hold all `resources` for as long as the block runs; the block gets the names of the leases.

    holder: what others are told who have to wait, such as the job's title. waiting(reason): called about ten times a second
    while somebody else is first; its answer False gives up, and the block gets None. job: id by which the place in the queue
    can be changed. All or nothing: who waits holds nothing, so two jobs cannot wait for each other. Raises UserError for what cannot be a resource.
    """
    with contextlib.ExitStack() as held:
        yield take(leases_dir, resources, holder, held, waiting=waiting, job=job)


def take(
    leases_dir: Path,
    resources: Sequence[str],
    holder: str,
    held: contextlib.ExitStack,
    *,
    waiting: Callable[[str], bool],
    job: str = "",
) -> tuple[str, ...] | None:
    """As `hold`, but what is taken hangs on `held`: who closes it gives everything back, at a moment of his own."""
    wishes = [wish(resource) for resource in sorted(set(resources))]
    if not wishes:
        return ()
    queue = leases_dir / QUEUE
    queue.mkdir(parents=True, exist_ok=True)
    ticket = _draw(queue, wishes, holder, job, held)
    while True:
        taken = _ahead(queue, ticket, wishes) or _take(leases_dir, wishes, holder, held)
        if not isinstance(taken, str):
            ticket.unlink(missing_ok=True)
            return taken
        if not waiting(taken):
            held.close()
            return None
        time.sleep(_LOOK_EVERY)


def _lock(file: IO[str], *, shared: bool = False) -> bool:
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _draw(queue: Path, wishes: Sequence[Wish], holder: str, job: str, held: contextlib.ExitStack) -> Path:
    """A place at the end of the queue: a locked file whose name sorts by time."""
    path = queue / f"{time.time_ns():020d}-{os.getpid()}"
    unseen = path.with_name(f".{path.name}")
    file = held.enter_context(unseen.open("w", encoding="utf-8"))
    _lock(file)
    me = identity(os.getpid())
    assert me is not None
    write_ticket(unseen, [name for wish in wishes for name in wish.names], holder, job, me)
    unseen.rename(path)
    held.callback(path.unlink, missing_ok=True)
    return path


def _ahead(queue: Path, ticket: Path, wishes: Sequence[Wish]) -> str:
    """Who waits for one of the same names and came first; "" when nobody does. Clears away tickets of the dead."""
    wanted = {name for wish in wishes for name in wish.names}
    for name in in_order(queue.parent, (name for name in os.listdir(queue) if not name.startswith("."))):
        if name == ticket.name:
            break
        path = queue / name
        try:
            with path.open(encoding="utf-8") as file:
                if _lock(file):
                    path.unlink(missing_ok=True)
                    continue
                first = json.load(file)
        except FileNotFoundError:
            continue
        if wanted.intersection(first["wants"]):
            return f"Waiting behind “{first['holder']}”."
    return ""


def _take(leases_dir: Path, wishes: Sequence[Wish], holder: str, held: contextlib.ExitStack) -> tuple[str, ...] | str:
    """Lock all that is wished for, or nothing: the names, else a sentence on who holds what is missing."""
    names: list[str] = []
    with contextlib.ExitStack() as taken:
        for wish in wishes:
            missing = wish.count
            blocked = ""
            for name, together in [(name, way) for way in (False, True)[: 1 + wish.shared] for name in wish.names]:
                if not missing:
                    break
                if name in names:
                    continue
                file = taken.enter_context((leases_dir / name).open("a+", encoding="utf-8"))
                if _lock(file, shared=together) and (together or not wish.shared or _lock(file, shared=True)):
                    file.truncate(0)
                    file.write(holder)
                    file.flush()
                    names.append(name)
                    missing -= 1
                else:
                    file.seek(0)
                    blocked = blocked or f"Waiting for “{file.read().strip()}”, which holds {name}."
            if missing:
                return blocked or f"Waiting for {wish.count} of {', '.join(wish.names)}."
        held.push(taken.pop_all())
    return tuple(names)
