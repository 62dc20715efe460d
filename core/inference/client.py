"""Asking a model that lives in a `serve` job, over its OpenAI-compatible interface on loopback.

One request is one `Answer`, an iterator of pieces; closing it, from any thread, ends the request at once, and the server
stops within a token. Nothing is retried: a model that fails once is looked at by a person. `openai` is imported at the
first request only (half a second), so ask from a worker thread.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from core.errors import UserError
from core.inference import likelihoods
from core.inference.likelihoods import Likelihood
from core.inference.refusals import ANY, ServerAddress, cut_off, refusal
from core.inference.sampling import Sampling

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI, Stream

CONNECT_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 600.0
"""Longest wait for the next piece: a long prompt on a CPU takes minutes before its first token."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The next part of the answer. tokens: those it is of, where they were asked for."""

    text: str
    tokens: tuple[Likelihood, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """How an answer ended. reason: "stop" (end of text or a stop string) or "length". tokens: new ones.

    time_to_first_token: seconds. settings: those the server really used, as in `core.inference.sampling`. prompt_tokens: 0 where nobody told.
    """

    reason: str
    tokens: int
    tokens_per_second: float | None
    time_to_first_token: float | None
    settings: Mapping[str, Any]
    prompt_tokens: int = 0


class Explain(Protocol):
    """What a person reads instead of an error of the connection or of HTTP. begun: after the first bytes of the answer."""

    def __call__(self, error: Exception, *, begun: bool) -> UserError: ...


class Answer(Iterator[Piece | Finish]):
    """One streamed answer: pieces, then one Finish. Nothing is sent before the first `next`.

    `next` raises UserError when the server is gone, refuses the key or the settings, or fails. One thread iterates;
    any thread may `close`, which makes a waiting `next` end at once.
    """

    def __init__(
        self,
        ask: Callable[[OpenAI], Stream[Any]],
        address: ServerAddress,
        *,
        explain: Explain | None = None,
        proxies: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """The last three are for endpoints that are no `serve` job. proxies: those of the environment may see what is said. settings: those
        that are sent, where the server tells none."""
        self._ask = ask
        self._address = address
        self._explain = explain or functools.partial(refusal, address=address)
        self._proxies = proxies
        self._settings = settings or {}
        self._closed = False
        self._response: httpx2.Response | None = None
        self._pieces = self._run()

    def __next__(self) -> Piece | Finish:
        try:
            return next(self._pieces)
        except ValueError:
            if self._closed:  # the closing thread is just winding the generator up
                raise StopIteration from None
            raise

    def close(self) -> None:
        """End the request. Closing twice, or after the end, does nothing."""
        self._closed = True
        response = self._response
        if response is not None:
            _hang_up(response)
        with contextlib.suppress(ValueError):  # another thread waits in it, and sees the end of the stream
            self._pieces.close()

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self) -> Generator[Piece | Finish, None, None]:
        import httpx2
        import openai

        if self._closed:
            return
        asked = time.monotonic()
        timeout = httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
        # a proxy of the environment must never see, or break, what is said on loopback
        with (
            httpx2.Client(timeout=timeout, trust_env=self._proxies) as http,
            openai.OpenAI(
                base_url=self._address.url, api_key=self._address.key, max_retries=0, http_client=http
            ) as client,
        ):
            try:
                with self._ask(client) as stream:
                    self._response = stream.response
                    if self._closed:
                        return
                    finished = False
                    for item in _pieces(stream, asked, self._settings):
                        finished = isinstance(item, Finish)
                        yield item
                    if not finished and not self._closed:
                        raise cut_off()
            except (openai.OpenAIError, httpx2.HTTPError) as error:
                if not self._closed:
                    raise self._explain(error, begun=self._response is not None) from error
            finally:
                self._response = None


def stream_chat(
    address: ServerAddress,
    messages: Sequence[Mapping[str, str]],
    sampling: Sampling,
    *,
    alternatives: int | None = None,
    model: str = ANY,
) -> Answer:
    """The model's next message. messages: {"role": "system" | "user" | "assistant", "content": text}.

    alternatives: None, or how many likeliest tokens are told beside each token, 0 to 20. model: which one of a server that has several.
    """
    asked: dict[str, Any] = {} if alternatives is None else {"logprobs": True, "top_logprobs": alternatives}

    def ask(client: OpenAI) -> Stream[Any]:
        said: Any = [dict(message) for message in messages]
        stream: Stream[Any] = client.chat.completions.create(
            messages=said, stream=True, **asked, **_fields(sampling, model)
        )
        return stream

    return Answer(ask, address)


def stream_completion(
    address: ServerAddress,
    prompt: str,
    sampling: Sampling,
    *,
    suffix: str | None = None,
    alternatives: int | None = None,
    model: str = ANY,
) -> Answer:
    """The text with which the model goes on after `prompt`; with `suffix` what stands between the two. The others: see `stream_chat`.

    A model whose tokenizer has no tokens for gaps refuses a suffix.
    """
    asked: dict[str, Any] = {} if suffix is None else {"suffix": suffix}
    if alternatives is not None:
        asked["logprobs"] = alternatives

    def ask(client: OpenAI) -> Stream[Any]:
        stream: Stream[Any] = client.completions.create(prompt=prompt, stream=True, **asked, **_fields(sampling, model))
        return stream

    return Answer(ask, address)


def _fields(sampling: Sampling, model: str) -> dict[str, Any]:
    """Every setting written out; what OpenAI's interface does not know goes into the body beside it."""
    known: dict[str, Any] = {
        "model": model,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "stream_options": {"include_usage": True},
        "extra_body": {
            "top_k": sampling.top_k,
            "min_p": sampling.min_p,
            "repetition_penalty": sampling.repetition_penalty,
        },
    }
    if sampling.stop:
        known["stop"] = list(sampling.stop)
    if sampling.seed is not None:
        known["seed"] = sampling.seed
    return known


def _pieces(stream: Stream[Any], asked: float, settings: Mapping[str, Any]) -> Iterator[Piece | Finish]:
    """The answer as it comes. A stream that ends without saying why yields no Finish: it was cut off.

    asked: monotonic time of the request; figures that the server does not tell are measured from it.
    """
    first: float | None = None
    reason: str | None = None
    tokens = read = 0
    told: Mapping[str, Any] = {}
    for chunk in stream:
        extra = (chunk.model_extra or {}).get("gosmith")
        told = extra if isinstance(extra, dict) else told
        if chunk.usage is not None:
            tokens, read = int(chunk.usage.completion_tokens), int(chunk.usage.prompt_tokens or 0)
        for choice in chunk.choices:
            if chunk.object == "chat.completion.chunk":
                text, tokens_of = choice.delta.content, likelihoods.of_chat(choice.logprobs)
            else:
                text, tokens_of = choice.text, likelihoods.of_completion(choice.logprobs)
            reason = choice.finish_reason or reason
            if text or tokens_of:
                first = first or time.monotonic()
                yield Piece(text or "", tokens_of)
    if reason is None:
        return
    seconds = time.monotonic() - first if first else 0.0
    yield Finish(
        reason,
        tokens,
        told.get("tokens_per_second", tokens / seconds if seconds and tokens else None),
        told.get("time_to_first_token", first - asked if first else None),
        told.get("settings", settings),
        read,
    )


def _hang_up(response: httpx2.Response) -> None:
    """Wake a thread that waits for the next bytes: closing a socket does not, shutting it down does."""
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(peer, socket.socket):
        with contextlib.suppress(OSError):  # the server may have hung up first
            peer.shutdown(socket.SHUT_RDWR)
