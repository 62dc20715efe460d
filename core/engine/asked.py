"""What the decode loop is asked, and what it says: plain data that knows nothing of how it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.inference.sampling import Sampling

MOST_ALTERNATIVES: Final = 20
"""Likeliest tokens that can be told beside the one that was taken, as OpenAI has it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One text to go on from.

    alternatives: None, or how many of the likeliest tokens are told beside each token, 0 to 20, with log-probabilities. prompt_too: those of
    the prompt's tokens as well, in one Piece of its own before the answer. answer: False to read the prompt only. adapter: whose weights
    answer, "" for the model's own. ends: tokens that end the answer beside those that end every one.
    """

    ids: tuple[int, ...]
    sampling: Sampling
    alternatives: int | None = None
    prompt_too: bool = False
    answer: bool = True
    adapter: str = ""
    ends: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Token:
    """One token with its natural logarithm of probability, by the model itself: before temperature, penalty and the rest.

    logprob: None for the first of a text, which nothing predicts. top: the likeliest ids and theirs, falling.
    """

    id: int
    logprob: float | None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show now, and the tokens that it is of, where they were asked for; never without both."""

    text: str
    tokens: tuple[Token, ...] = ()
    of_prompt: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """How an answer ended.

    reason: stop (the model ended it, or a stop string), length (max_tokens), cancelled. tokens: new ones.
    cached: prompt tokens that needed no work. seconds_to_first: until the first token. settings: those really used. weights: the
    model's number format, and what was found out about it. guessed: tokens that cost no pass of their own (`core.engine.lookup`).
    """

    reason: str
    stop_string: str | None
    tokens: int
    prompt_tokens: int
    cached: int
    seconds_to_first: float | None
    tokens_per_second: float | None
    settings: Mapping[str, Any]
    weights: str
    guessed: int = 0


def describe(end: End) -> dict[str, Any]:
    """An End as JSON data, for whoever asked."""
    return {
        "stop_reason": end.reason,
        "stop_string": end.stop_string,
        "tokens": end.tokens,
        "prompt_tokens": end.prompt_tokens,
        "cached_tokens": end.cached,
        "time_to_first_token": end.seconds_to_first,
        "tokens_per_second": end.tokens_per_second,
        "settings": dict(end.settings),
        "weights": end.weights,
        "guessed_tokens": end.guessed,
    }
