"""The official client, against our server: what it sends is understood, and what it reads is what it expects."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import torch

from core.engine import fim, generate
from core.inference import likelihoods
from core.inference.client import Finish, Piece, stream_chat, stream_completion
from core.inference.refusals import ServerAddress
from core.inference.sampling import Sampling
from tests.core.engine.serving import MESSAGES, Served, serving

CHAT: dict[str, Any] = {"model": "tiny", "messages": MESSAGES, "max_tokens": 12, "seed": 3}
TEXT: dict[str, Any] = {"model": "tiny", "prompt": "func Sum3(a", "max_tokens": 12, "seed": 3}


@pytest.fixture(scope="module")
def served(base: Path) -> Iterator[Served]:
    with serving(generate.load(base, "fp32")) as running:
        yield running


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[openai.OpenAI]:
    with (
        httpx2.Client(timeout=60, trust_env=False) as http,
        openai.OpenAI(base_url=served.url, api_key="key", max_retries=0, http_client=http) as one,
    ):
        yield one


def test_models_are_listed_and_found(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").owned_by == "gosmith"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("other")
    assert refused.value.code == "model_not_found"


def test_a_chat_streamed_is_the_chat_in_one_piece(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(**CHAT)
    chunks = list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert said == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert whole.usage is not None
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


def test_without_asking_no_usage_is_streamed(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(**CHAT, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_log_probabilities_of_a_chat(client: openai.OpenAI) -> None:
    asked = {**CHAT, "logprobs": True, "top_logprobs": 3}
    whole = client.chat.completions.create(**asked).choices[0]
    assert whole.logprobs is not None
    entries = whole.logprobs.content
    assert entries is not None
    assert len(entries) == 12
    assert (
        b"".join(bytes(one.bytes or ()) for one in entries)
        .decode(errors="replace")
        .startswith((whole.message.content or "")[:3])
    )
    for one in entries:
        assert one.logprob <= 0
        assert len(one.top_logprobs) == 3
        assert [top.logprob for top in one.top_logprobs] == sorted((top.logprob for top in one.top_logprobs), reverse=True)  # fmt: skip
    streamed = [
        entry
        for chunk in client.chat.completions.create(**asked, stream=True)
        for choice in chunk.choices
        for entry in (choice.logprobs.content or () if choice.logprobs else ())
    ]
    assert [one.token for one in streamed] == [one.token for one in entries]
    assert [one.logprob for one in streamed] == pytest.approx([one.logprob for one in entries], abs=1e-4)


def test_several_choices_each_with_a_seed_of_its_own(client: openai.OpenAI) -> None:
    asked = {**CHAT, "temperature": 1.5, "n": 3}
    whole = client.chat.completions.create(**asked)
    texts = [choice.message.content for choice in whole.choices]
    assert len(set(texts)) == 3
    assert [choice.index for choice in whole.choices] == [0, 1, 2]
    again = client.chat.completions.create(**{**asked, "seed": 4, "n": 1})
    assert again.choices[0].message.content == texts[1]
    streamed = ["", "", ""]
    for chunk in client.chat.completions.create(**asked, stream=True):
        for choice in chunk.choices:
            streamed[choice.index] += choice.delta.content or ""
    assert streamed == texts
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 36


def test_a_stop_string_is_left_out(client: openai.OpenAI) -> None:
    text = client.completions.create(**TEXT, temperature=0).choices[0].text
    stop = text[4:6]
    cut = client.completions.create(**TEXT, temperature=0, stop=stop).choices[0]
    assert cut.finish_reason == "stop"
    assert cut.text == text[: text.index(stop)]


def test_the_same_seed_gives_the_same_text_and_the_settings_are_told(client: openai.OpenAI) -> None:
    first, second = (client.completions.create(**TEXT, temperature=1.5) for _ in range(2))
    assert first.choices[0].text == second.choices[0].text
    assert first.model_extra is not None
    told = first.model_extra["gosmith"]["settings"]
    assert (told["temperature"], told["seed"], told["top_p"], told["max_tokens"]) == (1.5, 3, 0.95, 12)


def test_an_echo_with_log_probabilities_scores_the_prompt(client: openai.OpenAI, served: Served) -> None:
    text = "func Sum3(a, b int) int {\n\treturn a + größer\n}\n"
    chatter = served.service.chatter
    answer = client.completions.create(model="tiny", prompt=text, echo=True, logprobs=2, max_tokens=0)
    choice = answer.choices[0]
    assert choice.text == text
    assert choice.logprobs is not None
    ids = chatter.text_ids(text)
    with torch.no_grad():
        known = chatter.causal(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    expected = known[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist()
    assert choice.logprobs.token_logprobs is not None
    assert choice.logprobs.token_logprobs[0] is None
    assert choice.logprobs.token_logprobs[1:] == pytest.approx(expected, abs=1e-4)
    assert answer.usage is not None
    assert (answer.usage.completion_tokens, answer.usage.prompt_tokens) == (0, len(ids))
    offsets, tokens = choice.logprobs.text_offset, choice.logprobs.tokens
    assert offsets is not None
    assert tokens is not None
    for offset, token in zip(offsets, tokens, strict=True):
        assert token.startswith("bytes:") or text[offset:].startswith(token)


def test_an_echo_goes_on_with_the_answer(client: openai.OpenAI) -> None:
    plain = client.completions.create(**TEXT, temperature=0).choices[0].text
    for stream in (False, True):
        for logprobs in (None, 1):
            asked = {**TEXT, "temperature": 0, "echo": True, "logprobs": logprobs}
            if stream:
                parts = client.completions.create(**asked, stream=True)
                said = "".join(choice.text for chunk in parts for choice in chunk.choices)
            else:
                said = client.completions.create(**asked).choices[0].text
            assert said == TEXT["prompt"] + plain


def test_several_prompts_and_token_ids(client: openai.OpenAI, served: Served) -> None:
    prompts = ["func", "package main"]
    both = client.completions.create(model="tiny", prompt=prompts, max_tokens=5, temperature=0, n=2)
    alone = [client.completions.create(model="tiny", prompt=one, max_tokens=5, temperature=0) for one in prompts]
    texts = [one.choices[0].text for one in alone]
    assert [choice.text for choice in both.choices] == [texts[0], texts[0], texts[1], texts[1]]
    ids = served.service.chatter.text_ids("package main")
    assert client.completions.create(model="tiny", prompt=ids, max_tokens=5, temperature=0).choices[0].text == texts[1]


def test_fields_that_ask_for_nothing_are_taken(client: openai.OpenAI) -> None:
    assert client.chat.completions.create(
        **CHAT, frequency_penalty=0, presence_penalty=0, logit_bias={}, response_format={"type": "text"}
    ).choices
    parts: Any = [{"type": "text", "text": "Write "}, {"type": "text", "text": "Sum3."}]
    said = client.chat.completions.create(**{**CHAT, "messages": [{"role": "user", "content": parts}]})
    assert said.choices[0].message.content == client.chat.completions.create(**CHAT).choices[0].message.content


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"logit_bias": {"5": 10}}, "logit_bias"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"n": 100}, "n"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"messages": []}, "messages"),
    ],
)
def test_errors_name_the_field(client: openai.OpenAI, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{**CHAT, **fields})
    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"


def test_errors_are_of_the_kinds_that_the_client_knows(client: openai.OpenAI, served: Served) -> None:
    with pytest.raises(openai.BadRequestError) as long:
        client.completions.create(model="tiny", prompt="Sum " * 400)
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.AuthenticationError) as key:
        client.with_options(api_key="wrong").models.list()
    assert key.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError):
        client.with_options(default_headers={"Origin": "https://evil.example"}).models.list()
    with pytest.raises(openai.APIStatusError) as large:
        client.completions.create(model="tiny", prompt="x" * 10_000_000)
    assert large.value.status_code == 413
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="tiny", input="x")
    with pytest.raises(openai.BadRequestError, match="no tokens for filling a gap"):
        client.completions.create(model="tiny", prompt="func ", suffix="}")


def test_a_gap_is_filled_by_a_model_that_has_tokens_for_it(
    client: openai.OpenAI, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    chatter = served.service.chatter
    monkeypatch.setattr(fim, "MARKERS", (tuple(chatter.tokenizer.convert_ids_to_tokens([300, 301, 302])),))
    ids = [300, *chatter.text_ids("func "), 301, *chatter.text_ids("}"), 302]
    asked = {"model": "tiny", "max_tokens": 6, "temperature": 0}
    filled = client.completions.create(**asked, prompt="func ", suffix="}")
    plain = client.completions.create(**asked, prompt=ids)
    assert filled.usage is not None
    assert filled.usage.prompt_tokens == len(ids)
    assert plain.choices[0].text.startswith(filled.choices[0].text)
    address = ServerAddress(served.url, "key")
    *pieces, _ = stream_completion(address, "func ", Sampling(temperature=0, max_tokens=6), suffix="}")
    assert "".join(piece.text for piece in pieces if isinstance(piece, Piece)) == filled.choices[0].text


def test_our_client_is_told_likelihoods(served: Served) -> None:
    address = ServerAddress(served.url, "key")
    sampling = Sampling(temperature=0, max_tokens=10)
    for answer in (
        stream_chat(address, MESSAGES, sampling, alternatives=2),
        stream_completion(address, "func Sum3", sampling, alternatives=2),
    ):
        *pieces, finish = answer
        assert isinstance(finish, Finish)
        tokens = [token for piece in pieces if isinstance(piece, Piece) for token in piece.tokens]
        assert len(tokens) == finish.tokens == 10
        for token in tokens:
            assert token.logprob is not None
            assert token.top[0][1] == pytest.approx(token.logprob), "at temperature 0 the likeliest was taken"


def test_a_text_of_ones_own_is_scored(served: Served, base: Path) -> None:
    text = 'func größer(a int) string { return "日本語🙂" }\n'
    found = likelihoods.score(ServerAddress(served.url, "key"), text, alternatives=1)
    assert b"".join(token.spelt for token in found).decode() == text
    total = sum(token.logprob for token in found if token.logprob is not None)
    chatter = generate.load(base, "fp32")  # the one that is served belongs to its own thread
    assert -total == pytest.approx(sum(chatter.score(chatter.text_ids(text))), rel=1e-4)
    assert math.isfinite(total)
