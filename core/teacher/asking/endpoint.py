"""The endpoints of a job: for each model of each a client, its credentials and its pace. Providers limit by model, and their headers speak of one.

What a sending came to is told to the pacer here; whether everything has to pause is said, and done by `asker`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.teacher.asking import sending
from core.teacher.asking.keys import Credentials
from core.teacher.asking.outcomes import Again, Heard, Outcome
from core.teacher.asking.pacing import Pacer, retry_after
from core.teacher.asking.patience import Patience

if TYPE_CHECKING:
    import openai

TOLD = 5.0
"""Seconds of waiting from which a person is told."""


@dataclass(slots=True)
class Endpoint:
    """One model of an endpoint. gate: held by who waits for their turn; changed: set when waiting may be over."""

    client: openai.AsyncOpenAI
    credentials: Credentials
    pacer: Pacer
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class News:
    """What a person is told after a sending: pause, why nothing more may be sent; say, what takes a while. "" for nothing."""

    pause: str = ""
    say: str = ""


class Endpoints:
    """Made as they are asked for; iterating gives those there are."""

    def __init__(self, credentials: Callable[[str], Credentials], concurrency: int, patience: Patience) -> None:
        self._credentials = credentials
        self._concurrency = concurrency
        self._patience = patience
        self._known: dict[tuple[str, str], Endpoint] = {}

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._known.values())

    def at(self, base_url: str, model: str) -> Endpoint:
        """The one for this model. Raises UserError when there is no key for it."""
        if (base_url, model) not in self._known:
            credentials = self._credentials(base_url)
            client = sending.make_client(
                base_url, credentials, connections=self._concurrency, silence=self._patience.silence
            )
            self._known[base_url, model] = Endpoint(client, credentials, Pacer(self._concurrency))
        return self._known[base_url, model]

    def wake(self) -> None:
        """Let everybody who waits look again."""
        for endpoint in self:
            endpoint.changed.set()

    async def close(self) -> None:
        """Close all connections."""
        for endpoint in self:
            await endpoint.client.close()


def note(pacer: Pacer, ticket: int, heard: Heard | None, outcome: Outcome, patience: Patience) -> News:
    """Tell the pacer how a sending ended. heard: None when nothing was sent."""
    now = time.monotonic()
    if heard is None:
        pacer.dropped(now, ticket)
    elif isinstance(outcome, Again) and outcome.name == "unreachable":
        pacer.unreachable(now, ticket, patience.first_wait)
        if now - (pacer.unreachable_since or now) >= patience.outage:
            return News(pause=f"{outcome.words} Nothing is lost; resume when it can be reached again.")
    elif isinstance(outcome, Again) and outcome.name == "timeout":
        pacer.slow(now, ticket)
    elif isinstance(outcome, Again) and outcome.limited:
        wait = pacer.limited(now, ticket, heard.headers)
        if (retry_after(heard.headers) or 0) > patience.retry_after:
            return News(pause=f"The endpoint asks to wait {span(wait)}. Resume then; nothing is lost.")
        return News(say=f"The endpoint asks to wait {span(wait)}." if wait > TOLD else "")
    elif isinstance(outcome, Again):
        pacer.failed(now, ticket, heard.headers)
    else:
        pacer.answered(now, ticket, heard.headers)
    return News()


def span(seconds: float) -> str:
    """A duration in words."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
