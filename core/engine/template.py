"""From a conversation to token ids, with a mark on every token that is trained.

Two ways, the first that the tokenizer's chat template allows:
  marks     the template encloses what the assistant says in {% generation %} ... {% endgeneration %};
  prefixes  it does not: rendering messages[:i] with the generation prompt and messages[:i+1] shows where turn i lies.
Every assistant turn is trained, with its end mark, and nothing else is. A template that cannot be split either way is
refused: a wrong mask is worse than none. No token is added that the template does not write (no second BOS).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import UserError

# For tokenizers that come without a template: plain words, and the tokenizer's own end mark.
PLAIN_TEMPLATE = (
    "{%- for message in messages -%}{{ '<|' + message['role'] + '|>\n' }}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}{{ message['content'] + eos_token }}{%- endgeneration -%}"
    "{%- else -%}{{ message['content'] }}{%- endif -%}{{ '\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|>\n' }}{%- endif -%}"
)

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One conversation. ids and trained have one entry a token; trained[i] means that ids[i] is to be predicted."""

    ids: list[int]
    trained: list[bool]


def ensure_template(tokenizer: Any) -> bool:
    """Give a tokenizer without a chat template the plain one; True when that was needed."""
    if tokenizer.chat_template:
        return False
    if tokenizer.eos_token is None:
        raise UserError(
            "The tokenizer has neither a chat template nor an end-of-text token.",
            'Train with objective = "text", or choose another base model.',
        )
    tokenizer.chat_template = PLAIN_TEMPLATE
    return True


def template_hash(tokenizer: Any) -> str:
    """Which template a checkpoint was trained with: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(str(tokenizer.chat_template or "").encode()).hexdigest()[:16]


def control_token_in(tokenizer: Any, messages: Messages) -> str | None:
    """A special token that stands in a message's own text, where it would end the turn or begin another; None mostly."""
    for token in tokenizer.all_special_tokens:
        if any(token in message["content"] for message in messages):
            return str(token)
    return None


def has_marks(tokenizer: Any) -> bool:
    """Whether the template says itself which part the assistant speaks."""
    text = str(tokenizer.chat_template)
    return any(mark in text for mark in ("{% generation", "{%- generation"))


def render(tokenizer: Any, messages: Messages, *, prompt: bool = False) -> str:
    """The conversation as the model sees it; `prompt` adds the opening of an assistant turn. Raises UserError."""
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=prompt)
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise UserError(
            f"The chat template refuses this conversation: {error}.", "Edit its messages or roles."
        ) from error
    return str(text)


def encode_conversation(tokenizer: Any, messages: Messages) -> Encoded:
    """Ids and trained marks of a whole conversation. Raises UserError when the template cannot be used for training."""
    return _by_marks(tokenizer, messages) if has_marks(tokenizer) else _by_prefixes(tokenizer, messages)


def encode_prompt(tokenizer: Any, messages: Messages) -> list[int]:
    """Ids up to where the assistant is to speak."""
    return list(tokenizer(render(tokenizer, messages, prompt=True), add_special_tokens=False)["input_ids"])


def encode_text(tokenizer: Any, text: str, *, end: bool = True) -> list[int]:
    """Ids of plain text, with the end-of-text token when the tokenizer has one and `end` is set."""
    ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])
    if end and tokenizer.eos_token_id is not None:
        ids.append(tokenizer.eos_token_id)
    return ids


def _by_marks(tokenizer: Any, messages: Messages) -> Encoded:
    from jinja2 import TemplateError

    try:
        out = tokenizer.apply_chat_template(
            list(messages), tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
    except (TemplateError, TypeError, ValueError, OverflowError) as error:
        raise UserError(
            f"The chat template refuses this conversation: {error}.", "Edit its messages or roles."
        ) from error
    return Encoded(list(out["input_ids"]), [bool(mark) for mark in out["assistant_masks"]])


def _by_prefixes(tokenizer: Any, messages: Messages) -> Encoded:
    full = render(tokenizer, messages)
    spans: list[tuple[int, int]] = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        through = render(tokenizer, messages[: index + 1])
        start = _common(render(tokenizer, messages[:index], prompt=True), full)
        end = len(through.rstrip()) if full.startswith(through.rstrip()) else -1
        spoken = message["content"].strip()
        if end < start or spoken not in full[start:end]:
            raise UserError(
                "The chat template rewrites earlier turns, so it does not show which tokens the assistant speaks.",
                "Choose a base model whose chat template has {% generation %} marks, or train on single-turn samples.",
            )
        spans.append((start, end))
    encoded = tokenizer(full, add_special_tokens=False, return_offsets_mapping=True)
    return Encoded(
        list(encoded["input_ids"]),
        [any(start <= a and b <= end and b > a for start, end in spans) for a, b in encoded["offset_mapping"]],
    )


def _common(left: str, right: str) -> int:
    """Length of the common prefix."""
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))
