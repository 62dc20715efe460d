"""A search as it arrives from a shell: words in a list, their quotes taken away."""

from __future__ import annotations

from collections.abc import Sequence

from core.samples import query


def query_of(words: Sequence[str]) -> query.Query:
    """The search that these words of a command line mean. Raises UserError where they are none."""
    return query.parse(" ".join(_requote(word) for word in words))


def _requote(word: str) -> str:
    """The shell took the quotes of `"free text"` away; give them back where they are needed."""
    spaced = " " in word and '"' not in word
    is_term = any(":" in part for part in word.split())
    return f'"{word}"' if spaced and not is_term else word
