"""What changed between two texts, line by line and then word by word. Pure: no widget, no colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_SIMILAR = 0.4

Kind = Literal["same", "added", "removed", "gap", "blank"]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a unified diff.

    old, new: its 1-based number in either text, None where it has none.
    spans: (start, end) in characters of what differs inside the line; empty when the whole line does.
    A `gap` stands for `text` (a number) unchanged lines that are left out, a `blank` for lines of the other side.
    """

    kind: Kind
    text: str
    old: int | None = None
    new: int | None = None
    spans: tuple[tuple[int, int], ...] = ()


def unified(before: str, after: str, *, context: int = 3) -> list[DiffLine]:
    """A unified diff with `context` unchanged lines around each change; empty when the texts are equal."""
    old, new = before.split("\n"), after.split("\n")
    lines: list[DiffLine] = []
    groups = list(SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context))
    reached = 0
    for group in groups:
        start = group[0][1]
        if start > reached:
            lines.append(DiffLine("gap", str(start - reached)))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [DiffLine("same", old[i], i + 1, j1 + i - i1 + 1) for i in range(i1, i2)]
            else:
                lines += _changed(old, new, i1, i2, j1, j2)
        reached = group[-1][2]
    if groups and reached < len(old):
        lines.append(DiffLine("gap", str(len(old) - reached)))
    return lines


def side_by_side(before: str, after: str) -> tuple[list[DiffLine], list[DiffLine]]:
    """Both texts whole, as two lists of equal length in which what belongs together stands at the same place."""
    left: list[DiffLine] = []
    right: list[DiffLine] = []
    whole = max(before.count("\n"), after.count("\n")) + 1
    lines = unified(before, after, context=whole)
    if not lines:
        lines = [DiffLine("same", text, n, n) for n, text in enumerate(before.split("\n"), start=1)]
    for line in lines:
        if line.kind == "removed":
            left.append(line)
        elif line.kind == "added":
            right.append(line)
        else:
            _level(left, right)
            left.append(DiffLine("same", line.text, old=line.old))
            right.append(DiffLine("same", line.text, new=line.new))
    _level(left, right)
    return left, right


def _level(left: list[DiffLine], right: list[DiffLine]) -> None:
    for shorter, missing in ((left, len(right) - len(left)), (right, len(left) - len(right))):
        shorter += [DiffLine("blank", "")] * max(0, missing)


def _changed(old: list[str], new: list[str], i1: int, i2: int, j1: int, j2: int) -> Iterator[DiffLine]:
    """Removed lines, then added ones; the n-th of either side are compared word by word when they resemble each other."""
    paired = [_words(old[i1 + n], new[j1 + n]) for n in range(min(i2 - i1, j2 - j1))]
    for n in range(i2 - i1):
        spans = paired[n][0] if n < len(paired) else ()
        yield DiffLine("removed", old[i1 + n], old=i1 + n + 1, spans=spans)
    for n in range(j2 - j1):
        spans = paired[n][1] if n < len(paired) else ()
        yield DiffLine("added", new[j1 + n], new=j1 + n + 1, spans=spans)


def _words(before: str, after: str) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < _SIMILAR:
        return (), ()
    return (
        _spans(left, [(i1, i2) for tag, i1, i2, _, _ in matcher.get_opcodes() if tag != "equal"]),
        _spans(right, [(j1, j2) for tag, _, _, j1, j2 in matcher.get_opcodes() if tag != "equal"]),
    )


def _spans(words: list[str], ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    return tuple((starts[first], starts[last]) for first, last in ranges if last > first)
