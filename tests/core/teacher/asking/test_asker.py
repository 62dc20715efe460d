"""A question goes out once, whatever happens, and its answer is there for ever."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import UserError
from core.teacher.asking.ledger import Ledger
from core.teacher.asking.patience import Patience
from core.teacher.exchange import Answer, AskFailedError, PausedError
from tests.core.teacher.asking.askers import Make, MakeAsker, ask, attempts, column, first
from tests.core.teacher.asking.asking_child import QUICK
from tests.core.teacher.asking.scripted_replies import Reply, Seen, answer, error, streamed
from tests.core.teacher.asking.scripted_server import Limit, ScriptedServer


def test_an_answer_comes_with_all_that_the_endpoint_said_of_it(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    server.script = lambda seen: answer("func main() {}", prompt=1000, completion=500, cached=200)
    (got,) = ask(asker(), ask_for())
    assert isinstance(got, Answer)
    assert (got.text, got.finish, got.model, got.fingerprint) == (
        "func main() {}",
        "stop",
        "gpt-4.1-2025-04-14",
        "fp_1",
    )
    assert (got.usage.prompt, got.usage.completion, got.usage.cached, got.attempts) == (1000, 500, 200, 1)
    assert got.cost_usd == Decimal("0.0057")  # 800 at $2, 200 at $0.50, 500 at $8 a million
    assert got.prices == "test"


def test_what_is_sent_is_the_question_and_nothing_else(server: ScriptedServer, ask_for: Make, asker: MakeAsker) -> None:
    question = ask_for(temperature=0.7, seed=3, response_format={"type": "json_object"})
    ask(asker(), question)
    assert server.seen[0].json == {
        "model": "gpt-4.1", "messages": [dict(one) for one in question.messages], "max_tokens": 200, "temperature": 0.7, "seed": 3,
        "response_format": {"type": "json_object"},
    }  # fmt: skip


def test_what_was_answered_is_never_asked_again(server: ScriptedServer, ask_for: Make, asker: MakeAsker) -> None:
    before = ask(asker(), ask_for())
    assert ask(asker(), ask_for()) == before
    assert len(server.seen) == 1


def test_who_asks_the_same_at_the_same_time_shares_the_answer(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    got = ask(asker(), *[ask_for()] * 5, ask_for(index=1))
    assert len(server.seen) == 2
    assert all(isinstance(one, Answer) for one in got)


def test_a_question_is_on_the_disk_before_it_is_sent(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    found: list[object] = []

    def look(seen: Seen) -> Reply:
        with closing(Ledger(tmp_path / "output" / "ledger.db", readonly=True)) as ledger:
            entry = ledger.find(question.key)
            assert entry is not None
            assert entry.last is not None
            found.extend([entry.state, entry.last.outcome])
        return answer()

    question = ask_for()
    server.script = look
    ask(asker(), question)
    assert found == ["pending", None]


def test_an_answer_that_nobody_had_time_to_read_is_read_by_the_next(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    question = ask_for()
    (tmp_path / "output").mkdir()
    with closing(Ledger(tmp_path / "output" / "ledger.db")) as ledger:
        attempt = ledger.begin(question, Decimal(1), 1000)
        ledger.receive(attempt, 200, {}, answer("kept").body, 1.5)
    (got,) = ask(asker(), question)
    assert isinstance(got, Answer)
    assert (got.text, got.seconds, got.cost_usd) == ("kept", 1.5, Decimal("0.0006"))
    assert server.seen == []


RETRIED = {
    "limited": [error(429, headers={"retry-after-ms": "5"}), error(429)],
    "error": [
        error(500),
        error(502),
        error(503),
        error(529),
        error(408),
        error(409),
        Reply(503, b"<html>Bad gateway</html>"),
    ],
    "malformed": [Reply(200, b'{"id": "x", "choi'), Reply(200, b""), Reply(200, b"[]"), Reply(200, b'{"choices": []}')],
    "cut": [Reply(200, answer().body, cut=30), Reply(cut=-1), Reply(200, answer().body, cut=0)],
    "timeout": [Reply(silent=True), Reply(200, answer().body, drip=0.02), Reply(200, answer().body, delay=30)],
}


@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name, faults in RETRIED.items() for fault in faults], ids=lambda one: one if isinstance(one, str) else ""
)  # fmt: skip
def test_a_fault_that_may_pass_is_asked_again_and_kept(
    name: str, fault: Reply, server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = first(fault)
    patience = Patience(first_wait=0.01, answer=0.7 if name == "timeout" else 30.0, grace=0.1)
    (got,) = ask(asker(patience=patience), question := ask_for())
    assert isinstance(got, Answer)
    assert got.attempts == 2
    assert [outcome for outcome, _ in attempts(tmp_path, question)] == [name, "answered"]
    assert column(tmp_path, "possibly_billed") == [int(name in ("malformed", "cut", "timeout")), 0]


def test_what_came_before_a_cut_is_kept(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = first(Reply(200, answer().body, cut=30))
    ask(asker(), question := ask_for())
    with closing(Ledger(tmp_path / "output" / "ledger.db")) as ledger:
        assert next(ledger.attempts(question.key)).raw == answer().body[:30]


def test_a_question_that_always_fails_is_given_up_and_asked_again_by_whoever_resumes(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    server.script = lambda seen: error(500, "Boom.")
    (got,) = ask(asker(), ask_for())
    assert isinstance(got, AskFailedError)
    assert "6 times" in str(got)
    assert "Boom." in str(got)
    assert len(server.seen) == 6
    server.script = lambda seen: answer()
    (again,) = ask(asker(), ask_for())
    assert isinstance(again, Answer)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error(400, "Maximum context length is 128000.", code="context_length_exceeded"), "too long"),
        (error(400, "max_tokens is too large."), "max_tokens is too large"),
        (error(422, "Bad."), "refused the question"),
        (error(400, "The prompt was filtered.", code="content_filter"), "filter"),
        (error(413, "Too big."), "too long"),
    ],
)
def test_a_question_that_is_refused_is_not_asked_again_ever(
    reply: Reply, words: str, server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    server.script = first(reply)
    for _ in range(2):
        got, other = ask(asker(concurrency=1), ask_for(), ask_for("a queue"))
        assert isinstance(got, AskFailedError)
        assert words in str(got)
        assert isinstance(other, Answer), "the others go on"
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("reply", "finish", "text", "refusal"),
    [
        (answer(refusal="I cannot."), "refusal", "", "I cannot."),
        (answer("func ma", finish="length"), "length", "func ma", ""),
        (answer("func", finish="content_filter"), "filter", "func", ""),
        (answer("", finish="length"), "length", "", ""),
    ],
)
def test_refusals_and_cut_answers_are_answers(
    reply: Reply, finish: str, text: str, refusal: str, server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    server.script = lambda seen: reply
    for _ in range(2):
        (got,) = ask(asker(), ask_for())
        assert isinstance(got, Answer)
        assert (got.finish, got.text, got.refusal) == (finish, text, refusal)
    assert len(server.seen) == 1


def test_another_model_s_answer_is_kept_and_noted(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: answer(model="gpt-3.5-turbo")
    (got,) = ask(asker(), ask_for())
    assert isinstance(got, Answer)
    assert got.model == "gpt-3.5-turbo"
    assert column(tmp_path, "words") == ["gpt-3.5-turbo answered in place of gpt-4.1."]


def test_a_stream_is_read_to_its_end_as_one_answer(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: streamed("package main\n\nfunc\u2028 main() {}\n")
    (got,) = ask(asker(stream=True), ask_for())
    assert isinstance(got, Answer)
    assert got.text == "package main\n\nfunc\u2028 main() {}\n"
    assert (got.usage.prompt, got.usage.completion, got.cost_usd) == (100, 50, Decimal("0.0006"))
    assert server.seen[0].json["stream_options"] == {"include_usage": True}
    assert ask(asker(), ask_for())[0] == got, "and again from what is stored, asked with or without a stream"


@pytest.mark.parametrize(
    ("fault", "name"), [(streamed(cut_after=1), "cut"), (streamed(error="Overloaded."), "error")], ids=["cut", "error"]
)
def test_a_stream_that_breaks_off_is_asked_again(
    fault: Reply, name: str, server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: fault if seen.order == 1 else streamed()
    (got,) = ask(asker(stream=True), question := ask_for())
    assert isinstance(got, Answer)
    assert [outcome for outcome, _ in attempts(tmp_path, question)] == [name, "answered"]


def test_no_questions_at_once_is_refused(asker: MakeAsker) -> None:
    with pytest.raises(UserError, match="none"):
        asker(concurrency=0)


def test_two_processes_never_write_one_ledger(asker: MakeAsker, ask_for: Make) -> None:
    async def run() -> None:
        async with asker():
            with pytest.raises(UserError, match="another process"):
                await asker().__aenter__()

    asyncio.run(run())


def test_headers_about_limits_and_the_raw_body_are_kept_for_audits(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.limit = Limit(100)
    ask(asker(patience=QUICK), question := ask_for())
    with closing(Ledger(tmp_path / "output" / "ledger.db", readonly=True)) as ledger:
        (one,) = ledger.attempts(question.key)
        assert one.headers["x-ratelimit-limit-requests"] == "100"
        assert one.headers["x-request-id"] == "req_1"
        assert json.loads(one.raw)["choices"][0]["message"]["content"] == "package main\n"
        assert ledger.question(question.key) == question


def test_what_breaks_while_asking_reaches_whoever_asks(server: ScriptedServer, ask_for: Make, asker: MakeAsker) -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    async def run() -> None:
        async with asker(should_stop=broken) as asking:
            await asyncio.sleep(0)
            with pytest.raises((ZeroDivisionError, PausedError)):
                await asking(ask_for())

    asyncio.run(run())
    assert server.seen == []


def test_a_ledger_that_cannot_be_written_stops_everything_before_anything_is_sent(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise UserError("The disk is full.")

    monkeypatch.setattr(Ledger, "begin", full)
    got = ask(asker(), *(ask_for(f"thing {n}") for n in range(5)))
    assert all(isinstance(one, UserError) for one in got)
    assert server.seen == []


def test_an_answer_that_cannot_be_noted_is_read_from_its_raw_body_later(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise UserError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "settle", full)
        got = ask(asker(concurrency=1), *(ask_for(f"thing {n}") for n in range(5)))
    assert any(isinstance(one, UserError) for one in got), "nothing more is sent"
    sent = len(server.seen)
    assert sent < 5
    again = ask(asker(), *(ask_for(f"thing {n}") for n in range(5)))
    assert all(isinstance(one, Answer) for one in again)
    assert len(server.seen) == 5
    assert max(server.counts.values()) == 1
