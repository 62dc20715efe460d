"""What travels between the server and OpenAI's clients: requests into settings, answers into their JSON.

A field that is not known is refused, not ignored: a misspelt setting that has no effect is worse than an error.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from core.engine.generate import End, describe
from core.inference.sampling import Sampling, validate

SAMPLING = {"temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "stop", "seed"}
KNOWN = SAMPLING | {"model", "messages", "prompt", "stream", "stream_options", "max_completion_tokens", "n", "user"}


class RefusedError(Exception):
    """A request that gets an error answer: HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object of a request, whose fields are all known. Raises RefusedError."""
    try:
        body = json.loads(data)
    except ValueError:
        raise RefusedError(400, "The request is no JSON.") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "The request must be a JSON object.")
    unknown = sorted(set(body) - KNOWN)
    if unknown:
        raise RefusedError(400, f"This server does not know: {', '.join(unknown)}.")
    if body.get("n") not in (None, 1):
        raise RefusedError(400, "n must be 1.")
    return body


def messages(body: Mapping[str, Any]) -> list[dict[str, str]]:
    """The conversation of a chat request. Raises RefusedError."""
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise RefusedError(400, "messages must be a list that is not empty.")
    for message in given:
        right = isinstance(message, dict) and message.get("role") in ("system", "user", "assistant")
        if not right or not isinstance(message.get("content"), str):
            raise RefusedError(400, "Each message needs a role (system, user, assistant) and a content that is text.")
    return [{"role": message["role"], "content": message["content"]} for message in given]


def sampling(body: Mapping[str, Any]) -> Sampling:
    """The settings of a request; what is absent or null has Gosmith's default. Raises UserError naming the field."""
    given = {name: body[name] for name in SAMPLING if body.get(name) is not None}
    if body.get("max_completion_tokens") is not None:
        given["max_tokens"] = body["max_completion_tokens"]
    return validate(**given)


class Shape:
    """The JSON that OpenAI's clients expect, for chats and completions."""

    def __init__(self, model: str, chat: bool) -> None:
        self._chat = chat
        kind = "chat.completion" if chat else "text_completion"
        stem = {"id": f"gosmith-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}
        self._whole = {**stem, "object": kind}
        self._chunk = {**stem, "object": f"{kind}.chunk" if chat else kind}

    def delta(self, text: str) -> dict[str, Any]:
        """A chunk with text."""
        content = {"delta": {"role": "assistant", "content": text}} if self._chat else {"text": text}
        return {**self._chunk, "choices": [{"index": 0, "finish_reason": None, **content}], "usage": None}

    def last(self, end: End) -> dict[str, Any]:
        """The chunk that ends a stream."""
        content: dict[str, Any] = {"delta": {}} if self._chat else {"text": ""}
        choice = {"index": 0, "finish_reason": _reason(end), **content}
        return {**self._chunk, "choices": [choice], **_facts(end)}

    def whole(self, text: str, end: End) -> dict[str, Any]:
        """An answer in one piece."""
        content = {"message": {"role": "assistant", "content": text}} if self._chat else {"text": text}
        choice = {"index": 0, "finish_reason": _reason(end), **content}
        return {**self._whole, "choices": [choice], **_facts(end)}


def _reason(end: End) -> str:
    return "length" if end.reason == "length" else "stop"


def _facts(end: End) -> dict[str, Any]:
    usage = {
        "prompt_tokens": end.prompt_tokens,
        "completion_tokens": end.tokens,
        "total_tokens": end.prompt_tokens + end.tokens,
    }
    return {"usage": usage, "gosmith": describe(end)}
