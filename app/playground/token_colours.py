"""How likely a token was, as a colour: shades of one hue on a log scale, or two hues for more and less likely. Pure; theme tokens in, colours out.

Orange and blue, mixed into the ground on which the text stands, are told apart by every kind of colour blindness, and the shades differ in
lightness. No mix goes further than the text on it stays readable (4.5 : 1, tested for both looks). Numbers are always a hover away.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from app.tokens import Tokens

PROBABILITY, DIFFERENCE = "probability", "difference"
SHADES = (0.0, 0.12, 0.24, 0.36, 0.48)
"""How much of the hue is mixed into the ground, from the likeliest to the least likely."""
PROBABLE = (0.5, 0.1, 0.01, 0.001)
"""Probabilities at or below which a token has the next shade."""
APART = (0.1, 0.5, 1.0, 2.0)
"""Differences in nats from which on a token has the next shade."""
_RARE = tuple(-math.log(chance) - 1e-9 for chance in PROBABLE)


@dataclass(frozen=True, slots=True)
class Entry:
    """Of a legend: a level and what it means."""

    level: int
    text: str


def level(nats: float, kind: str) -> int:
    """0 is plain, 4 the strongest shade; negative for what the second of two models finds likelier."""
    if kind == PROBABILITY:
        return bisect_right(_RARE, nats)
    steps = bisect_right(APART, abs(nats))
    return steps if nats > 0 else -steps


def colour(tokens: Tokens, of: int) -> str | None:
    """The ground of a level as #rrggbb, None where it is plain."""
    if not of:
        return None
    return mixed(tokens.surface, tokens.chart_second if of > 0 else tokens.chart_smooth, SHADES[abs(of)])


def legend(kind: str) -> tuple[Entry, ...]:
    """What the shades mean, from one end to the other."""
    if kind == PROBABILITY:
        words = ("over 50 %", "50 to 10 %", "10 to 1 %", "1 to 0.1 %", "below 0.1 %")
        return tuple(Entry(at, text) for at, text in enumerate(words))
    more = [Entry(at, f"+{APART[at - 1]:g}") for at in range(1, len(APART) + 1)]
    less = [Entry(-one.level, one.text.replace("+", "\N{MINUS SIGN}")) for one in reversed(more)]
    return (*less, Entry(0, "same"), *more)


def mixed(ground: str, hue: str, share: float) -> str:
    """So much of a hue in a ground, both #rrggbb."""
    parts = ((int(ground[at : at + 2], 16), int(hue[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(low + (high - low) * share):02X}" for low, high in parts)
