"""What a model really reads before it answers, token by token, and how much of its context that takes.

Asked of the model's own process, which has its tokenizer and its chat template. What does not fit is told in words, with how many of the first
questions would have to go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.errors import UserError
from core.inference.likelihoods import spelt
from core.inference.refusals import ANY, ServerAddress, refusal

LOW: Final = 32
"""Tokens left for an answer below which a warning is due."""


@dataclass(frozen=True, slots=True)
class PromptToken:
    """spelt: its bytes, which may be a part of a character. special: a mark of the template's, no piece of text."""

    id: int
    spelt: bytes
    special: bool


@dataclass(frozen=True, slots=True)
class Rendering:
    """count: tokens of the prompt. context: tokens that the model reads, its answer included. tokens: () where only the count was asked for."""

    count: int
    context: int
    tokens: tuple[PromptToken, ...] = ()


def render_chat(
    address: ServerAddress, messages: Sequence[Mapping[str, str]], *, told: bool = True, model: str = ANY
) -> Rendering:
    """A conversation as the model reads it before it answers. told: with its tokens. Raises UserError, for a template that refuses it too."""
    return _ask(address, {"messages": [dict(message) for message in messages]}, told, model)


def render_text(
    address: ServerAddress, prompt: str, *, suffix: str | None = None, told: bool = True, model: str = ANY
) -> Rendering:
    """A text to go on from, or a gap to fill. Otherwise as `render_chat`."""
    return _ask(address, {"prompt": prompt} | ({} if suffix is None else {"suffix": suffix}), told, model)


def fits(rendering: Rendering, max_tokens: int) -> str:
    """What is wrong with the room for an answer of so many tokens, in a sentence; "" when nothing is."""
    left = rendering.context - rendering.count
    if left < 1:
        return (
            f"The prompt has {rendering.count:,} tokens, the model reads {rendering.context:,} with its answer: "
            "it does not fit."
        )
    if left < min(max_tokens, LOW):
        return f"Only {left:,} of the {rendering.context:,} tokens that the model reads are left for the answer."
    return ""


def questions_to_drop(
    address: ServerAddress, head: Sequence[Mapping[str, str]], turns: Sequence[Mapping[str, str]], room: int, *, model: str = ANY
) -> int:  # fmt: skip
    """How many of the first questions, with their answers, must go so that `room` tokens are left for the answer.

    head: what comes before the turns and stays. 0 when all fit; the number of questions when not even the last one fits alone.
    Raises UserError.
    """
    starts = [place for place, turn in enumerate(turns) if turn["role"] == "user"]

    def fit(dropped: int) -> bool:
        seen = render_chat(address, [*head, *turns[starts[dropped] :]], told=False, model=model)
        return seen.count + room <= seen.context

    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        if fit(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _ask(address: ServerAddress, body: Mapping[str, Any], told: bool, model: str) -> Rendering:
    import httpx2
    import openai

    asked = {"model": model, "tokens": told, **body}
    with (
        httpx2.Client(timeout=httpx2.Timeout(60.0, connect=5.0), trust_env=False) as http,
        openai.OpenAI(base_url=address.url, api_key=address.key, max_retries=0, http_client=http) as client,
    ):
        try:
            answer: Any = client.post("/render", body=asked, cast_to=object)
            tokens = tuple(
                PromptToken(int(one["id"]), spelt(one["text"]), bool(one["special"]))
                for one in answer.get("tokens", ())
            )
            return Rendering(int(answer["count"]), int(answer["context"]), tokens)
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise refusal(error, address, begun=False) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(
                f"The server at {address.url} does not say what its model reads.", "Load the model again."
            ) from error
