"""Likelihoods laid over a text: no byte is lost, no character cut, and tokenizers of any kind can be compared."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.inference.likelihoods import Likelihood
from core.inference.stretches import difference, fitted, of_answer, stretches, total, worst_lines

TEXTS = st.text(st.sampled_from("ab \n\t{}äß日🙂"), min_size=1, max_size=30)


def cut(text: str, places: list[int], nats: list[float]) -> list[Likelihood]:
    """A tokenizer that cuts where it is told, in the middle of characters as well; the first token has no likelihood."""
    data = text.encode()
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    pieces = [data[begin:end] for begin, end in pairwise(edges)]
    return [Likelihood(piece, None if not number else -nats[number % len(nats)]) for number, piece in enumerate(pieces)]


PLACES = st.lists(st.integers(0, 200), max_size=12)
NATS = st.lists(st.floats(0, 20), min_size=1, max_size=8)


@given(TEXTS, PLACES, NATS)
def test_stretches_cover_the_text_without_gaps_and_keep_every_nat(
    text: str, places: list[int], nats: list[float]
) -> None:
    tokens = cut(text, places, nats)
    found = stretches(tokens)
    assert "".join(text[one.start : one.end] for one in found) == text
    assert [one.start for one in found[1:]] == [one.end for one in found[:-1]]
    assert [one.tokens[0] for one in found[1:]] == [one.tokens[1] for one in found[:-1]]
    known = math.fsum(one.nats for one in found if one.nats is not None)
    first = found[0].tokens[1]
    assert known == pytest.approx(-sum(token.logprob or 0.0 for token in tokens[first:]))
    assert found[0].nats is None


@given(TEXTS, PLACES, PLACES, NATS, NATS)
def test_a_difference_of_two_tokenizers_adds_up_to_that_of_their_totals(
    text: str, places: list[int], others: list[int], nats: list[float], more: list[float]
) -> None:
    one, other = (
        [Likelihood(t.spelt, t.logprob or -1.0) for t in cut(text, p, n)] for p, n in ((places, nats), (others, more))
    )
    found = difference(one, other)
    assert "".join(text[part.start : part.end] for part in found) == text
    assert all(part.nats is not None for part in found)
    assert math.fsum(part.nats or 0.0 for part in found) == pytest.approx(total(other).nats - total(one).nats, abs=1e-6)


@given(TEXTS, PLACES, NATS, NATS)
def test_with_one_tokenizer_the_difference_is_that_of_the_tokens(
    text: str, places: list[int], nats: list[float], more: list[float]
) -> None:
    one, other = cut(text, places, nats), cut(text, places, more)
    expected = [
        None if left.nats is None or right.nats is None else right.nats - left.nats
        for left, right in zip(stretches(one), stretches(other), strict=True)
    ]
    assert [part.nats for part in difference(one, other)] == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_what_one_model_does_not_know_is_not_compared() -> None:
    one = [Likelihood(b"ab", None), Likelihood(b"cd", -1.0)]
    other = [Likelihood(b"a", None), Likelihood(b"bcd", -3.0)]
    assert [(part.start, part.end, part.nats) for part in difference(one, other)] == [
        (0, 1, None), (1, 2, None), (2, 4, pytest.approx(1.0)),
    ]  # fmt: skip


def test_different_texts_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different texts"):
        difference([Likelihood(b"a", -1.0)], [Likelihood(b"b", -1.0)])


def test_marks_before_a_text_and_a_space_that_a_tokenizer_adds_are_taken_off() -> None:
    tokens = [Likelihood(b"<s>", None), Likelihood(b" func", -2.0), Likelihood(b" F", -1.0)]
    assert fitted(tokens, "func F") == (Likelihood(b"func", -2.0), Likelihood(b" F", -1.0))
    with pytest.raises(UserError, match="does not give this text back"):
        fitted(tokens, "func G")
    with pytest.raises(UserError, match="does not give this text back"):
        fitted([], "x")


def test_an_answer_may_end_in_the_middle_of_a_character_or_of_a_stop_string() -> None:
    tokens = [Likelihood(b"a", -1.0), Likelihood("日".encode()[:2], -2.0)]
    assert of_answer(tokens, "a\ufffd") == of_answer(tokens, "a") == tuple(tokens[:1])
    assert of_answer([Likelihood(b"ab\n", -1.0)], "ab") == (Likelihood(b"ab", -1.0),)
    assert of_answer(tokens, "something else") == ()


@given(TEXTS, PLACES, NATS)
def test_the_lines_share_all_nats_and_the_worst_come_first(text: str, places: list[int], nats: list[float]) -> None:
    found = stretches(cut(text, places, nats))
    lines = worst_lines(text, found, 1000)
    assert math.fsum(line.nats for line in lines) == pytest.approx(math.fsum(one.nats or 0.0 for one in found))
    assert list(lines) == sorted(lines, key=lambda line: -line.nats)
    for line in lines:
        assert line.text == text.split("\n")[line.number - 1]


def test_only_lines_that_get_worse_are_listed() -> None:
    tokens = [Likelihood(b"a\n", -1.0), Likelihood(b"b\n", -1.0), Likelihood(b"c\n", -1.0)]
    other = [Likelihood(b"a\n", -3.0), Likelihood(b"b\n", -0.5), Likelihood(b"c\n", -1.5)]
    found = worst_lines("a\nb\nc\n", difference(tokens, other), 10)
    assert [(line.number, line.text, line.nats) for line in found] == [(1, "a", 2.0), (3, "c", 0.5)]
    assert worst_lines("a\nb\nc\n", difference(tokens, other), 1) == found[:1]


def test_means_count_what_has_a_likelihood() -> None:
    found = total([Likelihood(b"abc", None), Likelihood(b"de", -1.0), Likelihood(b"f", -2.0)])
    assert (found.tokens, found.bytes, found.per_token, found.per_byte) == (2, 3, 1.5, 1.0)
    assert total([]).per_token is None
