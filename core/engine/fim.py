"""Filling the middle: a prompt of what stands before and after a gap, for bases that have learned it (Bavarian et al. 2022).

    prefix marker, text before, suffix marker, text after, middle marker -> the model writes the middle

Never with a chat template. A model that has no such markers is refused with a sentence, for the suffix would be lost on it.
"""

from __future__ import annotations

from typing import Any, Final

from core.errors import UserError

MARKERS: Final = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),  # Qwen2.5-Coder, CodeGemma
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),  # SantaCoder
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # DeepSeek-Coder
)
"""Before the text, between it and what follows, and before the middle, by family."""

STRAYS: Final = ("<|fim_pad|>", "<fim_pad>", "<|file_sep|>", "<|file_separator|>", "<|repo_name|>", "<file_sep>")
"""Tokens after which a filled gap is over: a model goes on with another file, or pads."""


def encode(tokenizer: Any, before: str, after: str) -> list[int]:
    """Ids of the prompt. Raises UserError for a tokenizer without markers."""
    first, between, last = _markers(tokenizer)
    return [first, *_ids(tokenizer, before), between, *_ids(tokenizer, after), last]


def endings(tokenizer: Any) -> frozenset[int]:
    """Tokens that end a filled gap beside those that end every answer."""
    known = tokenizer.get_vocab()
    return frozenset(known[name] for name in (*STRAYS, *(one for family in MARKERS for one in family)) if name in known)


def _markers(tokenizer: Any) -> tuple[int, int, int]:
    known = tokenizer.get_vocab()
    for first, between, last in MARKERS:
        if first in known and between in known and last in known:
            return known[first], known[between], known[last]
    raise UserError(
        "This model's tokenizer has no tokens for filling a gap, so a suffix would be lost on it.",
        "Leave suffix out, or serve a base that has them, such as Qwen2.5-Coder.",
    )


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
