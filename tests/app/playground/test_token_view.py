"""Tokens in the colour of their likelihood: readable in both looks, on the right characters, and quick enough to scroll."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.playground import token_colours
from app.playground.token_colours import DIFFERENCE, PROBABILITY
from app.playground.token_heat import heat_of
from app.playground.token_legend import TokenLegend
from app.playground.token_view import TokenView
from app.theme import Theme
from app.tokens import DARK, LIGHT, Tokens
from app.widgets.go_syntax import utf16_length
from core.inference import Likelihood
from core.inference.stretches import difference, stretches

CODE = 'package a\n\nvar s = "🙂日" // x\n'


def tokens_of(*parts: tuple[bytes, float | None]) -> list[Likelihood]:
    return [Likelihood(spelt, None if chance is None else math.log(chance)) for spelt, chance in parts]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_text_is_readable_on_every_shade_and_neighbouring_shades_differ_in_lightness(look: Tokens) -> None:
    for sign in (1, -1):
        grounds = [token_colours.colour(look, sign * at) or look.surface for at in range(5)]
        assert all(contrast(look.text, ground) >= 4.5 for ground in grounds)
        light = [luminance(ground) for ground in grounds]
        assert light == sorted(light, reverse=not look.dark)
        assert all(contrast(one, other) > 1.04 for one, other in pairwise(grounds))


@pytest.mark.parametrize(
    ("chance", "expected"), [(0.9, 0), (0.51, 0), (0.5, 1), (0.2, 1), (0.1, 2), (0.01, 3), (0.001, 4), (1e-9, 4)]
)
def test_shades_follow_the_powers_of_ten(chance: float, expected: int) -> None:
    assert token_colours.level(-math.log(chance), PROBABILITY) == expected


@pytest.mark.parametrize(("nats", "expected"), [(0.05, 0), (0.1, 1), (0.6, 2), (1.5, 3), (9, 4), (-0.6, -2), (-3, -4)])
def test_differences_have_a_side(nats: float, expected: int) -> None:
    assert token_colours.level(nats, DIFFERENCE) == expected


def test_every_shade_is_in_the_legend() -> None:
    assert [one.level for one in token_colours.legend(PROBABILITY)] == [0, 1, 2, 3, 4]
    assert [one.level for one in token_colours.legend(DIFFERENCE)] == list(range(-4, 5))


@given(st.lists(st.text(st.sampled_from("a\n\t日🙂"), min_size=1, max_size=4), min_size=1, max_size=12))
def test_colours_lie_on_the_characters_of_their_tokens(parts: list[str]) -> None:
    text = "".join(parts)
    tokens = [Likelihood(part.encode(), -float(number)) for number, part in enumerate(parts)]
    heat = heat_of(PROBABILITY, text, stretches(tokens), tokens)
    lines = text.split("\n")
    assert len(heat.places) == len(lines)
    for line, places in zip(lines, heat.places, strict=True):
        assert [end for _, end, _ in places[:-1]] == [start for start, _, _ in places[1:]]
        if line:
            assert (places[0][0], places[-1][1]) == (0, utf16_length(line))
    for line, grounds in zip(lines, heat.grounds, strict=True):
        assert all(0 <= start <= end <= utf16_length(line) and level for start, end, level in grounds)


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> TokenView:
    made = TokenView(theme, name="tokens", accessible_name="Tokens", editable=True)
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.show()
    return made


def test_a_token_under_the_cursor_is_told_with_what_else_was_likely(view: TokenView, qtbot: QtBot) -> None:
    tokens = [
        Likelihood(b"package", None),
        Likelihood(b" a\n", math.log(0.25), ((b" main", math.log(0.5)), (b" a\n", math.log(0.25)))),
        *tokens_of((b"\nvar s = \"", 0.9), ("🙂".encode()[:2], 0.5), ("🙂".encode()[2:], 0.1), ("日\" // x\n".encode(), 0.9)),
    ]  # fmt: skip
    view.set_code(CODE)
    view.show_heat(heat_of(PROBABILITY, CODE, stretches(tokens), tokens))
    told: list[str] = []
    view.pointed.connect(told.append)
    cursor = view.textCursor()
    for position in (8, 0, utf16_length(CODE[: CODE.index("🙂")]) + 1):
        cursor.setPosition(position)
        view.setTextCursor(cursor)
    assert told[-3:] == [
        "“ a⏎” · 25.0% · 1.39 nats · likeliest: “ main” 50.0%, “ a⏎” 25.0%",
        "“package” · the first token, which nothing predicts",
        "“🙂” · 5.0% · 3.00 nats · 2 tokens that share a character",
    ]
    found = difference(tokens[1:], tokens[1:])
    assert {one.nats for one in found} == {0.0}


def test_a_difference_names_to_whom_a_token_is_likelier(view: TokenView) -> None:
    one, other = tokens_of((b"ab", 0.5), (b"c", 0.5)), tokens_of((b"ab", 0.05), (b"c", 0.5))
    view.set_code("abc")
    view.show_heat(heat_of(DIFFERENCE, "abc", difference(one, other), names=("base", "tuned")))
    assert view.told(1) == "“ab” · 2.30 nats likelier to base"
    assert view.told(3) == "“c” · the same"


def test_colours_are_painted_behind_the_text_and_editing_takes_them_away(view: TokenView, qtbot: QtBot) -> None:
    tokens = tokens_of((b"aaaa", 1e-5), (b"    ", 0.9), (b"bbbb\n", 1e-5))
    view.set_code("aaaa    bbbb\n")
    view.show_heat(heat_of(PROBABILITY, "aaaa    bbbb\n", stretches(tokens), tokens))
    strongest = QColor(token_colours.colour(LIGHT, 4) or "")
    painted = view.viewport().grab().toImage()
    width, top = view.fontMetrics().horizontalAdvance("a"), view.line_rect(1).top()
    left = 4

    def ground(character: float) -> str:
        return painted.pixelColor(round(left + width * character), top + 1).name()

    assert ground(1.5) == ground(9.5) == strongest.name()
    assert ground(6) == LIGHT.surface.lower()
    view.textCursor().insertText("x")
    assert view.heat is None
    view.show_heat(heat_of(PROBABILITY, "another text", (), ()))
    assert view.heat is None, "heat of another text would lie"


def test_twenty_thousand_characters_are_painted_within_a_frame(view: TokenView, qtbot: QtBot) -> None:
    line = "\tfor _, value := range values { total += value * 3 }\n"
    text = line * (20_000 // len(line))
    tokens = [Likelihood(text[at : at + 3].encode(), -float(at % 7)) for at in range(0, len(text), 3)]
    heat = heat_of(PROBABILITY, text, stretches(tokens), tokens)
    view.resize(600, 480)
    view.set_code(text)
    view.show_heat(heat)
    bar, took = view.verticalScrollBar(), []
    for place in range(0, bar.maximum(), max(1, bar.maximum() // 30)):
        bar.setValue(place)
        began = time.thread_time()
        view.viewport().repaint()
        took.append(time.thread_time() - began)
    assert sorted(took)[len(took) // 2] < 0.016


def test_the_legend_says_in_words_what_its_colours_mean(theme: Theme, qtbot: QtBot) -> None:
    legend = TokenLegend(theme)
    qtbot.addWidget(legend)
    legend.resize(500, 24)
    legend.show_kind(PROBABILITY)
    assert "below 0.1 %" in legend.accessibleName()
    legend.show_kind(DIFFERENCE, "nats")
    assert "+2" in legend.accessibleName()
    assert legend.accessibleName().endswith("nats")
    colours = {legend.grab().toImage().pixelColor(x, 12).name() for x in range(0, 500, 3)}
    assert len(colours) > 5
    legend.show_kind("")
    assert legend.accessibleName() == "No colours"
