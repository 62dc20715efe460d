"""Guesses at the next tokens, from where the same three stood before in prompt or answer (Saxena 2023): code that is edited is mostly repeated.

A guess costs a few more tokens in a pass that reads all weights anyhow, and never changes what is said: every token is drawn from the logits
after those before it, and a guess that is not drawn ends what the pass is good for. Whether it pays depends on the machine, so `pays` measures.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from core.engine.compute import Compute, wait
from core.engine.forward import EndToEnd, Way
from core.engine.rows import Part

GUESS = 4
"""Tokens guessed at a time."""

SPEAKERS = 8
"""Answers at a time up to which guesses are made; more fill a pass by themselves."""

KEY = 3
TRIED = 16
"""Guessed tokens after which a request whose guesses hit less than one time in four makes no more."""

DEAR = 1.3
"""What a pass over one token and its guesses may cost, in passes over one token."""


class Lookup:
    """One text. hits, tried: tokens guessed right, and guessed."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        self.hits = self.tried = 0
        for token in ids:
            self.add(token)

    def add(self, token: int) -> None:
        """The next token of the text."""
        if len(self._ids) >= KEY:
            self._after[tuple(self._ids[-KEY:])] = len(self._ids)
        self._ids.append(token)

    def guess(self, most: int) -> list[int]:
        """What may come next; often nothing."""
        if self.tried >= TRIED and 4 * self.hits < self.tried:
            return []
        place = self._after.get(tuple(self._ids[-KEY:]))
        return [] if place is None or most < 1 else self._ids[place : place + most]

    def told(self, guessed: int, right: int) -> None:
        """How a guess went."""
        self.tried += guessed
        self.hits += right


def pays(way: Way, compute: Compute) -> bool:
    """Whether a pass over one token and its guesses is about as quick as one over the token alone: medians of three.

    Never for a model's own cache, of which some kinds cannot forget.
    """
    if not isinstance(way, EndToEnd):
        return False

    def seconds(tokens: int) -> float:
        row = way.memory()
        way.run([Part(row, [0] * 16)])
        took = []
        for _ in range(4):
            wait(compute)
            began = time.perf_counter()
            way.run([Part(row, [0] * tokens, tokens)])
            wait(compute)
            took.append(time.perf_counter() - began)
        return statistics.median(took[1:])

    return seconds(1 + GUESS) < DEAR * seconds(1)
