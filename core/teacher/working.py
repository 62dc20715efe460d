"""What the workers of all jobs that ask have in common: many things under way at once, whole lines of output, and events about where it stands.

Knows neither what is made nor what a line says.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from io import FileIO
from typing import Any, TypeVar

from core.jobs.worker import WorkerContext
from core.teacher.exchange import PausedError
from core.teacher.results import Exchange, cost_of, usage_of
from core.teacher.terms import Terms

EVERY = 0.5
"""Seconds between two events about where a job stands."""
_LOOK = 0.2
_MOST_AT_ONCE = 5_000

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Tally:
    """Where a job stands, told as events of its kind. names: what is counted besides what is done."""

    kind: str
    requested: int
    names: tuple[str, ...]
    done: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    prompt: int = 0
    completion: int = 0
    cost: Decimal | None = None
    told: float = 0.0

    def add(self, exchanges: Sequence[Exchange], **counts: int) -> None:
        """One more is done, and this is what was asked for it."""
        self.done += 1
        self.counts.update(counts)
        self.asked += len(exchanges)
        used, cost = usage_of(exchanges), cost_of(exchanges)
        self.prompt += used.prompt
        self.completion += used.completion
        if cost is not None:
            self.cost = (self.cost or Decimal(0)) + cost

    def tell(self, context: WorkerContext, *, last: bool = False, **more: object) -> None:
        """An event, not more often than people can read."""
        now = time.monotonic()
        context.progress(self.done, self.requested)
        if last or now - self.told >= EVERY:
            self.told = now
            context.event(
                self.kind,
                requested=self.requested,
                done=self.done,
                **{name: self.counts[name] for name in self.names},
                asked=self.asked,
                prompt_tokens=self.prompt,
                completion_tokens=self.completion,
                cost_usd=None if self.cost is None else float(self.cost),
                **more,
            )


def append(file: FileIO, line: bytes) -> None:
    """Write a whole line to an unbuffered file. Raises OSError when only a part of it fits."""
    if file.write(line) != len(line):
        raise OSError(28, os.strerror(28))


async def work_through(
    waiting: Iterator[T],
    make: Callable[[T], Coroutine[Any, Any, R]],
    keep: Callable[[R], None],
    plan: Terms,
    should_stop: Callable[[], bool],
) -> PausedError | None:
    """Make all that wait, as many at once as the plan asks for, and keep each when it is done; returns what paused them. Leaves no task behind."""
    at_once = _MOST_AT_ONCE if plan.transport == "batch" else 2 * plan.concurrency + 8
    under_way: set[asyncio.Task[R]] = set()
    paused: PausedError | None = None
    try:
        while True:
            while paused is None and len(under_way) < at_once and (one := next(waiting, None)) is not None:
                under_way.add(asyncio.create_task(make(one)))
            if not under_way or should_stop():
                return paused
            done, under_way = await asyncio.wait(under_way, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                try:
                    keep(task.result())
                except PausedError as pause:
                    paused = paused or pause
                except asyncio.CancelledError:  # it was at work when somebody asked to stop
                    continue
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def pause(context: WorkerContext, paused: PausedError | None) -> None:
    """End the job as stopped with the sentence of what paused it, unless somebody has asked it to stop anyway."""
    if paused is not None and not context.should_stop():
        context.pause(str(paused), "Resume it to go on where it was; nothing that was answered is asked again.")
