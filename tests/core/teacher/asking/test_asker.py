"""A question goes out once, whatever happens, and its answer is there for ever."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import UserError
from core.teacher.asking.asker import Asker
from core.teacher.asking.ledger import Ledger
from core.teacher.asking.patience import Patience
from core.teacher.exchange import Answer, AskFailedError, PausedError, Question
from tests.core.teacher.asking.asking_child import QUICK
from tests.core.teacher.asking.scripted_replies import Reply, Seen, answer, error, quota, streamed
from tests.core.teacher.asking.scripted_server import Limit, ScriptedServer

Make = Callable[..., Question]
MakeAsker = Callable[..., Asker]


def ask(asker: Asker, *questions: Question) -> list[Answer | BaseException]:
    """All of them at once; what came of each."""

    async def run() -> list[Answer | BaseException]:
        async with asker:
            return await asyncio.gather(*(asker(question) for question in questions), return_exceptions=True)

    return asyncio.run(run())


def first(*replies: Reply) -> Callable[[Seen], Reply]:
    """These replies in order, then answers."""
    return lambda seen: replies[seen.order - 1] if seen.order <= len(replies) else answer()


def attempts(path: Path, question: Question) -> list[tuple[str | None, int]]:
    """Outcome and status of each sending."""
    with closing(Ledger(path / "output" / "ledger.db")) as ledger:
        return [(one.outcome, one.status) for one in ledger.attempts(question.key)]


def column(path: Path, name: str) -> list[object]:
    with closing(Ledger(path / "output" / "ledger.db")) as ledger:
        return [row[0] for row in ledger.connection.execute(f"SELECT {name} FROM attempt ORDER BY id")]


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
    ("reply", "words"),
    [
        (quota(), "no quota left"),
        (error(401, "Incorrect API key provided."), "refused the key"),
        (error(403, "Not your model."), "does not allow"),
        (error(404, "The model does not exist.", code="model_not_found"), "no model gpt-4.1"),
        (error(402, "Payment required."), "payment"),
        (error(429, "Wait.", headers={"retry-after": "7200"}), "2.0 hours"),
    ],
)
def test_what_only_a_person_can_mend_pauses_everything_with_a_sentence(
    reply: Reply, words: str, server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    said: list[str] = []
    server.script = lambda seen: reply
    got = ask(asker(say=said.append), *(ask_for(f"thing {n}") for n in range(20)))
    assert all(isinstance(one, PausedError) and words in str(one) for one in got)
    assert len(server.seen) <= 2, "nothing more is sent"
    assert any(words in one for one in said)
    server.script = lambda seen: answer()
    assert all(isinstance(one, Answer) for one in ask(asker(), *(ask_for(f"thing {n}") for n in range(20))))


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


def test_an_endpoint_out_of_reach_pauses_with_a_sentence_and_goes_on_later(ask_for: Make, asker: MakeAsker) -> None:
    with ScriptedServer() as server:
        pass  # its port is free now
    question = Question(server.url, "gpt-4.1", ({"role": "user", "content": "x"},), {"max_tokens": 5})
    got = ask(asker(), question)
    assert isinstance(got[0], PausedError)
    assert f"{server.url} cannot be reached" in str(got[0])
    again = ScriptedServer()
    again.port = server.port
    with again:
        assert isinstance(ask(asker(), question)[0], Answer)


def test_an_endpoint_that_comes_back_in_time_is_waited_for(asker: MakeAsker) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there yet
        port = taken.getsockname()[1]
    questions = [
        Question(f"http://127.0.0.1:{port}/v1", "gpt-4.1", ({"role": "user", "content": str(n)},), {}) for n in range(8)
    ]
    server = ScriptedServer()
    server.port = port

    async def run() -> Sequence[Answer]:
        async with asker(patience=Patience(first_wait=0.05, outage=20)) as asking:
            waiting = [asyncio.create_task(asking(one)) for one in questions]
            while (await asking.totals()).attempts < 2:
                await asyncio.sleep(0.01)
            with server:
                return await asyncio.gather(*waiting)

    assert len(asyncio.run(run())) == 8


def test_a_stop_sends_nothing_new_and_lets_what_is_under_way_end(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: answer(delay=0.3)
    asking = asker(concurrency=2, patience=Patience(grace=5), should_stop=lambda: len(server.seen) >= 2)
    got = ask(asking, *(ask_for(f"thing {n}") for n in range(10)))
    assert sum(isinstance(one, Answer) for one in got) == len(server.seen) < 10
    assert all(isinstance(one, Answer) or "Stopped" in str(one) for one in got)
    assert column(tmp_path, "outcome") == ["answered"] * len(server.seen)


def test_after_the_grace_time_it_is_cut_off_and_noted_as_possibly_billed(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: Reply(silent=True)
    began = time.monotonic()
    got = ask(asker(should_stop=lambda: len(server.seen) >= 1), ask_for())
    assert isinstance(got[0], PausedError)
    assert time.monotonic() - began < 10
    assert column(tmp_path, "outcome") == ["interrupted"]
    assert column(tmp_path, "possibly_billed") == [1]


def test_a_caller_that_leaves_does_not_lose_what_is_paid_for(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: answer(delay=0.2)

    async def run() -> None:
        async with asker(patience=Patience(grace=5)) as asking:
            task = asyncio.create_task(asking(ask_for()))
            while not server.seen:
                await asyncio.sleep(0.01)
            task.cancel()

    asyncio.run(run())
    assert column(tmp_path, "outcome") == ["answered"]


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


def test_no_more_are_under_way_than_allowed(server: ScriptedServer, ask_for: Make, asker: MakeAsker) -> None:
    server.script = lambda seen: answer(delay=0.1)
    got = ask(asker(concurrency=5), *(ask_for(f"thing {n}") for n in range(40)))
    assert all(isinstance(one, Answer) for one in got)
    assert 2 < server.most_at_once <= 5


@pytest.mark.parametrize("bucket", [True, False], ids=["refilled all the time", "refilled at once"])
def test_a_declared_limit_is_used_without_one_avoidable_refusal(
    bucket: bool, server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    server.limit = Limit(100, window=1.0, bucket=bucket)
    server.script = lambda seen: answer(delay=0.02)
    began = time.monotonic()
    got = ask(asker(concurrency=32), *(ask_for(f"thing {n}") for n in range(250)))
    took = time.monotonic() - began
    assert all(isinstance(one, Answer) for one in got)
    assert server.limited == 0
    assert took < 10, "three windows, and room for a busy machine; the benchmark measures"


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


def test_two_models_of_an_endpoint_have_a_limit_each(server: ScriptedServer, ask_for: Make, asker: MakeAsker) -> None:
    def told(seen: Seen) -> Reply:
        small = seen.json["model"] == "gpt-4.1-mini"
        left = {
            "x-ratelimit-limit-requests": "100",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "1h",
        }
        return answer(headers=left if small else {})

    server.script = told

    async def run() -> None:
        async with asker() as asking:
            await asking(ask_for("a", "gpt-4.1-mini"))
            await asyncio.gather(*(asking(ask_for(f"thing {n}")) for n in range(5)))
            with pytest.raises(PausedError, match="nothing left for 60 minutes"):
                await asking(ask_for("b", "gpt-4.1-mini"))

    asyncio.run(run())
    assert len(server.seen) == 6
