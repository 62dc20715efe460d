"""The thread that owns a model: it takes requests from others, and steps the decoder while anybody waits for an answer.

Everything of torch happens in this one thread. What it tells is told in it, too, so what hears must not block.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.engine.answering import Answering
from core.engine.asked import End, Piece, Request
from core.engine.decoder import Decoder

Tell = Callable[[Piece | End | Exception], None]


@dataclass(slots=True, eq=False)
class Asked:
    """One request of another thread. Whoever asked may cancel it, and is told an End all the same, or the error that ended it."""

    request: Request
    tell: Tell
    _gone: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Want no more: it ends within a token."""
        self._gone.set()

    @property
    def cancelled(self) -> bool:
        """Is it wanted no more?"""
        return self._gone.is_set()


class Runner:
    """The decoder in a thread. last_used: monotonic time at which the last answer ended, or `start` was called."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._came = threading.Condition()
        self._inbox: list[Asked] = []
        self._closing = False
        self._active: dict[Answering, Asked] = {}
        self.last_used = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="model")

    def start(self) -> None:
        """Begin to answer what is asked."""
        self.last_used = time.monotonic()
        self._thread.start()

    @property
    def active(self) -> int:
        """Requests that have no end yet."""
        with self._came:
            return len(self._inbox) + len(self._active)

    def ask(self, request: Request, tell: Tell) -> Asked:
        """Take a request in, from any thread."""
        asked = Asked(request, tell)
        with self._came:
            self._inbox.append(asked)
            self._came.notify()
        return asked

    def close(self) -> None:
        """End every answer as cancelled, and the thread."""
        with self._came:
            self._closing = True
            self._came.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._came:
                while not (self._inbox or self._active or self._closing):
                    self._came.wait()
                if self._closing and not (self._inbox or self._active):
                    return
                new, self._inbox = self._inbox, []
                for asked in new:
                    self._take(asked)
            self._step()

    def _take(self, asked: Asked) -> None:
        try:
            answering = self._decoder.ask(asked.request, asked.tell, lambda: asked.cancelled or self._closing)
        except Exception as error:  # noqa: BLE001  handed to whoever asked
            asked.tell(error)
            return
        self._active[answering] = asked

    def _step(self) -> None:
        try:
            self._decoder.step()
        except Exception as error:  # noqa: BLE001  handed to all who were in this step, since nobody knows whose fault it is
            for answering in self._decoder.abandon():
                self._active[answering].tell(error)
        with self._came:
            self._active = {one: asked for one, asked in self._active.items() if not one.ended}
            if not self._active:
                self.last_used = time.monotonic()
