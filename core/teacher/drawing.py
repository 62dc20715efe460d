"""What each sample of a plan is about: drawn from the plan's seed and the sample's number, so that a resumed job asks the same again.

Stores nothing and asks nobody. Quotas are counted in draws, in the order of the numbers: what becomes of a draw has no say in the next.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.teacher.recipes import Choice, RecipeFile

_TRIES = 200


@dataclass(frozen=True, slots=True)
class Seed:
    """What a sample starts from. kind: excerpt, function or sample. origin: where it is from, such as "strings/reader.go:12" or a sample's uid.

    text: the code, or the other sample's task. title: of the function or sample. topic: "" where it tells none.
    """

    kind: str
    origin: str
    text: str
    title: str = ""
    package: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """Sample `number` of a plan. axes: name -> choice. again: how many draws before it were of the same, so that it asks for another answer."""

    number: int
    topic: str
    axes: Mapping[str, Choice]
    seed: Seed | None = None
    again: int = 0

    def given(self) -> dict[str, Any]:
        """What a template may name: each axis, `topic`, and `seed`."""
        return {**self.axes, "topic": self.topic, "seed": self.seed}


Shares = Mapping[str, Mapping[str, float]]
"""Axis -> value -> how often it is drawn beside the others."""


def draws(
    file: RecipeFile,
    seed: int,
    samples: int,
    quotas: Mapping[str, int],
    pool: Sequence[Seed] = (),
    shares: Shares | None = None,
) -> Iterator[Draw]:
    """The draws of a plan in order; fewer than `samples` where quotas allow no more, or there is nothing to start from.

    Where chance alone does not come upon a topic that still has room, only choices and seeds of such topics are left to it.
    """
    if file.source != "none" and not pool:
        return
    order = list(range(len(pool)))
    random.Random(f"{seed}:order").shuffle(order)
    counts: Counter[str] = Counter()
    drawn: Counter[tuple[str | None, ...]] = Counter()
    for number in range(samples):
        chance = random.Random(f"{seed}:{number}")
        narrow, among = file, pool
        for attempt in range(2 * _TRIES):
            if attempt == _TRIES:
                narrow, among = _narrowed(file, pool, lambda topic: counts[topic] < quotas.get(topic, samples))
            start = (
                among[order[number % len(order)] if attempt == 0 else chance.randrange(len(among))] if among else None
            )
            draw = _draw(narrow, number, chance, start, shares or {})
            if counts[draw.topic] < quotas.get(draw.topic, samples):
                counts[draw.topic] += 1
                same = (*(choice.value for choice in draw.axes.values()), draw.seed.origin if draw.seed else None)
                yield replace(draw, again=drawn[same])
                drawn[same] += 1
                break
        else:
            return


def _narrowed(
    file: RecipeFile, pool: Sequence[Seed], has_room: Callable[[str], bool]
) -> tuple[RecipeFile, Sequence[Seed]]:
    """The recipe and the pool without what leads to a topic that has no room, as far as that can be told from one axis or seed alone."""
    axes = {}
    for name, choices in file.axes.items():
        open_ = tuple(one for one in choices if one.topic and has_room(one.topic))
        axes[name] = open_ or tuple(one for one in choices if not one.topic) or choices
    return file.model_copy(update={"axes": axes}), [one for one in pool if has_room(one.topic or file.topic)] or pool


def _draw(file: RecipeFile, number: int, chance: random.Random, start: Seed | None, shares: Shares) -> Draw:
    axes = {name: _choice(choices, chance, shares.get(name)) for name, choices in file.axes.items()}
    if start is not None and file.source == "excerpt":
        start = _excerpt(start, file.excerpt, chance)
    topic = next((choice.topic for choice in axes.values() if choice.topic), "") or (start.topic if start else "")
    return Draw(number, topic or file.topic, axes, start)


def _choice(choices: Sequence[Choice], chance: random.Random, weights: Mapping[str, float] | None) -> Choice:
    found = [weights.get(one.value, 0.0) for one in choices] if weights else []
    return chance.choices(choices, found)[0] if any(found) else chance.choice(choices)


def _excerpt(whole: Seed, span: tuple[int, int], chance: random.Random) -> Seed:
    """Some consecutive lines of it."""
    lines = whole.text.splitlines()
    count = min(len(lines), chance.randint(*span))
    first = chance.randint(0, len(lines) - count)
    text = "\n".join(lines[first : first + count]).strip("\n")
    return Seed("excerpt", f"{whole.origin}+{first}", text, whole.title, whole.package, whole.topic)
