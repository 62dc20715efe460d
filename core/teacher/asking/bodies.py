"""What the body of a response says, read from the raw bytes as they are stored: whole JSON or a stream of events.

Reading happens after storing and may happen again years later with a better reader; so nothing here asks, and nothing is thrown away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.teacher.exchange import Finish, Usage


class MalformedError(ValueError):
    """The body is no answer: no JSON, cut off, or without a choice. Its text says what, for the log."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as the endpoint gave it. usage: None where it counted none. tier: service tier. identity: the endpoint's id of the answer."""

    text: str
    finish: Finish
    refusal: str
    model: str
    fingerprint: str
    usage: Usage | None
    tier: str
    identity: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error object of an endpoint, in its usual or in one of its unusual places."""

    code: str
    kind: str
    words: str


def read_answer(raw: bytes) -> Reading:
    """The answer in a body, streamed or whole. Raises MalformedError."""
    value = _joined(raw) if raw.lstrip().startswith((b"data:", b"event:", b":")) else _parsed(raw)
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise MalformedError("it holds no answer")
    choice = choices[0]
    message = choice.get("message")
    reason = choice.get("finish_reason")
    if not isinstance(message, dict) or not isinstance(reason, str):
        raise MalformedError("the answer has no message or no end")
    content, refusal = message.get("content"), message.get("refusal")
    if content is not None and not isinstance(content, str):
        raise MalformedError("the answer's content is no text")
    finish: Finish = "stop"
    if refusal:
        finish = "refusal"
    elif reason == "length":
        finish = "length"
    elif reason == "content_filter":
        finish = "filter"
    elif content is None:
        raise MalformedError(f"the answer has no text (it ended with {reason})")
    return Reading(
        text="" if refusal else content or "",
        finish=finish,
        refusal=str(refusal or ""),
        model=str(value.get("model") or ""),
        fingerprint=str(value.get("system_fingerprint") or ""),
        usage=_usage(value.get("usage")),
        tier=str(value.get("service_tier") or ""),
        identity=str(value.get("id") or ""),
    )


def read_complaint(raw: bytes) -> Complaint | None:
    """The error in a body; None when it holds none. A page of a proxy gives its first words."""
    try:
        value = _parsed(raw)
    except MalformedError:
        text = raw.decode("utf-8", "replace")
        if text.lstrip().startswith("data:"):
            return _streamed_complaint(text)
        return Complaint("", "", " ".join(text.split())[:300]) if text.strip() else None
    error = value.get("error")
    if isinstance(error, str):
        return Complaint("", "", error)
    if not isinstance(error, dict):
        detail = value.get("detail") or value.get("message")
        return Complaint("", "", str(detail)) if detail and "choices" not in value else None
    return Complaint(
        str(error.get("code") or ""), str(error.get("type") or ""), str(error.get("message") or "").strip()
    )


def _streamed_complaint(text: str) -> Complaint | None:
    for line in text.split("\n"):
        if line.startswith("data:") and '"error"' in line:
            return read_complaint(line[5:].encode())
    return None


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise MalformedError("it is no JSON" if raw.strip() else "it is empty") from None
    if not isinstance(value, dict):
        raise MalformedError("it is no JSON object")
    return value


def _joined(raw: bytes) -> dict[str, Any]:
    """The pieces of a stream as the whole answer they are parts of. Only `data: [DONE]` or a reason to finish ends one."""
    whole: dict[str, Any] = {}
    message: dict[str, str] = {}
    reason: str | None = None
    for line in raw.decode("utf-8", "replace").split("\n"):  # other separators of lines may stand in an answer
        data = line[5:].strip() if line.startswith("data:") else ""
        if not data or data == "[DONE]":
            continue
        piece = _parsed(data.encode())
        if piece.get("error"):
            raise MalformedError("the stream ended with an error")
        for field in ("id", "model", "system_fingerprint", "service_tier", "usage"):
            whole[field] = piece.get(field) or whole.get(field)
        choices = piece.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if not isinstance(choice, dict) or choice.get("index", 0) != 0:
                continue
            delta = choice.get("delta")
            for field, text in delta.items() if isinstance(delta, dict) else ():
                if field in ("content", "refusal") and isinstance(text, str):
                    message[field] = message.get(field, "") + text
            reason = choice.get("finish_reason") or reason
    if reason is None:
        raise MalformedError("the stream was cut off")
    whole["choices"] = [{"message": {"content": "", **message}, "finish_reason": reason}]
    return whole


def _usage(value: object) -> Usage | None:
    if not isinstance(value, dict) or not isinstance(value.get("prompt_tokens"), int):
        return None
    return Usage(
        prompt=value["prompt_tokens"],
        completion=_count(value, "completion_tokens"),
        cached=_count(value.get("prompt_tokens_details"), "cached_tokens"),
        reasoning=_count(value.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _count(value: object, field: str) -> int:
    found = value.get(field) if isinstance(value, Mapping) else None
    return found if isinstance(found, int) and found >= 0 else 0
