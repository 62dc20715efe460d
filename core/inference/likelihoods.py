"""How likely a model thinks a text, token by token: as it comes with answers, and asked of a text of one's own.

The latter is what a pasted file is coloured by, and what two checkpoints are compared by. It refuses nothing but what the server refuses: an
empty text, and one that is longer than the model reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from core.inference.refusals import ANY, ServerAddress, refusal

_BYTE = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Likelihood:
    """One token, and how likely the model thought it. spelt: its bytes, which may be a part of a character.

    logprob: natural logarithm of its probability before any sampler; None for the first token of a text. top: the likeliest tokens and
    theirs, falling, as many as were asked for.
    """

    spelt: bytes
    logprob: float | None
    top: tuple[tuple[bytes, float], ...] = ()


def score(address: ServerAddress, text: str, *, alternatives: int = 0, model: str = ANY) -> tuple[Likelihood, ...]:
    """Every token of a text, in order; put together their bytes are the text. Takes as long as reading it takes; ask from a worker thread.

    alternatives: likeliest tokens told beside each, 0 to 20. Raises UserError.
    """
    import httpx2
    import openai

    with (
        httpx2.Client(timeout=httpx2.Timeout(600.0, connect=5.0), trust_env=False) as http,
        openai.OpenAI(base_url=address.url, api_key=address.key, max_retries=0, http_client=http) as client,
    ):
        try:
            answer = client.completions.create(
                model=model, prompt=text, echo=True, logprobs=alternatives, max_tokens=0, temperature=0.0
            )
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise refusal(error, address, begun=False) from error
    return of_completion(answer.choices[0].logprobs)


def of_chat(logprobs: Any) -> tuple[Likelihood, ...]:
    """From OpenAI's form for chats; nothing from nothing."""
    return tuple(
        Likelihood(bytes(one.bytes), one.logprob, tuple((bytes(top.bytes), top.logprob) for top in one.top_logprobs))
        for one in (logprobs.content or () if logprobs is not None else ())
    )


def of_completion(logprobs: Any) -> tuple[Likelihood, ...]:
    """From OpenAI's form for completions; nothing from nothing."""
    if logprobs is None:
        return ()
    tops = logprobs.top_logprobs or [None] * len(logprobs.tokens or ())
    return tuple(
        Likelihood(
            spelt(token),
            value,
            tuple(sorted(((spelt(text), chance) for text, chance in (top or {}).items()), key=lambda pair: -pair[1])),
        )
        for token, value, top in zip(logprobs.tokens or (), logprobs.token_logprobs or (), tops, strict=True)
    )


def spelt(token: str) -> bytes:
    """The bytes of a token as completions write it: text, or bytes:\\xe2\\x82 for what is no whole character."""
    if token.startswith("bytes:\\x"):
        return bytes(int(found, 16) for found in _BYTE.findall(token))
    return token.encode()
