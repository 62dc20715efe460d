"""Questions in batches: half the price, within a day, never paid for twice, whatever is killed when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.teacher.asking.asker import Asker
from core.teacher.asking.batches import BatchAsker
from core.teacher.asking.budget import Budget
from core.teacher.asking.ledger import Ledger
from core.teacher.asking.patience import Tempo
from core.teacher.exchange import Answer, AskFailedError, PausedError, Question
from tests.core.teacher.asking.askers import ask
from tests.core.teacher.asking.asking_child import PRICES
from tests.core.teacher.asking.scripted_batches import reply
from tests.core.teacher.asking.scripted_replies import Reply, Seen, answer, error, quota
from tests.core.teacher.asking.scripted_server import ScriptedServer

Make = Callable[..., Question]
MakeBatches = Callable[..., BatchAsker]
QUICK = Tempo(linger=0.05, poll=0.01, first_wait=0.01, outage=0.5, grace=2.0, transfer=5.0)


@pytest.fixture
def batches(tmp_path: Path) -> MakeBatches:
    """`batches(budget=…)`: batches on this test's ledger."""

    def make(**options: Any) -> BatchAsker:
        return BatchAsker(tmp_path / "output" / "ledger.db", PRICES, **{"tempo": QUICK, **options})

    return make


def text(question: Question) -> str:
    return question.messages[-1]["content"]


def leave_with_an_open_batch(server: ScriptedServer, batches: MakeBatches, question: Question) -> None:
    """Ask, and be gone once the batch is looked at: the endpoint has not worked it off, and the ledger holds its id."""
    server.batch_script.ended = False

    async def leave() -> None:
        async with batches() as asking:
            task = asyncio.create_task(asking(question))
            while not server.batch_script.watched:
                await asyncio.sleep(0.01)
            task.cancel()

    asyncio.run(leave())


def test_a_batch_goes_and_comes_back_for_half_the_price(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    questions = [ask_for(f"thing {n}") for n in range(7)]
    server.batch_script.replies = {text(one): answer(f"package p{n}") for n, one in enumerate(questions)}
    got = ask(batches(), *questions)
    assert [one.text for one in got if isinstance(one, Answer)] == [f"package p{n}" for n in range(7)]
    assert {one.cost_usd for one in got if isinstance(one, Answer)} == {Decimal("0.0003")}
    assert server.batch_script.created == 1
    (name, content) = server.files["file-1"]
    lines = [json.loads(line) for line in content.splitlines()]
    assert {line["custom_id"] for line in lines} == {one.key for one in questions}
    assert all(len(line["custom_id"]) == 64 and line["url"] == "/v1/chat/completions" for line in lines)
    assert name.endswith(".jsonl")


def test_what_is_stored_is_not_asked_again_by_either_way(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches, asker: Callable[..., Asker]
) -> None:
    before = ask(batches(), ask_for())
    assert ask(batches(), ask_for()) == before == ask(asker(), ask_for())
    assert (server.batch_script.created, server.seen) == (1, [])


def test_files_hold_no_more_than_they_may(server: ScriptedServer, ask_for: Make, batches: MakeBatches) -> None:
    got = ask(
        batches(tempo=Tempo(linger=0.05, poll=0.01, most_requests=4)), *(ask_for(f"thing {n}") for n in range(10))
    )
    assert all(isinstance(one, Answer) for one in got)
    sizes = sorted(content.count(b"\n") for name, content in server.files.values() if name.endswith(".jsonl"))
    assert sizes == [2, 4, 4]


def test_files_are_no_longer_than_they_may(server: ScriptedServer, ask_for: Make, batches: MakeBatches) -> None:
    got = ask(
        batches(tempo=Tempo(linger=0.05, poll=0.01, most_bytes=1000)), *(ask_for(f"thing {n}") for n in range(10))
    )
    assert all(isinstance(one, Answer) for one in got)
    uploaded = [content for name, content in server.files.values() if name.endswith(".jsonl")]
    assert all(len(content) <= 1000 for content in uploaded)
    assert len(uploaded) > 1


def test_one_model_a_batch(server: ScriptedServer, ask_for: Make, batches: MakeBatches) -> None:
    ask(batches(), ask_for(model="gpt-4.1"), ask_for(model="gpt-4.1-mini"))
    assert server.batch_script.created == 2


def test_a_batch_that_expires_gives_what_it_has_and_the_rest_goes_again(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    server.batch_script.end, server.batch_script.done = "expired", 0.5
    got = ask(batches(tempo=Tempo(linger=0.05, poll=0.01, rounds=9)), *(ask_for(f"thing {n}") for n in range(8)))
    assert all(isinstance(one, Answer) for one in got)
    assert set(server.batch_script.executed.values()) == {1}


def test_a_question_that_no_batch_answers_is_given_up(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    server.batch_script.replies = {text(ask_for("bad luck")): error(500, "Boom.")}
    got = ask(batches(), ask_for("bad luck"), ask_for())
    assert isinstance(got[0], AskFailedError)
    assert "3 batches" in str(got[0])
    assert isinstance(got[1], Answer)


def test_a_question_that_is_refused_in_the_errors_file_is_refused_for_ever(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    server.batch_script.replies = {text(ask_for()): error(400, "Too many.", code="context_length_exceeded")}
    for _ in range(2):
        (got,) = ask(batches(), ask_for())
        assert isinstance(got, AskFailedError)
        assert "too long" in str(got)
    assert server.batch_script.created == 1


def test_a_batch_that_is_not_accepted_pauses_with_the_endpoint_s_words(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    server.batch_script.end, server.batch_script.refusal = "failed", "Enqueued token limit reached."
    (got,) = ask(batches(), ask_for())
    assert isinstance(got, PausedError)
    assert "Enqueued token limit reached." in str(got)
    server.batch_script.end = "completed"
    assert isinstance(ask(batches(), ask_for())[0], Answer)


def test_an_empty_account_and_an_endpoint_without_batches_pause(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    for refusal, words in (
        (quota(), "no quota"),
        (Reply(404, b"Not Found"), "no batches at all"),
        (error(401), "refused the key"),
    ):
        server.other = lambda running, seen, refusal=refusal: refusal  # type: ignore[misc]
        (got,) = ask(batches(), ask_for())
        assert isinstance(got, PausedError)
        assert words in str(got)


def test_trouble_on_the_way_is_tried_again(server: ScriptedServer, ask_for: Make, batches: MakeBatches) -> None:
    troubles: dict[str, list[Reply]] = {}

    def trouble(running: ScriptedServer, seen: Seen) -> Reply | None:
        kind = f"{seen.method} {seen.path.partition('?')[0]}"
        left = troubles.setdefault(kind, [error(500), Reply(cut=-1), error(429, headers={"retry-after-ms": "5"})])
        return left.pop() if left else None

    server.other = trouble
    (got,) = ask(batches(), ask_for())
    assert isinstance(got, Answer)
    assert {len(left) for left in troubles.values()} == {0}
    assert set(server.batch_script.executed.values()) == {1}


def test_an_answer_about_a_batch_that_was_lost_on_the_way_creates_no_second_one(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    lost: list[str] = []

    def lose(running: ScriptedServer, seen: Seen) -> Reply | None:
        if seen.method == "POST" and seen.path == "/batches" and not lost:
            lost.append(reply(running, seen).body.decode())
            return Reply(cut=-1)
        return None

    for n in range(3):  # others on the list, newer and older
        server.batches[f"batch_other{n}"] = {
            "id": f"batch_other{n}",
            "metadata": None,
            "input_file_id": "file-x",
            "status": "completed",
        }
    server.other = lose
    (got,) = ask(batches(), ask_for())
    assert isinstance(got, Answer)
    assert server.batch_script.created == 1
    assert server.batch_script.listed >= 1


def test_a_stop_cancels_and_takes_what_is_there(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches, tmp_path: Path
) -> None:
    server.batch_script.ended, server.batch_script.done = False, 0.5
    got = ask(batches(should_stop=lambda: bool(server.batches)), *(ask_for(f"thing {n}") for n in range(8)))
    assert sum(isinstance(one, Answer) for one in got) == 4
    assert sum(isinstance(one, PausedError) and "Stopped" in str(one) for one in got) == 4
    server.batch_script.ended, server.batch_script.done = True, 1.0
    assert all(isinstance(one, Answer) for one in ask(batches(), *(ask_for(f"thing {n}") for n in range(8))))
    assert set(server.batch_script.executed.values()) == {1}


def test_a_budget_holds_over_many_batches(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches, tmp_path: Path
) -> None:
    budget = Budget(usd=Decimal("0.01"))
    got = ask(batches(budget=budget), *(ask_for(f"thing {n}") for n in range(60)))
    answered = [one for one in got if isinstance(one, Answer)]
    assert 0 < len(answered) < 60
    assert all(isinstance(one, Answer) or "budget of $0.01 is used up" in str(one) for one in got)
    with closing(Ledger(tmp_path / "output" / "ledger.db")) as ledger:
        assert ledger.totals().spent_usd <= Decimal("0.01")
    assert len(answered) >= 25, "what a batch did not use is used by the next"


def test_a_question_in_an_open_batch_is_not_asked_the_other_way(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches, asker: Callable[..., Asker]
) -> None:
    leave_with_an_open_batch(server, batches, ask_for())
    (got,) = ask(asker(), ask_for())
    assert isinstance(got, PausedError)
    assert "batch" in str(got)
    server.batch_script.ended = True
    assert isinstance(ask(batches(), ask_for())[0], Answer), "whoever resumes takes the open batch up"
    assert server.batch_script.created == 1


def test_an_open_batch_at_an_endpoint_out_of_reach_pauses_and_is_taken_up_later(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches, tmp_path: Path
) -> None:
    leave_with_an_open_batch(server, batches, ask_for())
    server.batch_script.ended = True
    server.other = lambda running, seen: error(500)
    impatient = Tempo(linger=0.05, poll=0.01, first_wait=0.01, attempts=2)
    (got,) = ask(batches(tempo=impatient), ask_for())
    assert isinstance(got, PausedError)
    assert "does not answer for its batches" in str(got)
    server.other = lambda running, seen: None
    assert isinstance(ask(batches(), ask_for())[0], Answer)
    assert server.batch_script.created == 1


def test_a_batch_that_its_endpoint_no_longer_knows_pauses_with_a_way_out_and_is_not_paid_for_again(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    leave_with_an_open_batch(server, batches, ask_for())
    hidden = dict(server.batches)
    server.batches.clear()
    for _ in range(2):
        (got,) = ask(batches(), ask_for())
        assert isinstance(got, PausedError)
        assert "does not know the batch batch_1" in str(got)
    server.batches.update(hidden)  # the key that made it
    server.batch_script.ended = True
    assert isinstance(ask(batches(), ask_for())[0], Answer)
    assert server.batch_script.created == 1


def test_a_file_that_is_refused_frees_its_questions(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    server.other = lambda running, seen: (
        error(400, "Bad file.") if (seen.method, seen.path) == ("POST", "/batches") else None
    )
    (got,) = ask(batches(), ask_for())
    assert isinstance(got, PausedError)
    assert "Bad file." in str(got)
    server.other = lambda running, seen: None
    assert isinstance(ask(batches(), ask_for())[0], Answer)


def test_what_breaks_while_asking_reaches_whoever_asks(
    server: ScriptedServer, ask_for: Make, batches: MakeBatches
) -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    async def run() -> None:
        async with batches(should_stop=broken) as asking:
            await asyncio.sleep(0)
            with pytest.raises(ZeroDivisionError):
                await asking(ask_for())

    asyncio.run(run())
