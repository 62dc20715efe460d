"""What the scripted endpoint is asked and what it says: whole answers, streams, errors, and how a reply goes wrong on its way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEY = "sk-test-0123456789abcdefSECRET"


@dataclass(frozen=True)
class Seen:
    """A request. hash: of its body. nth: how often this body has come, from 1. order: of all requests for answers, from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    hash: str
    nth: int
    order: int

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


@dataclass(frozen=True)
class Reply:
    """What the server does. delay: seconds before the first byte. cut: bytes of the body after which the connection is cut. drip: seconds
    between single bytes. silent: never answers; the connection stays open."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    drip: float = 0.0
    silent: bool = False
    kind: str = "application/json"


Script = Callable[[Seen], Reply]


def answer(
    text: str = "package main\n", *, model: str = "gpt-4.1-2025-04-14", finish: str = "stop", refusal: str | None = None, prompt: int = 100,
    completion: int = 50, cached: int = 0, **reply: Any,
) -> Reply:  # fmt: skip
    """A whole answer."""
    return Reply(
        body=json.dumps(completion_of(text, model, finish, refusal, prompt, completion, cached)).encode(), **reply
    )


def completion_of(
    text: str, model: str, finish: str, refusal: str | None, prompt: int, completion: int, cached: int
) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model, "system_fingerprint": "fp_1", "service_tier": "default",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": None if refusal else text, "refusal": refusal}}
        ],
        "usage": {
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }  # fmt: skip


def streamed(text: str = "package main\n", *, cut_after: int | None = None, error: str = "", **reply: Any) -> Reply:
    """An answer in pieces. cut_after: pieces after which the connection is cut. error: an event with which it ends instead."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1-2025-04-14"}
    pieces: list[dict[str, Any]] = [
        {**base, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
        for word in text.splitlines(keepends=True)
    ]
    if error:
        pieces.append({"error": {"message": error, "type": "server_error", "code": None}})
    else:
        pieces.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        pieces.append(
            {**base, "choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}}
        )
    events = [f"data: {json.dumps(piece)}\n\n".encode() for piece in pieces] + [b"data: [DONE]\n\n"]
    cut = None if cut_after is None else len(b"".join(events[:cut_after]))
    return Reply(body=b"".join(events), cut=cut, kind="text/event-stream", **reply)


def error(
    status: int, message: str = "No.", *, code: str | None = None, kind: str = "invalid_request_error", **reply: Any
) -> Reply:
    """An error as OpenAI words them."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Reply(status, json.dumps(body).encode(), **reply)


def quota() -> Reply:
    """The account is empty."""
    return error(429, "You exceeded your current quota.", code="insufficient_quota", kind="insufficient_quota")
