"""How a judge's job gets on: where it stands and its course so far, from the events in its folder."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from core.teacher.pace import Floats, Track, last_event, per_minute, seconds_left


@dataclass(frozen=True, slots=True)
class JudgeStanding:
    """The newest event `judge` of a job. judged: with a score. asked: requests answered. mean: of the scores; None before there is one.
    cost_usd: None where no price is known."""

    requested: int = 0
    done: int = 0
    judged: int = 0
    failed: int = 0
    asked: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    mean: float | None = None

    @property
    def tokens(self) -> int:
        """Both kinds together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost_per_judgement(self) -> float | None:
        """Dollars for each score; None where there is none yet, or no price."""
        return self.cost_usd / self.judged if self.cost_usd is not None and self.judged else None


_NAMES = tuple(field.name for field in fields(JudgeStanding))


@dataclass(frozen=True, slots=True)
class JudgeCourse:
    """A job so far, columns of one length. seconds: at work. mean: of the scores, 0 before there is one; cost is 0 while no price is known."""

    standing: JudgeStanding
    message: str
    seconds: Floats
    done: Floats
    judged: Floats
    mean: Floats
    tokens: Floats
    cost: Floats

    def per_minute(self, counts: Floats) -> Floats:
        """How fast a column grew, over a window that is wide enough not to jump."""
        return per_minute(self.seconds, counts)

    @property
    def seconds_left(self) -> float | None:
        """At the pace of the last minutes; None while that is not known."""
        return seconds_left(self.seconds, self.done, self.standing.requested - self.standing.done)


class JudgePace:
    """The course of a judge's job, read as it grows. Not for two threads at a time."""

    def __init__(self, path: Path) -> None:
        self._track = Track(path, "judge", _standing, _row)

    def poll(self) -> JudgeCourse:
        """Read what is new, and tell all."""
        columns = self._track.poll()
        return JudgeCourse(self._track.standing, self._track.message, *columns)


def standing(events: Path) -> JudgeStanding | None:
    """Where a job stands, from the end of its events; None when it has said nothing yet."""
    found = last_event(events, "judge")
    return None if found is None else _standing(found)


def _standing(event: dict[str, Any]) -> JudgeStanding:
    return JudgeStanding(**{name: event[name] for name in _NAMES if name in event})


def _row(at: JudgeStanding) -> tuple[float, ...]:
    return at.done, at.judged, at.mean or 0.0, at.tokens, at.cost_usd or 0.0
