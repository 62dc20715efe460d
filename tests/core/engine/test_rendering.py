"""What a model would read, asked of its server: tokens with their marks, how many, and what does not fit, over the real client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.engine import fim, generate
from core.errors import UserError
from core.inference.refusals import ServerAddress
from core.inference.rendering import fits, questions_to_drop, render_chat, render_text
from tests.core.engine.serving import MESSAGES, Served, serving


@pytest.fixture(scope="module")
def served(base: Path) -> Iterator[Served]:
    with serving(generate.load(base, "fp32")) as running:
        yield running


@pytest.fixture
def address(served: Served) -> ServerAddress:
    return ServerAddress(served.url, "key")


def test_a_chat_is_shown_as_the_model_reads_it(served: Served, address: ServerAddress) -> None:
    seen = render_chat(address, [{"role": "user", "content": "größer 🙂"}])
    chatter = served.service.chatter
    assert [token.id for token in seen.tokens] == chatter.chat_ids([{"role": "user", "content": "größer 🙂"}])
    assert seen.count == len(seen.tokens)
    assert seen.context == chatter.context
    text = b"".join(token.spelt for token in seen.tokens).decode()
    assert text == chatter.tokenizer.decode([token.id for token in seen.tokens])
    assert "größer 🙂" in text
    special = {token.spelt.decode() for token in seen.tokens if token.special}
    assert special
    assert special <= set(chatter.tokenizer.get_added_vocab())


def test_a_text_a_gap_and_a_count_alone(
    served: Served, address: ServerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = served.service.chatter.tokenizer
    plain = render_text(address, "func F() {")
    assert b"".join(token.spelt for token in plain.tokens) == b"func F() {"
    assert not any(token.special for token in plain.tokens)
    with pytest.raises(UserError, match="no tokens for filling a gap"):
        render_text(address, "func F() {", suffix="}")
    monkeypatch.setattr(fim, "MARKERS", (tuple(tokenizer.convert_ids_to_tokens([300, 301, 302])),))
    gap = render_text(address, "func F() {", suffix="}")
    assert [token.id for token in gap.tokens] == fim.encode(tokenizer, "func F() {", "}")
    counted = render_text(address, "func F() {", told=False)
    assert (counted.count, counted.tokens) == (plain.count, ())


def test_what_is_longer_than_the_context_is_counted_and_told_in_words(address: ServerAddress) -> None:
    long = render_text(address, "x + " * 600)
    assert long.count > long.context == 256
    said = fits(long, 100)
    assert f"{long.count:,} tokens" in said
    assert "256" in said
    short = render_text(address, "x")
    assert fits(short, 200) == ""
    nearly = render_text(address, "x + " * 80)
    assert "Only" in fits(nearly, 100)


def test_so_many_of_the_first_questions_go_that_the_rest_fits(address: ServerAddress) -> None:
    turns = []
    for number in range(8):
        turns += [{"role": "user", "content": f"q{number} " + "x " * 15}, {"role": "assistant", "content": "y " * 10}]
    turns = turns[:-1]
    head = [{"role": "system", "content": "Be brief."}]
    dropped = questions_to_drop(address, head, turns, 32)
    assert 0 < dropped < 8
    rest = render_chat(address, [*head, *turns[2 * dropped :]], told=False)
    more = render_chat(address, [*head, *turns[2 * dropped - 2 :]], told=False)
    assert rest.count + 32 <= 256 < more.count + 32
    assert questions_to_drop(address, head, turns[-1:], 32) == 0
    assert questions_to_drop(address, head, [{"role": "user", "content": "x " * 400}], 32) == 1


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"messages": MESSAGES, "temperature": 1}, "temperature"),
        ({"prompts": "x"}, "prompts"),
        ({}, "messages or a prompt"),
        ({"messages": MESSAGES, "prompt": "x"}, "one of the two"),
        ({"messages": MESSAGES, "suffix": "x"}, "suffix"),
        ({"prompt": ["x"]}, "texts"),
        ({"prompt": "x", "suffix": 3}, "texts"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "boss", "content": "x"}]}, "role"),
        ({"prompt": "x", "tokens": "yes"}, "tokens"),
        ([], "object"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(served: Served, body: Any, wrong: str) -> None:
    status, answer = served.post("/v1/render", body)
    assert status == 400
    assert wrong in answer["error"]["message"]


def test_without_the_key_nothing_is_shown(served: Served) -> None:
    assert served.post("/v1/render", {"prompt": "x"}, Authorization="Bearer other")[0] == 401


@pytest.mark.parametrize(
    "template",
    [
        "{% for message in messages %}{{ message.content }",
        "{{ raise_exception('Only one turn, please') }}",
        "{{ nothing.of.the.kind }}",
        "{{ 1 // 0 }}",
        "{% include 'elsewhere' %}",
    ],
)
def test_a_template_that_is_broken_is_a_sentence(served: Served, address: ServerAddress, template: str) -> None:
    tokenizer = served.service.chatter.tokenizer
    before, tokenizer.chat_template = tokenizer.chat_template, template
    try:
        with pytest.raises(UserError, match="chat template refuses"):
            render_chat(address, MESSAGES)
    finally:
        tokenizer.chat_template = before


def test_a_tokenizer_without_a_template_has_the_plain_one(served: Served, address: ServerAddress) -> None:
    tokenizer = served.service.chatter.tokenizer
    before, tokenizer.chat_template = tokenizer.chat_template, None
    try:
        text = b"".join(token.spelt for token in render_chat(address, MESSAGES).tokens).decode()
    finally:
        tokenizer.chat_template = before
    assert text == "<|user|>\nWrite Sum3.\n<|assistant|>\n"


def test_a_server_that_is_gone_is_a_sentence() -> None:
    with pytest.raises(UserError, match="gone"):
        render_text(ServerAddress("http://127.0.0.1:9/v1", "key"), "x")
