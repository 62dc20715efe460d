"""A question goes out once, whatever happens, and its answer is there for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from core.teacher.asking import Asker
from core.teacher.exchange import Answer, Question
from tests.core.teacher.scripted_server import ScriptedServer, answer

Make = Callable[..., Question]
MakeAsker = Callable[..., Asker]


def ask(asker: Asker, *questions: Question) -> list[Answer | BaseException]:
    """All of them at once; what came of each."""

    async def run() -> list[Answer | BaseException]:
        async with asker:
            return await asyncio.gather(*(asker(question) for question in questions), return_exceptions=True)

    return asyncio.run(run())


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


def test_what_was_answered_is_never_asked_again(server: ScriptedServer, ask_for: Make, asker: MakeAsker) -> None:
    first = ask(asker(), ask_for())
    assert ask(asker(), ask_for()) == first
    assert len(server.seen) == 1


def test_who_asks_the_same_at_the_same_time_shares_the_answer(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    got = ask(asker(), *[ask_for()] * 5, ask_for(index=1))
    assert len(server.seen) == 2
    assert all(isinstance(one, Answer) for one in got)
