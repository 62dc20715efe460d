"""The bytes of a single token: what log-probabilities are told of, since a token may be less than a character."""

from __future__ import annotations

import functools
import re
from typing import Any

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class Spelling:
    """tokenizer: a fast tokenizer of transformers."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._bytewise = "ByteLevel" in str(tokenizer.backend_tokenizer.decoder)
        self._special = set(tokenizer.get_added_vocab().values())

    def bytes_of(self, token: int) -> bytes:
        """What it adds to a text, in UTF-8; may be a part of a character. Special tokens are spelt out. Empty for an id without a token."""
        piece = self._tokenizer.convert_ids_to_tokens(token)
        if piece is None:
            return b""
        if token in self._special:
            return str(piece).encode()
        if self._bytewise:
            table = _letters()
            return b"".join(bytes([table[letter]]) if letter in table else letter.encode() for letter in piece)
        if alone := _BYTE.fullmatch(piece):
            return bytes([int(alone[1], 16)])
        return str(piece).replace("\u2581", " ").encode()

    def is_special(self, token: int) -> bool:
        """Is it a mark of the model's own, such as the end of a turn, and no piece of text?"""
        return token in self._special

    def text_of(self, token: int) -> str:
        """For people: what is no whole character is written as OpenAI writes it, bytes:\\xe2\\x82."""
        spelt = self.bytes_of(token)
        try:
            return spelt.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in spelt)


@functools.cache
def _letters() -> dict[str, int]:
    """Which byte a letter stands for in byte-level vocabularies (Radford et al. 2019): printable ones for themselves, others from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + place): byte for place, byte in enumerate(hidden)}
