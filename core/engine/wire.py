"""What travels to the server: requests of OpenAI's clients, turned into those of the decode loop.

A field that is not known is refused, not ignored: a misspelt setting that has no effect is worse than an error. Fields of OpenAI's that do
nothing here are taken with the one value that asks for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from core.engine import fim
from core.engine.asked import MOST_ALTERNATIVES, Request
from core.engine.generate import Chatter
from core.inference import sampling as settings
from core.inference.refusals import ANY
from core.inference.sampling import Sampling, validate

SAMPLING: Final = {"temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "stop", "seed"}
EVERYWHERE: Final = SAMPLING | {"model", "stream", "stream_options", "n", "user", "logprobs"}
CHAT: Final = EVERYWHERE | {"messages", "max_completion_tokens", "top_logprobs"}
COMPLETION: Final = EVERYWHERE | {"prompt", "suffix", "echo"}
RENDERING: Final = {"model", "messages", "prompt", "suffix", "tokens"}
NEUTRAL: Final[dict[str, Any]] = {
    "frequency_penalty": 0, "presence_penalty": 0, "logit_bias": {}, "best_of": 1, "store": False, "metadata": {},
    "response_format": {"type": "text"}, "modalities": ["text"], "tools": [],
}  # fmt: skip
SCORE: Final = {"model", "text", "prompt", "messages", "alternatives"}
MOST_CHOICES: Final = 32
"""Answers to one request."""


class RefusedError(Exception):
    """A request that gets an error answer: HTTP status, a sentence, the field that is wrong, OpenAI's word for it."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. requests: one a choice, in order. echo: the prompt's text comes first, one a choice. usage: a chunk with it, streamed."""

    chat: bool
    model: str
    requests: tuple[Request, ...]
    echo: tuple[str, ...] = ()
    stream: bool = False
    usage: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """A text to be scored. ids: with all that stands before it; first: of the text itself. adapter: as in a Request."""

    ids: tuple[int, ...]
    first: int
    alternatives: int
    adapter: str


def read_score(data: bytes, chatter: Chatter, name: str) -> Scored:
    """A text to be scored: alone, after a prompt, or as the answer to messages. Raises RefusedError and UserError."""
    body = _object(data, SCORE)
    text, prompt = body.get("text"), body.get("prompt")
    if not isinstance(text, str) or not text:
        raise RefusedError(400, "text must be a text that is not empty.", "text")
    if prompt is not None and (not isinstance(prompt, str) or body.get("messages") is not None):
        raise RefusedError(400, "prompt must be a text, without messages.", "prompt")
    before = chatter.chat_ids(_messages(body)) if body.get("messages") is not None else chatter.text_ids(prompt or "")
    adapter = _adapter(_model(body, chatter, name), name)
    alternatives = _count(body, "alternatives", MOST_ALTERNATIVES, 0)
    return Scored((*before, *chatter.text_ids(text)), len(before), alternatives, adapter)


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a model would read. told: are the tokens wanted, or only how many there are?"""

    model: str
    ids: tuple[int, ...]
    told: bool


def read_chat(data: bytes, chatter: Chatter, name: str) -> Call:
    """A chat request. Raises RefusedError and UserError."""
    body = _object(data, CHAT)
    asked = _model(body, chatter, name)
    alternatives = None
    if _flag(body, "logprobs"):
        alternatives = _count(body, "top_logprobs", MOST_ALTERNATIVES, 0)
    elif body.get("top_logprobs") is not None:
        raise RefusedError(400, "top_logprobs is given but logprobs is not true.", "top_logprobs")
    ids = chatter.chat_ids(_messages(body))
    request = Request(tuple(ids), _sampling(body), alternatives, adapter=_adapter(asked, name))
    return _call(body, [request], chatter, asked, chat=True)


def read_completion(data: bytes, chatter: Chatter, name: str) -> Call:
    """A completion request: a text, several, or token ids; with suffix the gap between the two. Raises RefusedError and UserError."""
    body = _object(data, COMPLETION)
    asked = _model(body, chatter, name)
    alternatives = _count(body, "logprobs", MOST_ALTERNATIVES, 0) if body.get("logprobs") is not None else None
    echo = _flag(body, "echo")
    nothing = echo and body.get("max_tokens") == 0
    request = Request(
        (),
        _sampling({**body, "max_tokens": 1} if nothing else body),
        alternatives,
        prompt_too=echo and alternatives is not None,
        answer=not nothing,
        adapter=_adapter(asked, name),
    )
    prompts = _prompts(body, chatter)
    suffix = body.get("suffix")
    if suffix is not None:
        if not isinstance(suffix, str) or len(prompts) != 1 or not isinstance(body["prompt"], str) or echo:
            raise RefusedError(400, "suffix must be a text, beside one prompt that is a text, without echo.", "suffix")
        prompts = [tuple(fim.encode(chatter.tokenizer, body["prompt"], suffix))]
        request = replace(request, ends=fim.endings(chatter.tokenizer))
    return _call(body, [replace(request, ids=ids) for ids in prompts], chatter, asked, chat=False, echo=echo)


def read_rendering(data: bytes, chatter: Chatter, name: str) -> Rendering:
    """A request to show a prompt: messages, or a text with what follows the gap after it. Any length will do. Raises RefusedError and UserError."""
    body = _object(data, RENDERING)
    asked = _model(body, chatter, name)
    told = body.get("tokens") is None or _flag(body, "tokens")
    prompt, suffix = body.get("prompt"), body.get("suffix")
    if (body.get("messages") is None) == (prompt is None):
        raise RefusedError(400, "Give messages or a prompt, one of the two.", "messages")
    if prompt is None:
        if suffix is not None:
            raise RefusedError(400, "suffix goes with a prompt, not with messages.", "suffix")
        return Rendering(asked, tuple(chatter.chat_ids(_messages(body))), told)
    if not isinstance(prompt, str) or not isinstance(suffix, str | None):
        raise RefusedError(400, "prompt and suffix must be texts.", "prompt")
    ids = chatter.text_ids(prompt) if suffix is None else fim.encode(chatter.tokenizer, prompt, suffix)
    return Rendering(asked, tuple(ids), told)


def _call(body: Mapping[str, Any], asked: Sequence[Request], chatter: Chatter, model: str, *, chat: bool, echo: bool = False) -> Call:  # fmt: skip
    count = _count(body, "n", MOST_CHOICES, 1)
    if count < 1 or count * len(asked) > MOST_CHOICES:
        raise RefusedError(400, f"n must be 1 to {MOST_CHOICES}, all prompts together.", "n")
    for request in asked:
        if not request.ids:
            raise RefusedError(400, "The prompt is empty.", "messages" if chat else "prompt")
        if len(request.ids) >= chatter.context:
            said = f"The prompt has {len(request.ids):,} tokens; the model reads {chatter.context:,} with its answer."
            raise RefusedError(400, said, "messages" if chat else "prompt", "context_length_exceeded")
    options = body.get("stream_options") or {}
    if not isinstance(options, dict) or not set(options) <= {"include_usage"}:
        raise RefusedError(400, "stream_options knows include_usage only.", "stream_options")
    return Call(
        chat,
        model,
        tuple(_numbered(request, number) for request in asked for number in range(count)),
        tuple(chatter.tokenizer.decode(request.ids) for request in asked for _ in range(count)) if echo else (),
        _flag(body, "stream"),
        bool(options.get("include_usage")),
    )


def _numbered(request: Request, number: int) -> Request:
    """The same for another choice: each draws from a seed of its own, told in its settings."""
    seed = request.sampling.seed
    if seed is None or not number:
        return request
    highest = int(settings.RANGES["seed"].high)
    return replace(request, sampling=replace(request.sampling, seed=(seed + number) % (highest + 1)))


def _object(data: bytes, known: set[str]) -> dict[str, Any]:
    """The JSON object of a request, whose fields are all known."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise RefusedError(400, "The request is no JSON.") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "The request must be a JSON object.")
    for field in sorted(set(body) - known):
        if field not in NEUTRAL:
            raise RefusedError(400, f"This server does not know: {field}.", field)
        if body[field] is not None and body[field] != NEUTRAL[field]:
            raise RefusedError(400, f"{field} has no effect here; leave it out.", field)
    return body


def _model(body: Mapping[str, Any], chatter: Chatter, name: str) -> str:
    """The model that is meant. Where there is but one, any name means it."""
    asked = body.get("model")
    if not chatter.adapters or asked in (None, ANY):
        return name
    if asked != name and asked not in chatter.adapters:
        raise RefusedError(
            404, f"There is no model “{asked}” here, but {', '.join([name, *chatter.adapters])}.", "model", "model_not_found"
        )  # fmt: skip
    return str(asked)


def _adapter(asked: str, name: str) -> str:
    return "" if asked == name else asked


def _messages(body: Mapping[str, Any]) -> list[dict[str, str]]:
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise RefusedError(400, "messages must be a list that is not empty.", "messages")
    return [_message(message) for message in given]


def _message(message: Any) -> dict[str, str]:
    wrong = RefusedError(
        400, "Each message needs a role (system, user, assistant) and a content that is text.", "messages"
    )
    if not isinstance(message, dict) or message.get("role") not in ("system", "developer", "user", "assistant"):
        raise wrong
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        content = "".join(str(part.get("text")) for part in content)
    if not isinstance(content, str):
        raise wrong
    return {"role": "system" if message["role"] == "developer" else message["role"], "content": content}


def _prompts(body: Mapping[str, Any], chatter: Chatter) -> list[tuple[int, ...]]:
    given = body.get("prompt")
    words = len(chatter.tokenizer)
    if isinstance(given, str):
        return [tuple(chatter.text_ids(given))]
    if isinstance(given, list) and given:
        if all(isinstance(one, str) for one in given):
            return [tuple(chatter.text_ids(one)) for one in given]
        if all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < words for one in given):
            return [tuple(given)]
    raise RefusedError(400, f"prompt must be a text, a list of texts, or token ids below {words:,}.", "prompt")


def _sampling(body: Mapping[str, Any]) -> Sampling:
    """The settings; what is absent or null has Gosmith's default. Raises UserError naming the field."""
    given = {name: body[name] for name in SAMPLING if body.get(name) is not None}
    if body.get("max_completion_tokens") is not None:
        given["max_tokens"] = body["max_completion_tokens"]
    return validate(**given)


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise RefusedError(400, f"{name} must be true or false.", name)
    return bool(value)


def _count(body: Mapping[str, Any], name: str, most: int, default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise RefusedError(400, f"{name} must be a whole number from 0 to {most}.", name)
    return value
