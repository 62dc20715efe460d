"""Text as it leaves the model: whole characters at once, and never a part of a stop string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LONGEST_CHARACTER = 8
"""Tokens after which what still is no text will never be: a character has four bytes at most."""


class Text:
    """Turns ids into text piece by piece.

    At most one character is withheld while its bytes are incomplete, and at most as much as may be the beginning of a stop
    string. Attributes: stopped, the stop string that ended the text, or None; length, characters so far, those held back included.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str]) -> None:
        """tokenizer: a fast tokenizer of transformers."""
        self._tokenizer = tokenizer.backend_tokenizer
        self._stops = tuple(stops)
        self._ids: list[int] = []
        self._clean = 0
        self._given = 0
        self._held = ""
        self.stopped: str | None = None
        self.length = 0

    def add(self, token: int) -> str:
        """What may be shown after this token; may be empty."""
        new = self._decode(token)
        self._held += new
        self.length += len(new)
        first = min(((place, stop) for stop in self._stops if (place := self._held.find(stop)) >= 0), default=None)
        if first is not None:
            shown, self.stopped = self._held[: first[0]], first[1]
            self._held = ""
            return shown
        safe = len(self._held) - self._possible_start()
        shown, self._held = self._held[:safe], self._held[safe:]
        return shown

    def _decode(self, token: int) -> str:
        """The characters that this token completes.

        Decoded together with the tokens before it, since some tokenizers write a space only between two. A last character
        that is not whole decodes as U+FFFD and waits; tokens may split a character anywhere. tokenizers' own DecodeStream
        withholds the whole of a token that ends within a character.
        """
        self._ids.append(token)
        text: str = self._tokenizer.decode(self._ids, skip_special_tokens=True)
        whole = len(text) - text.endswith("\ufffd")
        shown = text[self._given : whole]
        self._given = max(self._given, whole)
        if whole == len(text) or len(self._ids) - self._clean > _LONGEST_CHARACTER:
            del self._ids[: self._clean]
            self._clean = len(self._ids)
            self._given = len(self._tokenizer.decode(self._ids, skip_special_tokens=True))
        return shown

    def rest(self) -> str:
        """What was held back, when nothing more comes."""
        held, self._held = self._held, ""
        return "" if self.stopped is not None else held

    def _possible_start(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        longest = min(len(self._held), max(map(len, self._stops), default=1) - 1)
        for length in range(longest, 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
