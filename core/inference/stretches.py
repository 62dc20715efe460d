"""Likelihoods laid over the text they are of: which characters a token stands on, and what two models make of the same ones.

A token may end in the middle of a character. Tokens that share one are one stretch, whose negative log-likelihood is their sum (the
chain rule), so that no colour is ever a byte off. Two models with different tokenizers are compared over bytes: the nats of a token
are spread evenly over its bytes, and what a stretch holds of either is set against the other, on the boundaries of both. Over a whole
text nothing is lost by that; inside one token it is a convention. Pure; characters are counted as Python does.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from core.errors import UserError
from core.inference.likelihoods import Likelihood

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
"""As editors count them: broken at line feeds alone."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters start to end of a text. nats: of all its tokens, or by how many more the second of two models pays for it; None where a
    model says nothing of it, as of a text's first token. tokens: indices first and behind the last of those that stand here; equal where
    the stretch is one of a difference."""

    start: int
    end: int
    nats: float | None
    tokens: tuple[int, int] = (0, 0)


def fitted(tokens: Sequence[Likelihood], text: str, *, at_end: bool = True) -> tuple[Likelihood, ...]:
    """The tokens that are this text, byte for byte: without a mark before it or behind it, and without a space that the tokenizer puts there.

    at_end: the text is the last that the tokens hold, not the first. Raises UserError where they hold another text, as those of a
    tokenizer that writes characters otherwise than they came.
    """
    wanted = text.encode()
    held = b"".join(token.spelt for token in tokens)
    skip = len(held) - len(wanted) if at_end else 0
    if skip < 0 or held[skip : skip + len(wanted)] != wanted:
        raise UserError(
            "The model's tokenizer does not give this text back as it is, so it cannot be laid over it.",
            "Choose another model, or take out unusual characters.",
        )
    found = []
    at = 0
    for token in tokens:
        low, high = max(skip - at, 0), min(skip + len(wanted) - at, len(token.spelt))
        at += len(token.spelt)
        if high > low:
            found.append(token if high - low == len(token.spelt) else replace(token, spelt=token.spelt[low:high]))
    return tuple(found)


def of_answer(tokens: Sequence[Likelihood], text: str) -> tuple[Likelihood, ...]:
    """`fitted` for a streamed answer, whose last character may have been cut in the middle; () where nothing fits."""
    for shown in (text, text.rstrip("\ufffd")):
        try:
            return fitted(tokens, shown, at_end=False)
        except UserError:
            continue
    return ()


def stretches(tokens: Sequence[Likelihood]) -> tuple[Stretch, ...]:
    """What stands where, in order and without gaps; together they are the text that the tokens are. See `fitted`."""
    edges = _edges(tokens)
    starts = _characters(b"".join(token.spelt for token in tokens))
    found: list[Stretch] = []
    first = 0
    for index in range(len(tokens)):
        begin, end = edges[first], edges[index + 1]
        if end in starts and end > begin:
            nats = [token.logprob for token in tokens[first : index + 1] if token.spelt]
            known = [-one for one in nats if one is not None]
            total = sum(known) if len(known) == len(nats) else None
            found.append(Stretch(starts[begin], starts[end], total, (first, index + 1)))
            first = index + 1
    return tuple(found)


def difference(one: Sequence[Likelihood], other: Sequence[Likelihood]) -> tuple[Stretch, ...]:
    """By how many nats the other model pays more for each stretch of the same text, on the boundaries of both.

    Raises ValueError where the two hold different texts.
    """
    text = b"".join(token.spelt for token in one)
    if text != b"".join(token.spelt for token in other):
        raise ValueError("likelihoods of two different texts cannot be compared")
    starts = _characters(text)
    cuts = sorted({edge for edge in (*_edges(one), *_edges(other)) if edge in starts})
    mine, theirs = _Spread(one), _Spread(other)
    found = []
    for begin, end in pairwise(cuts):
        left, right = mine.over(begin, end), theirs.over(begin, end)
        nats = None if left is None or right is None else right - left
        found.append(Stretch(starts[begin], starts[end], nats))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Total:
    """tokens, bytes: those that have a likelihood. nats: of all of them."""

    tokens: int
    bytes: int
    nats: float

    @property
    def per_token(self) -> float | None:
        """Mean negative log-likelihood of a token."""
        return self.nats / self.tokens if self.tokens else None

    @property
    def per_byte(self) -> float | None:
        """Mean negative log-likelihood of a byte: what models with different tokenizers are compared by."""
        return self.nats / self.bytes if self.bytes else None


def total(tokens: Sequence[Likelihood]) -> Total:
    """What a text costs a model altogether."""
    known = [(len(token.spelt), -token.logprob) for token in tokens if token.logprob is not None]
    return Total(len(known), sum(size for size, _ in known), sum(nats for _, nats in known))


@dataclass(frozen=True, slots=True)
class Line:
    """number: from 1. nats: of all that begins in it, its end included."""

    number: int
    text: str
    nats: float


def worst_lines(text: str, found: Sequence[Stretch], most: int) -> tuple[Line, ...]:
    """The lines with the most nats, or those for which the second model pays most more, falling; at most `most`, none at or below 0.

    What spans several lines counts for each by its share of the characters.
    """
    lines = _LINE.findall(text)
    ends = [0, *accumulate(map(len, lines))]
    sums = [0.0] * (len(ends) - 1)
    for one in found:
        if one.nats is None:
            continue
        line = max(bisect_left(ends, one.start + 1) - 1, 0)
        while line < len(sums) and ends[line] < one.end:
            shared = min(one.end, ends[line + 1]) - max(one.start, ends[line])
            sums[line] += one.nats * shared / (one.end - one.start)
            line += 1
    ranked = sorted((-nats, number) for number, nats in enumerate(sums) if nats > 0)
    return tuple(Line(number + 1, lines[number].rstrip("\n"), -nats) for nats, number in ranked[:most])


def _edges(tokens: Sequence[Likelihood]) -> list[int]:
    """Where tokens begin and end, in bytes."""
    return [0, *accumulate(len(token.spelt) for token in tokens)]


def _characters(data: bytes) -> dict[int, int]:
    """Byte offset -> character, of every place where a character begins, and of the end. A byte that is of none stands for one."""
    found: dict[int, int] = {}
    at = 0
    text = data.decode("utf-8", "surrogateescape")
    for number, letter in enumerate(text):
        found[at] = number
        at += len(letter.encode("utf-8", "surrogateescape"))
    found[at] = len(text)
    return found


class _Spread:
    """Nats spread evenly over bytes."""

    def __init__(self, tokens: Sequence[Likelihood]) -> None:
        self._edges = _edges(tokens)
        self._tokens = tokens
        self._before = [0.0, *accumulate(-(token.logprob or 0.0) for token in tokens)]
        self._unknown = [
            (begin, end)
            for (begin, end), token in zip(pairwise(self._edges), tokens, strict=True)
            if token.logprob is None and end > begin
        ]

    def over(self, begin: int, end: int) -> float | None:
        """Nats from byte to byte; None where some of it is not known."""
        if any(low < end and begin < high for low, high in self._unknown):
            return None
        return self._until(end) - self._until(begin)

    def _until(self, at: int) -> float:
        token = bisect_left(self._edges, at) - 1
        if token < 0:
            return 0.0
        begin, end = self._edges[token], self._edges[token + 1]
        share = (at - begin) / (end - begin) if end > begin else 1.0
        return self._before[token] - (self._tokens[token].logprob or 0.0) * share
