"""Guesses save passes and change nothing: neither what is said, nor what is told of it, nor what is remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import generate
from core.engine.asked import End, Piece, Request
from core.engine.lookup import GUESS, TRIED, Lookup
from core.inference.sampling import validate


@pytest.fixture(scope="module")
def chatter(base: Path) -> generate.Chatter:
    loaded = generate.load(base, "fp32")
    loaded.decoder.ends = frozenset()
    return loaded


def answer(chatter: generate.Chatter, guesses: bool, **settings: Any) -> tuple[str, list[int], End, int]:
    chatter.decoder.kept.clear()
    chatter.decoder.guesses = guesses
    passes = 0
    way: Any = chatter.decoder.way
    run = way.logits

    def counted(*given: Any) -> Any:
        nonlocal passes
        passes += 1
        return run(*given)

    way.logits = counted
    ids = tuple(chatter.text_ids("func Sum3(a, b int) int {\n\treturn a + b*3\n}\n" * 3))
    *pieces, end = chatter.ask(Request(ids, validate(**settings), alternatives=0))
    way.logits = run
    assert isinstance(end, End)
    said = [piece for piece in pieces if isinstance(piece, Piece)]
    return "".join(piece.text for piece in said), [token.id for piece in said for token in piece.tokens], end, passes


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0, "max_tokens": 60},
        {"temperature": 0.2, "seed": 1, "max_tokens": 60},
        {"temperature": 1.0, "top_k": 2, "seed": 2, "max_tokens": 40},
        {"temperature": 0, "repetition_penalty": 1.2, "max_tokens": 30},
    ],
)
def test_what_is_said_is_the_same_with_and_without(chatter: generate.Chatter, settings: dict[str, Any]) -> None:
    plain_text, plain_ids, plain_end, plain_passes = answer(chatter, False, **settings)
    text, ids, end, passes = answer(chatter, True, **settings)
    assert (text, ids, end.tokens) == (plain_text, plain_ids, plain_end.tokens)
    assert plain_end.guessed == 0
    assert passes == plain_passes - end.guessed


def test_a_text_that_repeats_itself_takes_fewer_passes(chatter: generate.Chatter) -> None:
    """A small model at temperature 0 soon goes round in a circle."""
    _, _, end, passes = answer(chatter, True, temperature=0, max_tokens=150)
    assert end.guessed > 0
    assert passes < 150


def test_a_guess_never_goes_past_the_last_token_wanted_nor_into_what_is_remembered(chatter: generate.Chatter) -> None:
    for most in range(1, 12):
        _, ids, end, _ = answer(chatter, True, temperature=0, max_tokens=most)
        assert end.tokens == len(ids) == most
        (row,) = chatter.decoder.kept._rows
        assert row.ids[-most + 1 :] == ids[:-1] if most > 1 else True
        assert len(row.ids) == end.prompt_tokens + most - 1


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(0, 6))
def test_a_guess_is_what_followed_the_same_three_tokens_last(ids: list[int], most: int) -> None:
    found = Lookup(ids).guess(most)
    key = ids[-3:]
    places = [place for place in range(3, len(ids)) if ids[place - 3 : place] == key]
    assert found == (ids[places[-1] : places[-1] + most] if places and len(key) == 3 else [])


def test_who_guesses_wrong_stops_guessing() -> None:
    one = Lookup([1, 2, 3, 4, 1, 2, 3])
    while one.tried < TRIED:
        assert one.guess(GUESS) == [4, 1, 2, 3]
        one.told(4, 0)
    assert one.guess(GUESS) == []
    one.told(0, TRIED)
    assert one.guess(GUESS)
