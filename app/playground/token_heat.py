"""Likelihoods laid out on the lines of a text, in Qt's units: made in a worker, so that a long file costs the window nothing. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from app.playground import token_colours
from app.playground.token_colours import DIFFERENCE
from app.widgets.go_syntax import utf16_length
from core.inference import Likelihood
from core.inference.stretches import Stretch

Place = tuple[int, int, int]
"""Of a piece of a line: start and end in UTF-16 units, and the index of its stretch."""
Ground = tuple[int, int, int]
"""Start and end of what has one colour, and its level."""


@dataclass(frozen=True, slots=True)
class Heat:
    """What a text is coloured by. kind: PROBABILITY or DIFFERENCE. tokens: those that the stretches name, for what is told of one;
    empty where two models with different tokens are compared. names: of the model, or of the two. places, grounds: a list a line."""

    kind: str
    text: str
    stretches: tuple[Stretch, ...]
    tokens: tuple[Likelihood, ...]
    names: tuple[str, ...]
    places: list[list[Place]]
    grounds: list[list[Ground]]

    def told(self, line: int, column: int) -> str:
        """What is known of the token at a place, in words; "" where nothing is. line: from 0; column: in UTF-16 units."""
        places = self.places[line] if line < len(self.places) else []
        at = bisect_right(places, (column, math.inf, 0)) - 1
        if at < 0 or not places[at][0] <= column <= places[at][1]:
            return ""
        return described(self, places[at][2])


def heat_of(
    kind: str, text: str, found: Sequence[Stretch], tokens: Sequence[Likelihood] = (), names: Sequence[str] = ()
) -> Heat:
    """Stretches on the lines of the text that they are of; what lies behind its end is dropped."""
    places = _by_line(text, found)
    levels = [None if one.nats is None else token_colours.level(one.nats, kind) for one in found]
    grounds = [
        [
            (run[0][0], run[-1][1], level)
            for level, run in ((key, list(group)) for key, group in groupby(line, lambda place: levels[place[2]]))
            if level
        ]
        for line in places
    ]
    return Heat(kind, text, tuple(found), tuple(tokens), tuple(names), places, grounds)


def described(heat: Heat, index: int) -> str:
    """A stretch in words: what it is, how likely, and what else was likely."""
    one = heat.stretches[index]
    shown = _visible(heat.text[one.start : one.end])
    if heat.kind == DIFFERENCE:
        names = heat.names if len(heat.names) == 2 else ("the first", "the second")
        if one.nats is None:
            return f"{shown} · not known of both"
        who = names[1] if one.nats < 0 else names[0]
        return f"{shown} · {abs(one.nats):.2f} nats likelier to {who}" if round(one.nats, 2) else f"{shown} · the same"
    if one.nats is None:
        return f"{shown} · the first token, which nothing predicts"
    words = f"{shown} · {percent(math.exp(-one.nats))} · {one.nats:.2f} nats"
    first, behind = one.tokens
    if behind - first > 1:
        return f"{words} · {behind - first} tokens that share a character"
    top = heat.tokens[first].top if first < len(heat.tokens) else ()
    others = [f"{_visible(spelt.decode('utf-8', 'replace'))} {percent(math.exp(value))}" for spelt, value in top]
    return f"{words} · likeliest: {', '.join(others)}" if others else words


def percent(chance: float) -> str:
    """A probability with as many digits as say something."""
    return f"{chance:.1%}" if chance >= 0.001 else f"{chance:.1e}"


def _visible(text: str) -> str:
    shown = text.replace("\n", "⏎").replace("\t", "⇥")
    return f"“{shown}”"


def _by_line(text: str, found: Sequence[Stretch]) -> list[list[Place]]:
    """The pieces of each line, in Qt's units. A line's end belongs to the line, without a width of its own."""
    lines: list[list[Place]] = []
    starts: list[int] = []
    at = 0
    texts = text.split("\n")
    for line in texts:
        lines.append([])
        starts.append(at)
        at += len(line) + 1
    for index, one in enumerate(found):
        number = bisect_right(starts, one.start) - 1
        while number < len(lines) and starts[number] < max(one.end, one.start + 1):
            line, begin = texts[number], starts[number]
            left, right = max(one.start - begin, 0), min(one.end - begin, len(line))
            if left <= len(line):
                lines[number].append((utf16_length(line[:left]), utf16_length(line[:right]), index))
            number += 1
    return lines
