"""The route that scores texts: the model's own numbers, in windows where a text is longer than the context, and for answers in a conversation."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.engine import generate
from core.errors import UserError
from core.inference.refusals import ServerAddress
from core.inference.scoring import score_answer, score_continuation, score_text
from core.inference.stretches import fitted
from core.inference.windows import windows
from tests.core.engine.serving import MESSAGES, Served, serving

TEXT = 'func größer(a int) string { return "日本語🙂" }\n'


@pytest.fixture(scope="module")
def chatter(base: Path) -> generate.Chatter:
    return generate.load(base, "fp32")


@pytest.fixture(scope="module")
def served(base: Path) -> Iterator[Served]:
    with serving(generate.load(base, "fp32")) as found:
        yield found


@pytest.fixture
def address(served: Served) -> ServerAddress:
    return ServerAddress(served.url, "key")


def known(chatter: generate.Chatter, ids: list[int]) -> list[float]:
    """Log-probabilities of all tokens after the first."""
    with torch.no_grad():
        found = chatter.causal(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    return list(found[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist())


def test_a_text_is_scored_as_the_model_itself_does(address: ServerAddress, chatter: generate.Chatter) -> None:
    found = score_text(address, TEXT, alternatives=2)
    assert b"".join(one.spelt for one in found).decode() == TEXT
    assert found[0].logprob is None
    assert [one.logprob for one in found[1:]] == pytest.approx(known(chatter, chatter.text_ids(TEXT)), abs=1e-4)
    assert all(len(one.top) == 2 and one.top[0][1] >= one.top[1][1] for one in found[1:])


def test_a_text_longer_than_the_context_is_scored_window_by_window(
    address: ServerAddress, chatter: generate.Chatter
) -> None:
    text = "".join(f"func Sum{i}(a, b int) int {{\n\treturn a + b*{i}\n}}\n" for i in range(60))
    ids = chatter.text_ids(text)
    assert len(ids) > 3 * chatter.context
    told: list[tuple[int, int]] = []
    found = score_text(address, text, told=lambda done, of: told.append((done, of)))
    parts = windows(len(ids), chatter.context - 1)
    assert told == [(one.end, len(ids)) for one in parts]
    expected: list[float] = []
    for one in parts:
        expected += known(chatter, ids[one.start : one.end])[max(one.first, 1) - one.start - 1 :]
    assert [one.logprob for one in found[1:]] == pytest.approx(expected, abs=1e-4)
    assert fitted(found, text) == found


def test_an_answer_is_scored_in_its_conversation_and_a_text_after_its_prompt(
    address: ServerAddress, chatter: generate.Chatter
) -> None:
    prompt, ids = chatter.chat_ids(MESSAGES), chatter.text_ids(TEXT)
    expected = known(chatter, [*prompt, *ids])[len(prompt) - 1 :]
    found = score_answer(address, MESSAGES, TEXT)
    assert [one.logprob for one in found] == pytest.approx(expected, abs=1e-4)
    assert b"".join(one.spelt for one in found).decode() == TEXT
    after = score_continuation(address, "func ", "Sum3(a, b int)")
    before = chatter.text_ids("func ")
    expected = known(chatter, [*before, *chatter.text_ids("Sum3(a, b int)")])[len(before) - 1 :]
    assert [one.logprob for one in after] == pytest.approx(expected, abs=1e-4)


def test_who_wants_no_more_ends_it_between_two_windows(address: ServerAddress) -> None:
    enough = threading.Event()
    told: list[int] = []

    def tell(done: int, _of: int) -> None:
        told.append(done)
        enough.set()

    assert score_text(address, "func F() {}\n" * 300, told=tell, cancelled=enough.is_set) == ()
    assert len(told) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"), ({"text": ""}, "text"), ({"text": 7}, "text"), ({"text": "a", "prompt": 1}, "prompt"),
        ({"text": "a", "prompt": "b", "messages": MESSAGES}, "prompt"), ({"text": "a", "messages": []}, "messages"),
        ({"text": "a", "alternatives": 21}, "alternatives"), ({"text": "a", "colour": 1}, "colour"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(served: Served, body: dict[str, object], field: str) -> None:
    status, answer = served.post("/v1/score", body)
    assert (status, answer["error"]["param"]) == (400, field)


def test_a_server_that_is_gone_or_refuses_is_a_sentence(address: ServerAddress) -> None:
    with pytest.raises(UserError, match="refused the key"):
        score_text(replace(address, key="wrong"), "func F() {}")
    with pytest.raises(UserError, match="text must be a text") as refused:
        score_text(address, "")
    assert "setting" not in refused.value.hint
    with pytest.raises(UserError, match="is gone"):
        score_text(ServerAddress("http://127.0.0.1:9/v1", "key"), "func F() {}")
