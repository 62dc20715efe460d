"""What stays remembered of earlier texts, so that the next turn of a chat does not read the whole of it again.

A row is given back when its answer ends, and found again by the longest beginning that a new prompt shares with it. Rows are held up to a
number of bytes; the one not used for longest goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.engine.forward import Memory, Way

WORTH = 8
"""Common tokens from which a row is taken: below, reading them again is as quick as copying."""


class Kept:
    """Rows that nobody uses at the moment. most: bytes that they may take."""

    def __init__(self, way: Way, most: int) -> None:
        self._way = way
        self._most = most
        self._rows: list[Memory] = []

    @property
    def bytes(self) -> int:
        """Memory that the rows take."""
        return sum(row.bytes for row in self._rows)

    def take(self, ids: Sequence[int], adapter: str, others: Iterable[Memory] = ()) -> Memory:
        """A row for a prompt, which holds as much of its beginning as is known; `len(row.ids)` says how much, and is less than the prompt.

        others: rows in use, of which only copies are taken. A row is taken itself if all of it is wanted, else a copy of what is shared: a
        second conversation with the same system message does not cost the first one its memory.
        """
        mine = [(common(row.ids, ids), row) for row in self._rows if row.adapter == adapter]
        theirs = [(common(row.ids, ids), row) for row in others if row.adapter == adapter]
        length, best = max(mine + theirs, key=lambda pair: pair[0], default=(0, None))
        if best is None or length < WORTH:
            return self._way.memory(adapter)
        idle = any(row is best for row in self._rows)
        if idle:
            self._rows.remove(best)
        if idle and length >= len(best.ids) - 1:
            best.cut(length)
            return best
        if idle:
            self._rows.append(best)
        return best.copy(length)

    def give(self, row: Memory) -> None:
        """Keep a row, and let go of the oldest ones that are too many. A row that says no more than the new one is let go too."""
        self._rows = [old for old in self._rows if old.adapter != row.adapter or not _begins(old.ids, row.ids)]
        if len(row.ids) >= WORTH:
            self._rows.append(row)
        while self._rows and self.bytes > self._most:
            self._rows.pop(0)

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()


def common(held: Sequence[int], prompt: Sequence[int]) -> int:
    """Length of the shared beginning, but one less than the prompt at most: logits come only from a token that is run."""
    most = min(len(held), len(prompt) - 1)
    for index in range(most):
        if held[index] != prompt[index]:
            return index
    return max(0, most)


def _begins(short: Sequence[int], long: Sequence[int]) -> bool:
    return len(short) <= len(long) and list(long[: len(short)]) == list(short)
