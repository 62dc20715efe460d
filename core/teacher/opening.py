"""Where the answers of a job come from: its endpoint, and the ledger in its folder. The one place that puts terms and `asking` together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

from core.jobs.worker import WorkerContext
from core.teacher.asking.asker import Asker
from core.teacher.asking.batches import BatchAsker
from core.teacher.asking.budget import Budget
from core.teacher.asking.prices import load_prices
from core.teacher.exchange import Ask
from core.teacher.terms import Terms

OpenAsk = Callable[[Any, WorkerContext], AbstractAsyncContextManager[Ask]]
"""From a plan and the context of its worker to an `Ask` for as long as the block lasts."""
LEDGER = "ledger.db"


def open_ask(plan: Terms, context: WorkerContext) -> AbstractAsyncContextManager[Ask]:
    """The endpoint of a plan, asked within its budget; what the ledger holds is not asked again."""
    ledger = context.folder.output / LEDGER
    prices = load_prices(context.folder.path.parent.parent)
    dollars = None if plan.budget_usd is None else Decimal(str(plan.budget_usd))
    budget = Budget(dollars, plan.budget_tokens)
    if plan.transport == "batch":
        return BatchAsker(ledger, prices, budget=budget, should_stop=context.should_stop, say=context.message)
    return Asker(
        ledger,
        prices,
        budget=budget,
        concurrency=plan.concurrency,
        should_stop=context.should_stop,
        say=context.message,
    )
