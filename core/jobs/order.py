"""Who waits, and in which order: the queue as one can look at it and change it, while the waiting go on waiting.

Whoever waits has a ticket in <jobs>/leases/queue (see `core.jobs.leases`). Without a word from anyone the oldest ticket is
first. <jobs>/leases/order.json, a list of tickets, comes before age; every waiter reads it at each look, so a job is moved by
replacing one small file, and nobody has to be told. Only the order is decided here: that a ticket is alive and that a lease
is free, the kernel's locks say. A job that runs already or whose time has not come has no place to change.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import UserError
from core.files import read_json, write_json
from core.jobs.process import Identity, alive

QUEUE: Final = "queue"
FIRST: Final = "first"
LAST: Final = "last"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the queue. name: of its file. wants: names of leases, any of which it waits for. holder: for people.

    job: id of the job that waits, "" when it is none. process: who waits.
    """

    name: str
    wants: tuple[str, ...]
    holder: str
    job: str
    process: Identity


def in_order(leases_dir: Path, names: Iterable[str]) -> list[str]:
    """Names of tickets, who is first first: as order.json says, and behind those by age."""
    placed = {name: place for place, name in enumerate((read_json(leases_dir / "order.json") or {}).get("tickets", ()))}
    return sorted(names, key=lambda name: (placed.get(name, len(placed)), name))


def tickets(leases_dir: Path) -> list[Ticket]:
    """The tickets of all that wait now, who is first first; without those of an older Gosmith, which say too little.

    Looks without a lock, so that nobody waits for a look.
    """
    try:
        names = [name for name in os.listdir(leases_dir / QUEUE) if not name.startswith(".")]
    except FileNotFoundError:
        return []
    found = []
    for name in in_order(leases_dir, names) if names else ():
        value = read_json(leases_dir / QUEUE / name)
        if value is not None and "process" in value:
            ticket = Ticket(name, tuple(value["wants"]), value["holder"], value["job"], Identity(**value["process"]))
            if alive(ticket.process):
                found.append(ticket)
    return found


def places(leases_dir: Path) -> dict[str, int]:
    """Which place in the queue each waiting job has, by its id, from 1."""
    return {ticket.job: place for place, ticket in enumerate(tickets(leases_dir), 1)}


def move(jobs_dir: Path, job_id: str, before: str) -> None:
    """Give a waiting job another place: before the job `before`, FIRST or LAST. All others keep their order.

    Raises UserError when one of the two does not wait; it may have begun a moment ago.
    """
    with _changing(jobs_dir) as waiting:
        moved = _ticket(waiting, job_id)
        place = waiting.index(moved)
        waiting.remove(moved)
        if before == LAST:
            place = len(waiting)
        elif before == FIRST:
            place = 0
        elif before != job_id:
            place = waiting.index(_ticket(waiting, before))
        waiting.insert(place, moved)


def shift(jobs_dir: Path, job_id: str, by: int) -> None:
    """Give a waiting job a place `by` later, earlier when negative, as far as there is one. Raises UserError as `move` does."""
    with _changing(jobs_dir) as waiting:
        moved = _ticket(waiting, job_id)
        place = waiting.index(moved)
        waiting.remove(moved)
        waiting.insert(max(0, place + by), moved)


def _ticket(waiting: list[Ticket], job_id: str) -> Ticket:
    for ticket in waiting:
        if ticket.job == job_id:
            return ticket
    raise UserError(
        f"Job {job_id} does not wait in the queue.", "Only a job that waits for others can change its place."
    )


@contextlib.contextmanager
def _changing(jobs_dir: Path) -> Iterator[list[Ticket]]:
    """All that wait, to be put into another order, which is kept unless an error is raised.

    One at a time; the kernel frees the lock of whoever is killed meanwhile.
    """
    leases_dir = jobs_dir / "leases"
    leases_dir.mkdir(exist_ok=True)
    with open(leases_dir / "order.lock", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = tickets(leases_dir)
        yield waiting
        write_json(leases_dir / "order.json", {"tickets": [ticket.name for ticket in waiting]})


def write_ticket(path: Path, wants: Iterable[str], holder: str, job: str, process: Identity) -> None:
    """The content of a ticket's file, which nobody sees yet."""
    ticket = {
        "wants": list(wants),
        "holder": holder,
        "job": job,
        "process": {"pid": process.pid, "started": process.started, "boot": process.boot},
    }
    path.write_text(json.dumps(ticket, ensure_ascii=False), encoding="utf-8")
