"""When the next question may be sent to an endpoint: one policy, from what the endpoint says of its limits and from how it fails.

Pure: the caller brings the time in seconds of any steady clock, asks `wait`, and reports every sending and its end. Nothing here sleeps.

Where the endpoint tells how much is left and when it will be replenished, what is left is spread over that time, the more of it the earlier. A limit
that is refilled all the time so finds its balance at a third of its bucket and the full rate; one that is refilled at once is used up just before. Where it
tells nothing, the number under way grows by one a round and is halved by each refusal (AIMD, as in TCP). Failed questions count like others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

FIRST = 2
"""Questions under way before anything is known of an endpoint."""
_SLACK = 0.1
"""Seconds of allowance that may gather, so that a late timer loses nothing."""
_LONGEST_BACKOFF = 60.0
_STEEP = 3.0
"""Questions more for each answer at the beginning, where the endpoint tells its limits and so nothing has to be found out by being refused."""
_HASTE = 2.0
"""What is left is used so many times as fast as it would last, and ever slower as it becomes less."""
_HORIZON = 60.0
"""Seconds over which what is left is spread at most: what belongs to a day may be used now."""
_LOOK = 1.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(ms|us|µs|ns|d|h|m|s)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an endpoint said of one of its limits. reset: seconds until all of it is there again, None where it did not say."""

    limit: float
    remaining: float
    reset: float | None


@dataclass(slots=True)
class _Known:
    """An allowance as it was heard. end: when it is whole again. upto: how much had been sent, in all, with the question it came for."""

    limit: float
    remaining: float
    end: float | None
    upto: float
    ticket: int


def seconds(text: str | None) -> float | None:
    """A duration such as `6m0s`, `1s`, `12ms` or `1.5` as seconds; None for anything else, and for less than nothing."""
    if text is None:
        return None
    text = text.strip()
    try:
        value = float(text)
    except ValueError:
        parts = _DURATION.findall(text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            return None
        value = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return value if 0 <= value < float("inf") else None


def allowance(headers: Mapping[str, str], what: str) -> Allowance | None:
    """What the headers say of the limit on `requests` or `tokens`; None where limit or rest is missing, 0 for a limit, or below 0."""
    limit = _number(headers.get(f"x-ratelimit-limit-{what}"))
    remaining = _number(headers.get(f"x-ratelimit-remaining-{what}"))
    if limit is None or remaining is None or limit <= 0:
        return None
    return Allowance(limit, min(remaining, limit), seconds(headers.get(f"x-ratelimit-reset-{what}")))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as the endpoint asks; None where it does not. A date in Retry-After is read against the response's own Date."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    found = seconds(text)
    if found is not None or not text:
        return found
    from email.utils import parsedate_to_datetime

    try:
        wanted = parsedate_to_datetime(text)
        return max(0.0, (wanted - parsedate_to_datetime(headers["date"])).total_seconds())
    except (KeyError, TypeError, ValueError):
        return None


class Pacer:
    """The limiter of one endpoint. most: questions under way at once, never more. Times are seconds of one steady clock."""

    def __init__(self, most: int, *, rng: random.Random | None = None) -> None:
        self.most = most
        self.allowed = float(min(FIRST, most))
        self.unreachable_since: float | None = None
        self._rng = rng or random.Random()
        self._slow_start = True
        self._hold = 0.0
        self._ticket = 0
        self._sent = {"requests": 0.0, "tokens": 0.0}
        self._open: dict[int, dict[str, float]] = {}
        self._known: dict[str, _Known] = {}
        self._credit: dict[str, float] = {}
        self._counted: dict[str, float] = {}
        self._longest: dict[str, float] = {}
        self._refusals = 0
        self._lowered = 0
        self._full = 0

    @property
    def under_way(self) -> int:
        """Questions that were sent and have not ended."""
        return len(self._open)

    def wait(self, now: float, tokens: float = 0) -> float:
        """Seconds until a question of so many tokens may be sent: 0 for now, infinity until one that is under way has ended.

        Ask again after that time, and after anything was reported.
        """
        if len(self._open) >= int(self.allowed):
            self._full = self._ticket
            return float("inf")
        if now < self._hold:
            return self._hold - now
        return max(self._wait_for("requests", 1.0, now), self._wait_for("tokens", tokens, now))

    def sent(self, now: float, tokens: float = 0) -> int:
        """A question leaves now; returns its ticket. What it needed of the limits is gone, whatever becomes of it."""
        self._ticket += 1
        for what, amount in (("requests", 1.0), ("tokens", tokens)):
            self._sent[what] += amount
            if what in self._known:
                self._gather(what, now)
                self._credit[what] -= amount
        self._open[self._ticket] = dict(self._sent)
        return self._ticket

    def answered(self, now: float, ticket: int, headers: Mapping[str, str]) -> None:
        """A question ended with a response that has nothing to do with limits: an answer, or a refusal of this question alone."""
        self._heard(now, ticket, headers)
        self._refusals = 0
        if self.unreachable_since is not None:
            self.unreachable_since, self.allowed, self._slow_start = None, float(min(FIRST, self.most)), True
        elif ticket <= self._full:  # more would have been sent if more had been allowed
            steep = _STEEP if "requests" in self._known else 1.0
            self.allowed = min(float(self.most), self.allowed + (steep if self._slow_start else 1.0 / self.allowed))

    def limited(self, now: float, ticket: int, headers: Mapping[str, str]) -> float:
        """A question was refused for a limit, or the endpoint is overloaded; returns for how many seconds nothing is sent.

        Where the endpoint does not say for how long, half as many are under way from now on; and when nothing was answered since the last
        refusal, nothing is sent for a time that doubles.
        """
        self._heard(now, ticket, headers)
        asked = retry_after(headers)
        if self._lower(ticket):
            self._refusals += 1
            if asked is None and self._refusals > 1:
                asked = min(_LONGEST_BACKOFF, 2.0 ** (self._refusals - 2)) * self._rng.uniform(0.75, 1.25)
        self._hold = max(self._hold, now + (asked or 0.0))
        return self._hold - now

    def failed(self, now: float, ticket: int, headers: Mapping[str, str] | None = None) -> None:
        """A question ended without an answer, for a reason that says nothing of limits."""
        self._heard(now, ticket, headers or {})

    def slow(self, now: float, ticket: int) -> None:
        """A question's time ran out: fewer at once, since an endpoint that cannot keep up looks so."""
        self._heard(now, ticket, {})
        self._lower(ticket)

    def unreachable(self, now: float, ticket: int, first_wait: float = 1.0) -> None:
        """No connection came about. One question at a time tries again, after waits that double up to half a minute."""
        self._heard(now, ticket, {})
        if self.unreachable_since is None:
            self.unreachable_since = now
            self._refusals = 0
            self._lowered = 0
        if ticket > self._lowered:
            self._lowered = self._ticket
            self.allowed, self._slow_start = 1.0, False
            self._hold = max(
                self._hold, now + min(30.0, first_wait * 2.0**self._refusals) * self._rng.uniform(0.75, 1.0)
            )
            self._refusals += 1

    def dropped(self, now: float, ticket: int) -> None:
        """A question was cut off by us."""
        self._heard(now, ticket, {})

    def _lower(self, ticket: int) -> bool:
        """Halve what may be under way, once for all that left before the last time; says whether it did."""
        self._slow_start = False
        if ticket <= self._lowered:
            return False
        self._lowered = self._ticket
        self.allowed = max(1.0, self.allowed / 2)
        return True

    def _heard(self, now: float, ticket: int, headers: Mapping[str, str]) -> None:
        upto = self._open.pop(ticket)
        for what in ("requests", "tokens"):
            told = allowance(headers, what)
            known = self._known.get(what)
            if told is None or (known is not None and ticket < known.ticket and not self._over(known, now)):
                continue
            if known is None:
                self._credit[what], self._counted[what] = 0.0, now
            else:
                self._gather(what, now)
            end = None if told.reset is None else now + told.reset
            self._longest[what] = max(self._longest.get(what, 0.0), told.reset or 0.0)
            self._known[what] = _Known(told.limit, told.remaining, end, upto[what], ticket)

    def _over(self, known: _Known, now: float) -> bool:
        return known.end is not None and now >= known.end

    def _left(self, what: str, now: float) -> float:
        """How much the endpoint has left for us at least: what it said, without what has left since."""
        known = self._known[what]
        unseen = self._sent[what] - known.upto
        return (known.limit if self._over(known, now) else known.remaining) - unseen

    def _pace(self, what: str, now: float) -> float:
        """Units a second: what is left, spread over the time until it is replenished; where that is not known, the limit of a minute."""
        known = self._known[what]
        if known.end is None:
            return known.limit / 60
        if self._over(known, now):  # all of it is there, and will last at least as long as it ever took to come back
            return _HASTE * known.limit / max(self._longest[what], 1e-6)
        return _HASTE * max(0.0, self._left(what, now)) / min(max(known.end - now, 1e-6), _HORIZON)

    def _gather(self, what: str, now: float) -> None:
        pace = self._pace(what, now)
        gained = pace * (now - self._counted[what])
        self._counted[what] = now
        self._credit[what] = min(self._credit[what] + gained, max(1.0, pace * _SLACK))

    def _wait_for(self, what: str, amount: float, now: float) -> float:
        known = self._known.get(what)
        if known is None or amount <= 0:
            return 0.0
        self._gather(what, now)
        left = self._left(what, now)
        if left < min(amount, known.limit):
            if known.end is None or self._over(known, now):
                return min(_LOOK, 60.0 / known.limit) if self._open else 0.0
            return min(known.end - now, _LOOK) if self._open else known.end - now
        missing = min(amount, max(1.0, self._pace(what, now) * _SLACK)) - self._credit[what]
        if missing <= 0:
            return 0.0
        return min(missing / max(self._pace(what, now), 1e-9), _LOOK)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
