"""A teacher asked by hand: what is sent, what it costs, whom by default, and no key in any word."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import UserError
from core.inference.client import Finish, Piece
from core.inference.sampling import Sampling
from core.jobs import create
from core.teacher.asking.prices import load_prices
from core.teacher.speaking import Teacher, cost, fields_of, last_used, most, stream_teacher
from tests.core.teacher.asking.scripted_replies import KEY, error, quota, streamed
from tests.core.teacher.asking.scripted_server import ScriptedServer

MESSAGES = [{"role": "user", "content": "Write Add."}]
SAMPLING = Sampling(temperature=0.2, top_k=40, min_p=0.1, repetition_penalty=1.1, max_tokens=64, stop=("\n\n",), seed=7)


def test_only_what_such_an_endpoint_knows_is_sent_and_what_was_sent_is_told() -> None:
    with ScriptedServer(lambda seen: streamed("a\nb\n")) as server:
        *pieces, finish = stream_teacher(Teacher("gpt-4.1", server.url), MESSAGES, SAMPLING)
        [seen] = server.seen
    assert "".join(piece.text for piece in pieces if isinstance(piece, Piece)) == "a\nb\n"
    expected = {"temperature": 0.2, "top_p": 0.95, "max_tokens": 64, "stop": ["\n\n"], "seed": 7}
    assert seen.json == {
        "model": "gpt-4.1", "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}, **expected,
    }  # fmt: skip
    assert isinstance(finish, Finish)
    assert (finish.prompt_tokens, finish.tokens, finish.settings) == (100, 50, expected)
    assert fields_of(Sampling()) == {"temperature": 0.7, "top_p": 0.95, "max_tokens": 256}


def test_prices_are_those_of_the_table() -> None:
    prices = load_prices()
    teacher, price = Teacher("gpt-4.1"), prices.find("gpt-4.1", date.today())
    assert price is not None
    assert cost(teacher, 1_000_000, 0, prices) == price.prompt
    bound = most(teacher, MESSAGES, SAMPLING, prices)
    assert bound is not None
    assert Decimal(0) < (cost(teacher, 10, 64, prices) or 0) < bound < Decimal("0.01")
    assert cost(Teacher("nobody-knows-me"), 10, 10, prices) is None
    assert most(Teacher("nobody-knows-me"), MESSAGES, SAMPLING, prices) is None


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), "refused the key"),
        (error(404, "No such model", code="model_not_found"), "There is no model gpt-4.1"),
        (error(400, "Unknown field: seed"), "Unknown field: seed"),
        (error(429, "Slow down"), "wants fewer requests: Slow down."),
        (quota(), "has no quota left"),
        (error(503, "Overloaded"), "failed: Overloaded."),
        (streamed("a\nb\n", cut_after=1), "was cut before its end"),
        (streamed("a\n", error="It broke."), "was cut before its end"),
    ],
)
def test_a_refusal_is_a_sentence_without_the_key(monkeypatch: pytest.MonkeyPatch, reply: object, words: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedServer(lambda seen: reply) as server, pytest.raises(UserError) as refused:  # type: ignore[arg-type,return-value]
        list(stream_teacher(Teacher("gpt-4.1", server.url), MESSAGES, SAMPLING))
    assert words in str(refused.value)
    assert KEY not in str(refused.value)


def test_an_endpoint_that_is_not_there_or_none_at_all_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UserError, match="cannot be reached"):
        list(stream_teacher(Teacher("gpt-4.1", "http://127.0.0.1:9/v1"), MESSAGES, SAMPLING))
    with pytest.raises(UserError, match="There is no key for"):
        stream_teacher(Teacher(), MESSAGES, SAMPLING)
    with pytest.raises(UserError, match="is no address"):
        stream_teacher(Teacher("gpt-4.1", "teacher"), MESSAGES, SAMPLING)


def test_whom_the_newest_job_asked_is_asked_by_default(tmp_path: Path) -> None:
    assert last_used(tmp_path / "jobs") == Teacher()
    create(tmp_path / "jobs", "train", {"plan": {"model": "no teacher"}}, title="a run")
    plans = {}
    for model in ("one", "other"):
        asked = {"model": model, "base_url": "http://127.0.0.1:1/v1"}
        plans[create(tmp_path / "jobs", "teacher", {"plan": asked}, title="t").id] = model
    assert last_used(tmp_path / "jobs") == Teacher(plans[max(plans)], "http://127.0.0.1:1/v1")
