"""Text as it leaves the model: whole characters at once, and never a part of a stop string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Text:
    """Turns ids into text piece by piece.

    At most one character is withheld while its bytes are incomplete, and at most as much as may be the beginning of a stop
    string. Attributes: stopped, the stop string that ended the text, or None.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str]) -> None:
        """tokenizer: a fast tokenizer of transformers."""
        from tokenizers.decoders import DecodeStream

        self._stream = DecodeStream(skip_special_tokens=True)
        self._tokenizer = tokenizer.backend_tokenizer
        self._stops = tuple(stops)
        self._held = ""
        self.stopped: str | None = None

    def add(self, token: int) -> str:
        """What may be shown after this token; may be empty."""
        self._held += self._stream.step(self._tokenizer, token) or ""
        first = min(((place, stop) for stop in self._stops if (place := self._held.find(stop)) >= 0), default=None)
        if first is not None:
            shown, self.stopped = self._held[: first[0]], first[1]
            self._held = ""
            return shown
        safe = len(self._held) - self._possible_start()
        shown, self._held = self._held[:safe], self._held[safe:]
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
