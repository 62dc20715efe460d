"""How a text that is longer than a model reads is scored: in windows that overlap by half.

    context 8:   0 1 2 3 4 5 6 7            tokens 0 to 7 are scored, 0 to 3 of them with less than half a context before
                         4 5 6 7 8 9 ..     then 8 to 11, each with at least 4 tokens before it

So every token is scored once, and all but the first few with at least half of the context before them. What a window is too
short for is not made up: a token in the second window may have been easier with the whole text before it.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import UserError


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens start to end are read, those from `first` on are scored in it."""

    start: int
    first: int
    end: int


def windows(tokens: int, context: int) -> tuple[Window, ...]:
    """What is read of a text of so many tokens, in order. context: tokens that are read at once, at most; none is empty.

    Raises UserError for a context of fewer than two tokens, in which nothing can be predicted.
    """
    if context < 2:
        raise UserError(f"The model reads {context} tokens at once, so nothing can be scored.", "Choose another model.")
    found: list[Window] = []
    done = 0
    while done < tokens:
        start = 0 if not done else done - (context + 1) // 2
        end = min(tokens, start + context)
        found.append(Window(start, done, end))
        done = end
    return tuple(found)
