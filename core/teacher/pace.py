"""How a teacher's job gets on: where it stands and its course so far, from the events in its folder.

Keeps a few thousand points however long the job runs. Time is time at work: pauses between two attempts are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.jobs.events import EventTail, last_events

Floats = npt.NDArray[np.float64]
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
        if len(self.seconds) < 2:
            return np.zeros(len(self.seconds))
        window = max(_WINDOW, float(self.seconds[-1]) / 60)
        start = np.maximum(self.seconds - window, 0.0)
        spans = np.maximum(self.seconds - start, 1.0)
        return np.asarray(60 * (counts - np.interp(start, self.seconds, counts)) / spans)

    @property
    def seconds_left(self) -> float | None:
        """At the pace of the last minutes; None while that is not known."""
        if len(self.seconds) < 2 or self.standing.done >= self.standing.requested:
            return None
        now = float(self.seconds[-1])
        start = max(0.0, now - _RECENT)
        made = float(self.done[-1] - np.interp(start, self.seconds, self.done))
        return (self.standing.requested - self.standing.done) * (now - start) / made if made > 0 else None


class Pace:
    """Reads the events of one job, each once. Not for two threads at a time."""

    def __init__(self, path: Path) -> None:
        self._tail = EventTail(path)
        self._rows: list[tuple[float, float, float, float, float]] = []
        self._standing = Standing()
        self._message = ""
        self._before: float | None = None
        self._worked = 0.0
        self._stride = 1
        self._count = 0

    def poll(self) -> Course:
        """Read what is new, and tell all."""
        while events := self._tail.read():
            for event in events:
                self._take(event)
        rows = self._rows if not self._count or self._rows[-1] == self._row() else [*self._rows, self._row()]
        columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
        return Course(self._standing, self._message, *columns)

    def _take(self, event: dict[str, Any]) -> None:
        match event["kind"]:
            case "attempt":
                self._before = None
            case "message":
                self._message = str(event.get("text", ""))
            case "teacher":
                self._standing = _standing(event)
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

    def _row(self) -> tuple[float, float, float, float, float]:
        at = self._standing
        return self._worked, at.done, at.verified, at.tokens, at.cost_usd or 0.0


def standing(events: Path) -> Standing | None:
    """Where a job stands, from the end of its events; None when it has said nothing yet."""
    found = next((event for event in reversed(last_events(events)) if event["kind"] == "teacher"), None)
    return None if found is None else _standing(found)


def _standing(event: dict[str, Any]) -> Standing:
    return Standing(**{name: event[name] for name in _NAMES if name in event})
