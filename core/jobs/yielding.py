"""Who could make room for a job that waits: served models that hold what it waits for, where nobody else does.

It only finds them. Nobody is ended without having been asked: the window asks, the command line names the command.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.jobs.leases import wish
from core.jobs.status import JobInfo

SERVE = "serve"


def in_the_way(waiting: JobInfo, jobs: Sequence[JobInfo]) -> tuple[JobInfo, ...]:
    """The served models whose end would let `waiting` begin: as few as will do, none where others hold what it waits for or come first."""
    if waiting.state != "queued" or waiting.place is None or waiting.kind == SERVE or _is_behind(waiting, jobs):
        return ()
    found: dict[str, JobInfo] = {}
    for resource in waiting.resources:
        wanted = wish(resource)
        holders = {name: [job for job in jobs if name in job.leases] for name in wanted.names}
        missing = wanted.count - sum(not some for some in holders.values())
        if missing <= 0:
            continue
        ready = [some for some in holders.values() if some and all(job.kind == SERVE for job in some)]
        if len(ready) < missing:
            return ()
        for some in sorted(ready, key=len)[:missing]:
            found |= {job.id: job for job in some}
    return tuple(found.values())


def holders_of(waiting: JobInfo, jobs: Sequence[JobInfo]) -> tuple[JobInfo, ...]:
    """All jobs that hold something that `waiting` wants."""
    wanted = _names(waiting)
    return tuple(job for job in jobs if wanted.intersection(job.leases))


def _is_behind(waiting: JobInfo, jobs: Sequence[JobInfo]) -> bool:
    """Does somebody wait for the same who comes first?"""
    mine = _names(waiting)
    return any(
        job.place is not None and waiting.place is not None and job.place < waiting.place and mine & _names(job)
        for job in jobs
    )


def _names(job: JobInfo) -> set[str]:
    return {name for resource in job.resources for name in wish(resource).names}
