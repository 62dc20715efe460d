"""How a teacher's job gets on: where it stands and its course so far, from the events in its folder; `Track` serves other jobs too.

Keeps a few thousand points however long the job runs. Time is time at work: pauses between two attempts are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from core.jobs.events import EventTail, last_events

Floats = npt.NDArray[np.float64]
S = TypeVar("S")
MOST = 4000
_WINDOW = 15.0
_RECENT = 120.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest event `teacher` of a job. asked: requests answered. fixes: samples made of mended ones. cost_usd: None where no price is known."""

    requested: int = 0
    done: int = 0
    verified: int = 0
    unverified: int = 0
    refused: int = 0
    failed: int = 0
    fixes: int = 0
    asked: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None

    @property
    def tokens(self) -> int:
        """Both kinds together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost_per_verified(self) -> float | None:
        """Dollars for each sample that passes; None where there is none yet, or no price."""
        return self.cost_usd / self.verified if self.cost_usd is not None and self.verified else None


_NAMES = tuple(field.name for field in fields(Standing))


@dataclass(frozen=True, slots=True)
class Course:
    """A job so far, columns of one length. seconds: at work. The others count from the start of the job; cost is 0 while no price is known."""

    standing: Standing
    message: str
    seconds: Floats
    done: Floats
    verified: Floats
    tokens: Floats
    cost: Floats

    def per_minute(self, counts: Floats) -> Floats:
        """How fast a column grew, over a window that is wide enough not to jump."""
        return per_minute(self.seconds, counts)

    @property
    def seconds_left(self) -> float | None:
        """At the pace of the last minutes; None while that is not known."""
        return seconds_left(self.seconds, self.done, self.standing.requested - self.standing.done)


def per_minute(seconds: Floats, counts: Floats) -> Floats:
    """How fast counts grew at these seconds, over a window that is wide enough not to jump."""
    if len(seconds) < 2:
        return np.zeros(len(seconds))
    window = max(_WINDOW, float(seconds[-1]) / 60)
    start = np.maximum(seconds - window, 0.0)
    spans = np.maximum(seconds - start, 1.0)
    return np.asarray(60 * (counts - np.interp(start, seconds, counts)) / spans)


def seconds_left(seconds: Floats, done: Floats, left: int) -> float | None:
    """For what is left, at the pace of the last minutes; None while that is not known."""
    if len(seconds) < 2 or left <= 0:
        return None
    now = float(seconds[-1])
    start = max(0.0, now - _RECENT)
    made = float(done[-1] - np.interp(start, seconds, done))
    return left * (now - start) / made if made > 0 else None


class Track(Generic[S]):
    """Reads the events of one job, each once. Not for two threads at a time.

    kind: of the events that say where it stands; read: what such an event says; row: the columns that are kept of it.
    """

    def __init__(
        self, path: Path, kind: str, read: Callable[[dict[str, Any]], S], row: Callable[[S], tuple[float, ...]]
    ) -> None:
        self._tail = EventTail(path)
        self._kind, self._read, self._columns = kind, read, row
        self._rows: list[tuple[float, ...]] = []
        self._before: float | None = None
        self._worked = 0.0
        self._stride = 1
        self._count = 0
        self.standing = read({})
        self.message = ""

    def poll(self) -> tuple[Floats, ...]:
        """Read what is new; returns the columns: seconds at work, and those of `row`."""
        while events := self._tail.read():
            for event in events:
                self._take(event)
        now = self._row()
        rows = self._rows if not self._count or self._rows[-1] == now else [*self._rows, now]
        return tuple(np.array(rows, dtype=np.float64).reshape(-1, len(now)).T)

    def _take(self, event: dict[str, Any]) -> None:
        if event["kind"] == "attempt":
            self._before = None
        elif event["kind"] == "message":
            self.message = str(event.get("text", ""))
        elif event["kind"] == self._kind:
            self.standing = self._read(event)
            now = float(event["t"])
            if self._before is not None:
                self._worked += max(0.0, now - self._before)
            self._before = now
            if self._count % self._stride == 0:
                self._rows.append(self._row())
            self._count += 1
            if len(self._rows) > MOST:
                self._rows = self._rows[::2]
                self._stride *= 2

    def _row(self) -> tuple[float, ...]:
        return self._worked, *self._columns(self.standing)


class Pace:
    """The course of a teacher's job, read as it grows. Not for two threads at a time."""

    def __init__(self, path: Path) -> None:
        self._track = Track(
            path, "teacher", _standing, lambda at: (at.done, at.verified, at.tokens, at.cost_usd or 0.0)
        )

    def poll(self) -> Course:
        """Read what is new, and tell all."""
        columns = self._track.poll()
        return Course(self._track.standing, self._track.message, *columns)


def last_event(events: Path, kind: str) -> dict[str, Any] | None:
    """The newest event of a kind near the end of a job's events; None where there is none."""
    return next((event for event in reversed(last_events(events)) if event["kind"] == kind), None)


def standing(events: Path) -> Standing | None:
    """Where a job stands, from the end of its events; None when it has said nothing yet."""
    found = last_event(events, "teacher")
    return None if found is None else _standing(found)


def _standing(event: dict[str, Any]) -> Standing:
    return Standing(**{name: event[name] for name in _NAMES if name in event})
