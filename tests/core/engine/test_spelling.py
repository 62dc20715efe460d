"""The bytes of tokens, whatever letters a vocabulary writes them in: put together they are the text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from core.engine import fim, starter
from core.engine.spelling import Spelling
from core.errors import UserError
from core.inference.likelihoods import spelt
from tests.core.engine.conftest import TEXTS

BYTEWISE = starter.make_tokenizer(TEXTS, 512)


@given(st.text(max_size=40))
def test_the_bytes_of_a_texts_tokens_are_the_text(text: str) -> None:
    spelling = Spelling(BYTEWISE)
    ids = BYTEWISE(text, add_special_tokens=False)["input_ids"]
    assert b"".join(spelling.bytes_of(token) for token in ids) == text.encode()


@given(st.text(min_size=1, max_size=12))
def test_what_is_written_for_a_token_can_be_read_back(text: str) -> None:
    spelling = Spelling(BYTEWISE)
    for token in BYTEWISE(text, add_special_tokens=False)["input_ids"]:
        assert spelt(spelling.text_of(token)) == spelling.bytes_of(token)


def with_words(*words: str) -> Any:
    """A tokenizer of whole words, in the manner of SentencePiece."""
    plain = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(("<unk>", *words))}, unk_token="<unk>")
    )
    plain.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="<unk>")


def test_other_vocabularies_have_marks_for_spaces_and_bytes() -> None:
    spelling = Spelling(with_words("▁func", "<0xE6>", "x"))
    assert [spelling.bytes_of(token) for token in (1, 2, 3, 99)] == [b" func", b"\xe6", b"x", b""]
    assert spelling.text_of(2) == "bytes:\\xe6"


def test_a_gap_is_written_in_the_order_that_its_markers_ask_for() -> None:
    tokenizer = with_words("a", "b", *fim.MARKERS[0], "<|file_sep|>")
    known = tokenizer.get_vocab()
    first, between, last = (known[marker] for marker in fim.MARKERS[0])
    assert fim.encode(tokenizer, "a", "b") == [first, known["a"], between, known["b"], last]
    assert fim.endings(tokenizer) == {first, between, last, known["<|file_sep|>"]}


def test_a_model_without_markers_says_so() -> None:
    with pytest.raises(UserError, match="no tokens for filling a gap"):
        fim.encode(BYTEWISE, "func ", "}")
    assert fim.endings(BYTEWISE) == frozenset()
