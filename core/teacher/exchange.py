"""What is asked of a teacher and what it answers: values that recipes make and read, and that the transport carries.

How a question travels (pacing, retries, batches, prices) is `core.teacher.asking`'s business; what it is for, the recipes'. Neither knows the
other: they meet in `Ask`. Keys to an account are no part of anything here, so nothing that is stored can hold one.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol

Finish = Literal["stop", "length", "refusal", "filter"]


@dataclass(frozen=True)
class Question:
    """One request for one answer.

    base_url: of an OpenAI-compatible endpoint. messages: {"role", "content"} each. parameters: fields of the request besides
    (temperature, max_tokens, seed, response_format …). index: which of several answers to the same messages, from 0.
    """

    base_url: str
    model: str
    messages: tuple[Mapping[str, str], ...]
    parameters: Mapping[str, Any]
    index: int = 0

    @functools.cached_property
    def key(self) -> str:
        """sha256 of all that is asked, in hexadecimal. How the answer is read is no part of it, so it can be read again otherwise."""
        asked = [self.base_url, self.model, [dict(one) for one in self.messages], dict(self.parameters), self.index]
        return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counts them. cached and reasoning are parts of prompt and completion."""

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. text: "" for a refusal, whose words are in `refusal`. model, fingerprint: as returned. cost_usd: None where no price is known.

    seconds: from sending to the last byte. attempts: how often it was sent, failures included.
    """

    text: str
    finish: Finish
    refusal: str
    model: str
    fingerprint: str
    usage: Usage
    cost_usd: Decimal | None
    prices: str
    seconds: float
    attempts: int = 1


def refusal_in(answer: Answer, who: str) -> str:
    """Why an answer is nothing to go on with, as a sentence; "" when it is. who: teacher or judge."""
    if answer.finish in ("refusal", "filter") or not answer.text.strip():
        said = " ".join((answer.refusal or answer.text).split())[:200]
        return f"The {who} refused{f': {said}' if said else '.'}"
    if answer.finish == "length":
        return "The answer was cut off: max_tokens is too small for it."
    return ""


class AskFailedError(Exception):
    """The endpoint will not answer this question: refused as malformed, too long, or failed as often as the policy allows."""


class PausedError(Exception):
    """Nothing more is sent for now: budget spent, quota used up, endpoint out of reach, or a person asked to stop.

    Its text is a sentence for people. What was under way is stored or will be asked again by whoever resumes.
    """


class Ask(Protocol):
    """Where an answer comes from. One that is stored already costs nothing and returns at once."""

    async def __call__(self, question: Question) -> Answer:
        """Raises AskFailedError for this question, PausedError for all."""
