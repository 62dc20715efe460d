"""The shapes in which conversations travel: which one a record has, and its messages.

A shape is about one record, a dict; whether records come as lines, as an array or as parquet is `reading`'s business. Nothing here guesses: a
record that does not fit its file's shape is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.samples.conversation import Message, NewSample, problem

Record = dict[str, Any]

SHAPES = ("openai", "alpaca", "sharegpt", "preference", "prompt-completion")
"""Shapes of a record, the order in which detection prefers them. Of a preference the chosen answer becomes the sample."""
FORMATS = (*SHAPES, "parquet")
"""What a user can name when reading. Parquet and arrow files hold records of any shape."""
WRITTEN = tuple(name for name in FORMATS if name != "preference")
"""What can be written: a preference needs a second answer. Parquet then holds `messages`."""

_PAIRS = (("prompt", "completion"), ("problem", "solution"), ("question", "answer"), ("instruction", "response"))
_SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bard": "assistant",
    "system": "system",
}


class NotASampleError(Exception):
    """Why a record is no sample, as a sentence without its stop."""


def shape_of(record: Record) -> str | None:
    """The shape that the record's keys have; None when it is none of them."""
    if _is_turns(record.get("messages"), "role"):
        return "openai"
    if _is_turns(record.get("conversations"), "from") or _is_turns(record.get("conversations"), "role"):
        return "sharegpt"
    if isinstance(record.get("instruction"), str) and isinstance(record.get("output"), str):
        return "alpaca"
    if record.get("chosen") is not None and record.get("rejected") is not None:
        return "preference"
    if any(record.get(prompt) is not None and record.get(completion) is not None for prompt, completion in _PAIRS):
        return "prompt-completion"
    return None


def no_shape(record: Record) -> str:
    """Where a record is of a known kind that cannot be samples: what it is and what to do with it; else nothing."""
    keys = record.keys()
    if {"custom_id", "body"} <= keys:
        return "They are requests of an OpenAI batch, without answers."
    if {"custom_id", "response"} <= keys:
        return "They are answers of an OpenAI batch, whose questions lie in its input file: join the two by custom_id first."
    if "content" in keys and keys & {"lang", "language", "path", "ext"}:
        return "They are source files: write them into a folder and use “mine”."
    if "text" in keys:
        return "They hold text without a question and an answer: that is for continued pre-training, not for review."
    return ""


def parse(record: Record, shape: str) -> NewSample:
    """The conversation in `record`, read as `shape`; topic, source and tags where the record names them. Raises NotASampleError."""
    messages = _READERS[shape](record)
    reason = problem(messages)
    if reason:
        raise NotASampleError(reason)
    tags = record.get("tags")
    named = (
        tuple(dict.fromkeys(" ".join(tag.split()) for tag in tags if isinstance(tag, str) and tag.strip()))
        if isinstance(tags, list)
        else ()
    )
    if isinstance(record.get("label"), bool) and shape == "prompt-completion":
        named = (*named, "labelled-good" if record["label"] else "labelled-bad")
    return NewSample(messages, _name(record, "topic"), _name(record, "source"), named)


def _openai(record: Record) -> tuple[Message, ...]:
    return _turns(record, "messages", "role", "content")


def _sharegpt(record: Record) -> tuple[Message, ...]:
    turns = record.get("conversations")
    keys = ("role", "content") if _is_turns(turns, "role") else ("from", "value")
    messages = _turns(record, "conversations", *keys)
    system = record.get("system")
    if isinstance(system, str) and system.strip() and messages and messages[0].role != "system":
        return (Message("system", system), *messages)
    return messages


def _alpaca(record: Record) -> tuple[Message, ...]:
    instruction, output = _text(record, "instruction"), _text(record, "output")
    extra = _optional(record, "input")
    messages = [
        Message("user", f"{instruction}\n\n{extra}" if extra.strip() else instruction),
        Message("assistant", output),
    ]
    history = record.get("history") or []
    if not isinstance(history, list):
        raise NotASampleError("“history” is not a list of pairs")
    earlier = []
    for pair in history:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
            raise NotASampleError("“history” is not a list of pairs")
        earlier += [Message("user", pair[0]), Message("assistant", pair[1])]
    system = _optional(record, "system")
    return (*([Message("system", system)] if system.strip() else []), *earlier, *messages)


def _prompt_completion(record: Record) -> tuple[Message, ...]:
    prompt, completion = next(
        (pair for pair in _PAIRS if record.get(pair[0]) is not None and record.get(pair[1]) is not None),
        next((pair for pair in _PAIRS if pair[0] in record), _PAIRS[0]),
    )
    return (*_side(record, prompt, "user"), *_side(record, completion, "assistant"))


def _preference(record: Record) -> tuple[Message, ...]:
    chosen = _side(record, "chosen", "assistant")
    if record.get("prompt") is not None:
        return (*_side(record, "prompt", "user"), *chosen)
    if isinstance(record.get("chosen"), str):
        raise NotASampleError("“chosen” is text, and there is no “prompt” beside it")
    return chosen


def _side(record: Record, key: str, role: str) -> tuple[Message, ...]:
    """Text, or a list of messages."""
    if isinstance(record.get(key), list):
        return _turns(record, key, "role", "content")
    return (Message(role, _text(record, key)),)


def _turns(record: Record, key: str, role: str, content: str) -> tuple[Message, ...]:
    turns = record.get(key)
    if not isinstance(turns, list):
        raise NotASampleError(f"“{key}” is missing" if turns is None else f"“{key}” is not a list")
    messages = []
    for turn in turns:
        if not isinstance(turn, dict):
            raise NotASampleError(f"“{key}” holds something that is no message")
        speaker = turn.get(role)
        if not isinstance(speaker, str):
            raise NotASampleError(f"a message has no “{role}”")
        messages.append(Message(_SPEAKERS.get(speaker.lower(), speaker), _content(turn.get(content), content)))
    return tuple(messages)


def _content(value: object, key: str) -> str:
    """Text, or OpenAI's list of parts as far as they are text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str) for part in value):  # fmt: skip
        return "".join(part["text"] for part in value)
    raise NotASampleError(f"a message has no “{key}”" if value is None else f"the “{key}” of a message is not text")


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise NotASampleError(f"“{key}” is missing" if value is None else f"“{key}” is not text")
    return value


def _optional(record: Record, key: str) -> str:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise NotASampleError(f"“{key}” is not text")
    return value or ""


_READERS: dict[str, Callable[[Record], tuple[Message, ...]]] = {
    "openai": _openai,
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
    "preference": _preference,
    "prompt-completion": _prompt_completion,
}


def _name(record: Record, key: str) -> str:
    value = record.get(key)
    return " ".join(value.split())[:80] if isinstance(value, str) else ""


def _is_turns(value: object, role: str) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and role in value[0]


def write(messages: Sequence[Message], shape: str) -> dict[str, Any]:
    """The record of `shape` that `parse` reads as the same messages."""
    if shape == "openai":
        return {"messages": [{"role": message.role, "content": message.content} for message in messages]}
    if shape == "sharegpt":
        names = {"system": "system", "user": "human", "assistant": "gpt"}
        return {"conversations": [{"from": names[message.role], "value": message.content} for message in messages]}
    *before, prompt, answer = messages
    if shape == "alpaca":
        return _write_alpaca(before, prompt, answer)
    if before:
        pairs = [{"role": message.role, "content": message.content} for message in messages]
        return {"prompt": pairs[:-1], "completion": pairs[-1:]}
    return {"prompt": prompt.content, "completion": answer.content}


def _write_alpaca(before: Sequence[Message], prompt: Message, answer: Message) -> dict[str, Any]:
    record: dict[str, Any] = {"instruction": prompt.content, "input": "", "output": answer.content}
    system = "\n\n".join(message.content for message in before if message.role == "system")
    turns = [message.content for message in before if message.role != "system"]
    if system:
        record["system"] = system
    if turns:
        record["history"] = [list(pair) for pair in zip(turns[::2], turns[1::2], strict=True)]
    return record
