"""Asking a model that lives in a `serve` job, over its OpenAI-compatible interface on loopback.

One request is one `Answer`, an iterator of pieces; closing it, from any thread, ends the request at once, and the server
stops within a token. Nothing is retried: a model that fails once is looked at by a person. `openai` is imported at the
first request only (half a second), so ask from a worker thread.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.errors import UserError
from core.inference.sampling import Sampling

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI, Stream

CONNECT_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 600.0
"""Longest wait for the next piece: a long prompt on a CPU takes minutes before its first token."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a model answers. url: ends in /v1. key: the server's own, made for its start."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Piece:
    """The next part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """How an answer ended. reason: "stop" (end of text or a stop string) or "length". tokens: new ones.

    time_to_first_token: seconds. settings: those the server really used, as in `core.inference.sampling`.
    """

    reason: str
    tokens: int
    tokens_per_second: float | None
    time_to_first_token: float | None
    settings: Mapping[str, Any]


class Answer(Iterator[Piece | Finish]):
    """One streamed answer: pieces, then one Finish. Nothing is sent before the first `next`.

    `next` raises UserError when the server is gone, refuses the key or the settings, or fails. One thread iterates;
    any thread may `close`, which makes a waiting `next` end at once.
    """

    def __init__(self, ask: Callable[[OpenAI], Stream[Any]], address: ServerAddress) -> None:
        self._ask = ask
        self._address = address
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
        # trust_env off: a proxy of the environment must never see, or break, what is said on loopback
        with (
            httpx2.Client(timeout=timeout, trust_env=False) as http,
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
                    for item in _pieces(stream, asked):
                        finished = isinstance(item, Finish)
                        yield item
                    if not finished and not self._closed:
                        raise _cut_off()
            except (openai.OpenAIError, httpx2.HTTPError) as error:
                if not self._closed:
                    raise _refusal(error, self._address, begun=self._response is not None) from error
            finally:
                self._response = None


def stream_chat(address: ServerAddress, messages: Sequence[Mapping[str, str]], sampling: Sampling) -> Answer:
    """The model's next message. messages: {"role": "system" | "user" | "assistant", "content": text}."""

    def ask(client: OpenAI) -> Stream[Any]:
        said: Any = [dict(message) for message in messages]
        stream: Stream[Any] = client.chat.completions.create(messages=said, stream=True, **_fields(sampling))
        return stream

    return Answer(ask, address)


def stream_completion(address: ServerAddress, prompt: str, sampling: Sampling) -> Answer:
    """The text with which the model goes on after `prompt`."""

    def ask(client: OpenAI) -> Stream[Any]:
        stream: Stream[Any] = client.completions.create(prompt=prompt, stream=True, **_fields(sampling))
        return stream

    return Answer(ask, address)


def _fields(sampling: Sampling) -> dict[str, Any]:
    """Every setting written out; what OpenAI's interface does not know goes into the body beside it."""
    known: dict[str, Any] = {
        "model": "gosmith",
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


def _pieces(stream: Stream[Any], asked: float) -> Iterator[Piece | Finish]:
    """The answer as it comes. A stream that ends without saying why yields no Finish: it was cut off.

    asked: monotonic time of the request; figures that the server does not tell are measured from it.
    """
    first: float | None = None
    reason: str | None = None
    tokens = 0
    told: Mapping[str, Any] = {}
    for chunk in stream:
        extra = (chunk.model_extra or {}).get("gosmith")
        told = extra if isinstance(extra, dict) else told
        if chunk.usage is not None:
            tokens = int(chunk.usage.completion_tokens)
        for choice in chunk.choices:
            text = choice.delta.content if chunk.object == "chat.completion.chunk" else choice.text
            reason = choice.finish_reason or reason
            if text:
                first = first or time.monotonic()
                yield Piece(text)
    if reason is None:
        return
    seconds = time.monotonic() - first if first else 0.0
    yield Finish(
        reason,
        tokens,
        told.get("tokens_per_second", tokens / seconds if seconds and tokens else None),
        told.get("time_to_first_token", first - asked if first else None),
        told.get("settings", {}),
    )


def _hang_up(response: httpx2.Response) -> None:
    """Wake a thread that waits for the next bytes: closing a socket does not, shutting it down does."""
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(peer, socket.socket):
        with contextlib.suppress(OSError):  # the server may have hung up first
            peer.shutdown(socket.SHUT_RDWR)


def _refusal(error: Exception, address: ServerAddress, *, begun: bool) -> UserError:
    """What a person reads instead of an HTTP error."""
    import openai

    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return UserError(f"The model's server at {address.url} refused the key.", "Load the model again.")
    if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return UserError(
            f"The model's server refused the request: {_said(error)}", "Change that setting and send again."
        )
    if isinstance(error, openai.NotFoundError):
        return UserError(f"Nothing answers questions at {address.url}.", "Load the model again.")
    if isinstance(error, openai.RateLimitError):
        return UserError("The model is busy with another answer.", "Wait for it to end, or stop it.")
    if isinstance(error, openai.APIStatusError):
        return UserError(f"The model's server failed: {_said(error)}", "Its log has the details; load the model again.")
    if isinstance(error, openai.APITimeoutError):
        return UserError(f"The model's server at {address.url} does not answer in time.", "Load the model again.")
    if begun and isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        return UserError(f"The model failed in the middle of its answer: {_said(error)}", "Its log has the details.")
    if begun:
        return _cut_off()
    return UserError(f"The model's server at {address.url} is gone.", "Load the model again.")


def _cut_off() -> UserError:
    return UserError("The model's process ended in the middle of its answer.", "Load the model again.")


def _said(error: Exception) -> str:
    """The server's own sentence, from the usual {"error": {"message": ...}} or {"detail": ...}."""
    import openai

    body = error.body if isinstance(error, openai.APIError) else None
    for key in ("message", "detail", "error"):
        if isinstance(body, dict) and isinstance(body.get(key), str):
            return str(body[key]).rstrip(".") + "."
    return str(error).splitlines()[0].rstrip(".") + "."
