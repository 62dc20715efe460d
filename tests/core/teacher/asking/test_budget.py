"""No budget is ever overspent, whatever is under way, fails, or may have been billed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.teacher.asking.asker import Asker
from core.teacher.asking.budget import Bound, Budget, Spending, bound
from core.teacher.asking.ledger import Ledger
from core.teacher.asking.patience import Patience
from core.teacher.asking.prices import PriceTable
from core.teacher.exchange import Answer, PausedError, Question
from tests.core.teacher.asking.asking_child import PRICES
from tests.core.teacher.asking.scripted_replies import Reply, answer, error
from tests.core.teacher.asking.scripted_server import ScriptedServer

Make = Callable[..., Question]
MakeAsker = Callable[..., Asker]
DAY = date(2026, 1, 1)


def ask(asker: Asker, *questions: Question) -> list[Answer | BaseException]:
    async def run() -> list[Answer | BaseException]:
        async with asker:
            return await asyncio.gather(*(asker(question) for question in questions), return_exceptions=True)

    return asyncio.run(run())


@pytest.mark.parametrize("budget", [Budget(usd=Decimal("0.02")), Budget(tokens=8000), Budget(Decimal("0.02"), 8000)])
def test_sixty_four_at_once_stay_within_the_budget(
    budget: Budget, server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    dice = random.Random(5)
    server.script = lambda seen: answer(prompt=dice.randrange(10, 30), completion=dice.randrange(1, 201), delay=0.01)
    got = ask(asker(budget=budget, concurrency=64), *(ask_for(f"thing {n}") for n in range(200)))
    answered = [one for one in got if isinstance(one, Answer)]
    assert 5 <= len(answered) < 200
    assert all(isinstance(one, Answer) or (isinstance(one, PausedError) and "budget" in str(one)) for one in got)
    with closing(Ledger(tmp_path / "output" / "ledger.db")) as ledger:
        totals = ledger.totals()
    assert budget.usd is None or Decimal("0.9") * budget.usd - Decimal("0.004") <= totals.spent_usd <= budget.usd
    assert budget.tokens is None or totals.spent_tokens <= budget.tokens
    assert totals.cost_usd == sum((one.cost_usd or Decimal(0) for one in answered), Decimal(0))


def test_a_budget_is_one_over_all_resumes(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: answer(prompt=20, completion=100)
    questions = [ask_for(f"thing {n}") for n in range(40)]
    for _ in range(3):
        ask(asker(budget=Budget(tokens=2500)), *questions)
    with closing(Ledger(tmp_path / "output" / "ledger.db")) as ledger:
        assert 2000 <= ledger.totals().spent_tokens <= 2500
    assert sum(isinstance(one, Answer) for one in ask(asker(budget=Budget(tokens=10_000)), *questions)) == 40


def test_what_may_have_been_billed_counts_in_full(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: Reply(silent=True)
    most = bound(ask_for(), PRICES, DAY)
    assert most.usd is not None
    assert most.tokens is not None
    patience = Patience(attempts=50, first_wait=0.01, answer=0.05)
    (got,) = ask(asker(budget=Budget(usd=most.usd * 3), patience=patience), ask_for())
    assert isinstance(got, PausedError)
    assert len(server.seen) == 3
    with closing(Ledger(tmp_path / "output" / "ledger.db")) as ledger:
        totals = ledger.totals()
    assert (totals.doubtful, totals.doubtful_usd, totals.doubtful_tokens) == (3, most.usd * 3, most.tokens * 3)
    assert totals.cost_usd == 0


def test_a_failure_that_costs_nothing_takes_nothing_from_the_budget(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    server.script = lambda seen: error(500) if seen.nth < 4 else answer()
    most = bound(ask_for(), PRICES, DAY)
    (got,) = ask(asker(budget=Budget(usd=most.usd)), ask_for())
    assert isinstance(got, Answer)


def test_an_answer_whose_tokens_nobody_counted_counts_in_full(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker, tmp_path: Path
) -> None:
    server.script = lambda seen: Reply(body=answer().body.replace(b'"usage"', b'"used"'))
    (got,) = ask(asker(), ask_for())
    assert isinstance(got, Answer)
    assert got.cost_usd is None
    with closing(Ledger(tmp_path / "output" / "ledger.db")) as ledger:
        totals = ledger.totals()
    assert totals.unpriced == 1
    assert totals.doubtful_usd == bound(ask_for(), PRICES, DAY).usd


def test_a_budget_in_dollars_needs_a_price_and_one_in_tokens_does_not(
    server: ScriptedServer, ask_for: Make, asker: MakeAsker
) -> None:
    server.script = lambda seen: answer(model="qwen")
    (got,) = ask(asker(budget=Budget(usd=Decimal(1))), ask_for(model="qwen"))
    assert isinstance(got, UserError)
    assert "no price for the model qwen" in got.message
    assert "budget in tokens" in got.hint
    assert server.seen == []
    (got,) = ask(asker(budget=Budget(tokens=10_000)), ask_for(model="qwen"))
    assert isinstance(got, Answer)
    assert got.cost_usd is None


def test_a_budget_needs_a_limit_on_the_answer(server: ScriptedServer, ask_for: Make, asker: MakeAsker) -> None:
    (got,) = ask(asker(budget=Budget(tokens=10_000)), ask_for(max_tokens=None))
    assert isinstance(got, UserError)
    assert "max_tokens" in got.hint
    (got,) = ask(asker(), ask_for(max_tokens=None))
    assert isinstance(got, Answer)


def test_the_bound_covers_several_answers_and_half_price(ask_for: Make) -> None:
    one, two = bound(ask_for(), PRICES, DAY), bound(ask_for(n=2), PRICES, DAY)
    half = bound(ask_for(), PRICES, DAY, batch=True)
    assert one.tokens is not None
    assert two.tokens is not None
    assert two.tokens >= one.tokens + 200
    assert one.usd is not None
    assert half.usd == one.usd / 2


@given(st.text(max_size=400), st.integers(1, 5000))
def test_no_prompt_has_more_tokens_than_its_bound(text: str, limit: int) -> None:
    """A token is at least a byte of UTF-8, of whatever the text is made."""
    question = Question("http://x/v1", "gpt-4.1", ({"role": "user", "content": text},), {"max_tokens": limit})
    most = bound(question, PriceTable("", Decimal(1), ()), DAY)
    assert most.tokens is not None
    assert most.tokens >= len(text.encode("utf-8", "surrogatepass")) + limit


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 100), st.booleans()), max_size=60), st.integers(0, 500))
def test_any_order_of_reserving_and_settling_stays_within(steps: list[tuple[int, int, bool]], limit: int) -> None:
    spending = Spending(Budget(Decimal(limit)))
    under_way: list[tuple[Bound, int]] = []
    for most, cost, ends in steps:
        one = Bound(most, Decimal(most), most)
        if spending.fits(one):
            spending.reserve(one)
            under_way.append((one, min(cost, most)))
        if ends and under_way:
            reserved, paid = under_way.pop()
            spending.settle(reserved, Decimal(paid), paid)
        assert spending.usd <= limit
    for reserved, _ in under_way:
        spending.settle(reserved, reserved.usd, 0)
    assert spending.usd <= limit
    assert spending.reserved_usd == 0
