"""Streamed text: whole characters, nothing held longer than needed, and never a part of a stop string."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine.stops import Text

SAMPLES = [
    "plain ascii",
    "größer naïve",
    "日本語の文字",
    "🙂🙃 — “quotes”",
    "func main() {\n\treturn\n}\n",
    "a\u0301e\u0301",
]


def pieces(tokenizer: Any, text: str, stops: tuple[str, ...] = ()) -> tuple[list[str], Text]:
    stream = Text(tokenizer, stops)
    shown = []
    for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
        shown.append(stream.add(token))
        if stream.stopped is not None:
            break
    shown.append(stream.rest())
    return shown, stream


@pytest.mark.parametrize("text", SAMPLES)
def test_the_pieces_add_up_to_the_text_and_never_hold_half_a_character(tokenizer: Any, text: str) -> None:
    shown, _ = pieces(tokenizer, text)
    assert "".join(shown) == text
    assert "\ufffd" not in "".join(shown)


@pytest.mark.parametrize("text", SAMPLES)
def test_at_most_one_character_is_withheld(tokenizer: Any, text: str) -> None:
    stream = Text(tokenizer, ())
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    shown = ""
    for count, token in enumerate(ids, start=1):
        shown += stream.add(token)
        whole = tokenizer.decode(ids[:count]).rstrip("\ufffd")
        assert len(whole) - len(shown) <= 1


@settings(deadline=None)
@given(text=st.text(alphabet="ab}\n`", max_size=40), stop=st.text(alphabet="ab}\n`", min_size=1, max_size=4))
def test_a_stop_string_ends_the_text_wherever_token_borders_lie(tokenizer: Any, text: str, stop: str) -> None:
    shown, stream = pieces(tokenizer, text, (stop,))
    place = text.find(stop)
    assert "".join(shown) == (text if place < 0 else text[:place])
    assert stream.stopped == (None if place < 0 else stop)


def test_what_might_begin_a_stop_string_is_held_until_it_cannot(tokenizer: Any) -> None:
    stream = Text(tokenizer, ("\n}\n",))
    letters = [token for letter in "a\n}b\n}\n" for token in tokenizer(letter, add_special_tokens=False)["input_ids"]]
    assert [stream.add(token) for token in letters] == ["a", "", "", "\n}b", "", "", ""]
    assert (stream.stopped, stream.rest()) == ("\n}\n", "")


def test_of_two_stop_strings_the_one_that_comes_first_counts(tokenizer: Any) -> None:
    shown, stream = pieces(tokenizer, "one two three", ("three", "two"))
    assert ("".join(shown), stream.stopped) == ("one ", "two")


@settings(deadline=None)
@given(st.lists(st.integers(5, 300), max_size=30))
def test_any_ids_can_be_shown_even_those_that_are_no_text(tokenizer: Any, ids: list[int]) -> None:
    stream = Text(tokenizer, ())
    shown = "".join(stream.add(token) for token in ids) + stream.rest()
    assert tokenizer.decode(ids).startswith(shown.rstrip("\ufffd"))


def test_marks_of_the_template_are_not_shown(tokenizer: Any) -> None:
    stream = Text(tokenizer, ())
    ids = tokenizer("x<|end|>y", add_special_tokens=False)["input_ids"]
    assert "".join(stream.add(token) for token in ids) == "xy"
