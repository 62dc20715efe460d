"""What a list tells of each job besides its state: read from the job's events, and again only when the job has moved on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from core.jobs import JobInfo

T = TypeVar("T")


class JobMemo(Generic[T]):
    """`memo(job)` is `read(job)`, remembered while state and step are the same. read: quick, such as a look at the end of a file."""

    def __init__(self, read: Callable[[JobInfo], T]) -> None:
        self._read = read
        self._known: dict[str, tuple[object, T]] = {}

    def __call__(self, job: JobInfo) -> T:
        at = (job.state, job.step)
        known = self._known.get(job.id)
        if known is None or known[0] != at:
            known = self._known[job.id] = (at, self._read(job))
        return known[1]
