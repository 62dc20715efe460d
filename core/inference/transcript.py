"""A conversation to give away: as Markdown for people, as JSON for programs.

The JSON is {"title", "created", "system", "examples": [{"sample", "version", "prompt", "response"}], "messages": [{"role", "text", "created",
"branch", "branches"}]}, the branch that is read from its beginning; branch says which of how many messages in its place this is. An answer has besides
"model", "path", "run", "step", "system", "settings" (really used), "reason", "tokens", "tokens_per_second" and "time_to_first_token", as in
`conversation.Facts`. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from core.inference.conversation import Conversation, Facts, Message, path, siblings
from core.inference.sampling import RANGES

REASONS = {
    "stop": "ended by itself",
    "length": "cut at max new tokens",
    "stopped": "stopped",
    "broken": "broken off",
    "": "not finished",
}
"""Why an answer ended, in words."""


def as_json(conversation: Conversation) -> str:
    """The branch that is read, as the module's docstring says."""
    data = {
        "title": conversation.name,
        "created": _time(conversation.created),
        "system": conversation.system,
        "examples": [asdict(shot) for shot in conversation.shots],
        "messages": [_plain(conversation, message) for message in path(conversation)],
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def as_markdown(conversation: Conversation) -> str:
    """The branch that is read: a heading a turn, its text as it is, and below an answer how it came to be."""
    parts = [f"# {conversation.name or 'Conversation'}", f"{_time(conversation.created)}"]
    if conversation.system:
        parts += ["## System", conversation.system]
    for shot in conversation.shots:
        parts += [
            f"## Example: sample {shot.sample}",
            "### Question",
            shot.prompt,
            "### Answer",
            _closed(shot.response),
        ]
    for message in path(conversation):
        parts += [f"## {speaker(message)}", _closed(message.text)]
        if message.facts is not None:
            parts.append(f"*{facts_line(message.facts)}*")
    return "\n\n".join(parts) + "\n"


def speaker(message: Message) -> str:
    """Who says it."""
    if message.facts is not None:
        return message.facts.model
    return "You" if message.role == "user" else "Text to go on from"


def facts_line(facts: Facts) -> str:
    """How an answer came to be, in a line: tokens, speed, settings, why it ended."""
    said = []
    if facts.tokens:
        said.append(f"{facts.tokens:,} tokens")
    if facts.tokens_per_second is not None:
        said.append(f"{facts.tokens_per_second:,.1f} tokens/s")
    if facts.time_to_first_token is not None:
        said.append(f"first after {facts.time_to_first_token * 1000:,.0f} ms")
    said.append(REASONS.get(facts.reason, facts.reason))
    return " · ".join([*said, settings_line(facts.settings)] if facts.settings else said)


def settings_line(settings: Mapping[str, Any]) -> str:
    """Settings that have an effect, in a line; a sampler that is off is left out."""
    said = [(name, value) for name, value in settings.items() if value not in (None, (), [], "")]
    return ", ".join(
        f"{name} {_value(value)}" for name, value in said if name not in RANGES or value != RANGES[name].off
    )


def _value(value: object) -> str:
    return " ".join(json.dumps(str(one)) for one in value) if isinstance(value, list | tuple) else str(value)


def _plain(conversation: Conversation, message: Message) -> dict[str, Any]:
    places = siblings(conversation, message.id)
    said = {
        "role": message.role, "text": message.text, "created": _time(message.created),
        "branch": places.index(message.id) + 1, "branches": len(places),
    }  # fmt: skip
    return said if message.facts is None else {**said, **asdict(message.facts)}


def _closed(text: str) -> str:
    """An answer that was cut inside a fence would swallow all that comes after it."""
    fences = re.findall(r"^ *(```+|~~~+)", text, re.MULTILINE)
    return f"{text}\n{fences[-1]}" if len(fences) % 2 else text


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
