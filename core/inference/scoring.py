"""Scoring a text of any length, or an answer in its conversation, by the model of a `serve` job: window by window, with a word on the way.

The server knows the tokens and the context, so it cuts the windows (`core.inference.windows`); its route `/v1/score` is Gosmith's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.errors import UserError
from core.inference.likelihoods import Likelihood
from core.inference.refusals import ANY, ServerAddress, cut_off, refusal


def score_text(
    address: ServerAddress,
    text: str,
    *,
    alternatives: int = 0,
    model: str = ANY,
    told: Callable[[int, int], object] = lambda done, of: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Likelihood, ...]:
    """Every token of a text, in order, marks that the tokenizer adds included. alternatives: likeliest tokens told beside each, 0 to 20.

    told: how many tokens are done, of how many. Ends early, with (), once `cancelled` says so. Ask from a worker thread. Raises UserError.
    """
    return _score(address, {"text": text}, alternatives, model, told, cancelled)


def score_answer(
    address: ServerAddress,
    messages: Sequence[Mapping[str, str]],
    answer: str,
    *,
    alternatives: int = 0,
    model: str = ANY,
    told: Callable[[int, int], object] = lambda done, of: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Likelihood, ...]:
    """Every token of what the assistant might have answered to `messages`, and of nothing else. The others: see `score_text`."""
    said = [dict(message) for message in messages]
    return _score(address, {"messages": said, "text": answer}, alternatives, model, told, cancelled)


def score_continuation(
    address: ServerAddress, prompt: str, answer: str, *, alternatives: int = 0, model: str = ANY
) -> tuple[Likelihood, ...]:
    """Every token of a text that goes on after `prompt`, and of nothing else. The others: see `score_text`."""
    return _score(
        address, {"prompt": prompt, "text": answer}, alternatives, model, lambda done, of: None, lambda: False
    )


def _score(
    address: ServerAddress,
    body: Mapping[str, Any],
    alternatives: int,
    model: str,
    told: Callable[[int, int], object],
    cancelled: Callable[[], bool],
) -> tuple[Likelihood, ...]:
    import httpx2
    import openai

    found: list[Likelihood] = []
    of = None
    with (
        httpx2.Client(timeout=httpx2.Timeout(600.0, connect=5.0), trust_env=False) as http,
        openai.OpenAI(base_url=address.url, api_key=address.key, max_retries=0, http_client=http) as client,
    ):
        begun = False
        try:
            with client.post(
                "/score",
                body={**body, "alternatives": alternatives, "model": model},
                cast_to=object,
                stream=True,
                stream_cls=openai.Stream[object],
            ) as stream:
                begun = True
                for chunk in stream:
                    if cancelled():
                        return ()
                    assert isinstance(chunk, dict)
                    of = int(chunk["of"])
                    found.extend(map(_likelihood, chunk["tokens"]))
                    told(len(found), of)
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise _words(refusal(error, address, begun=begun)) from error
    if of is None or len(found) < of:
        raise cut_off()
    return tuple(found)


def _likelihood(token: Mapping[str, Any]) -> Likelihood:
    tops = tuple((bytes(spelt), float(value)) for spelt, value in token["top"])
    return Likelihood(bytes(token["bytes"]), token["logprob"], tops)


def _words(error: UserError) -> UserError:
    """A text, unlike an answer, is no setting that one could change."""
    return UserError(error.message, "Score a shorter text.") if "refused the request" in error.message else error
