"""When nothing more is sent: an endpoint out of reach or at its limit, a stop, too many questions at once."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.teacher.asking.patience import Patience
from core.teacher.exchange import Answer, PausedError, Question
from tests.core.teacher.asking.askers import Make, MakeAsker, ask, column
from tests.core.teacher.asking.scripted_replies import Reply, Seen, answer, error, quota
from tests.core.teacher.asking.scripted_server import Limit, ScriptedServer


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
