"""Which tokens of a conversation are trained: every word of the assistant, its end mark, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from core.engine import template
from core.errors import UserError

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Sum?"},
    {"role": "assistant", "content": "func Sum1(a int) — größer 🙂"},
    {"role": "user", "content": "And?"},
    {"role": "assistant", "content": "return a + b"},
]


def trained_text(tokenizer: Any, encoded: template.Encoded) -> str:
    return tokenizer.decode([i for i, mark in zip(encoded.ids, encoded.trained, strict=True) if mark])


def without_marks(tokenizer: Any) -> Any:
    other = copy.deepcopy(tokenizer)
    other.chat_template = tokenizer.chat_template.replace("{%- generation -%}", "").replace("{%- endgeneration -%}", "")
    return other


def test_every_assistant_turn_is_trained_with_its_end_mark_and_nothing_else(tokenizer: Any) -> None:
    encoded = template.encode_conversation(tokenizer, CHAT)
    assert trained_text(tokenizer, encoded) == f"{CHAT[2]['content']}<|end|>{CHAT[4]['content']}<|end|>"
    assert tokenizer.decode(encoded.ids) == template.render(tokenizer, CHAT)


def test_a_template_without_marks_gives_the_same_mask_by_comparing_prefixes(tokenizer: Any) -> None:
    plain = without_marks(tokenizer)
    assert not template.has_marks(plain)
    assert template.encode_conversation(plain, CHAT) == template.encode_conversation(tokenizer, CHAT)


def test_a_template_that_rewrites_earlier_turns_is_refused_and_not_guessed(tokenizer: Any) -> None:
    other = copy.deepcopy(tokenizer)
    other.chat_template = "{% for m in messages %}{% if loop.last or m.role == 'user' %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}"
    with pytest.raises(UserError, match="rewrites earlier turns"):
        template.encode_conversation(other, CHAT)


def test_a_template_that_raises_is_reported_with_its_own_words(tokenizer: Any) -> None:
    other = copy.deepcopy(tokenizer)
    other.chat_template = "{{ raise_exception('no system role here') }}{% generation %}{% endgeneration %}"
    with pytest.raises(UserError, match="no system role here"):
        template.encode_conversation(other, CHAT)


def test_no_token_is_added_that_the_template_does_not_write(tokenizer: Any) -> None:
    from tokenizers.processors import TemplateProcessing

    other = copy.deepcopy(tokenizer)
    other.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|system|> $A", special_tokens=[("<|system|>", 2)]
    )
    assert other("x")["input_ids"][0] == 2
    assert template.encode_prompt(other, CHAT[1:2]) == template.encode_prompt(tokenizer, CHAT[1:2])
    assert template.encode_text(other, "x", end=False) == template.encode_text(tokenizer, "x", end=False)


def test_the_prompt_ends_where_the_assistant_begins(tokenizer: Any) -> None:
    prompt = template.encode_prompt(tokenizer, CHAT[:2])
    encoded = template.encode_conversation(tokenizer, CHAT[:3])
    assert encoded.ids[: len(prompt)] == prompt
    assert not any(encoded.trained[: len(prompt)])
    assert encoded.trained[len(prompt)]


def test_a_tokenizer_without_a_template_gets_the_plain_one_and_learns_to_stop(tokenizer: Any) -> None:
    other = copy.deepcopy(tokenizer)
    other.chat_template = None
    assert template.ensure_template(other)
    assert not template.ensure_template(other)
    assert trained_text(other, template.encode_conversation(other, CHAT)).endswith("return a + b<|end|>")
    assert template.template_hash(other) != template.template_hash(tokenizer)


def test_a_tokenizer_with_neither_template_nor_end_is_refused(tokenizer: Any) -> None:
    other = copy.deepcopy(tokenizer)
    other.chat_template = None
    other.eos_token = None
    with pytest.raises(UserError, match="neither a chat template nor an end"):
        template.ensure_template(other)
