"""The job kind `teacher`: samples of a plan, one line each in output/samples.jsonl as they are done.

Never opens the database. A resumed job leaves out what is done and asks the rest the same questions; where answers come from is
`open_ask`'s business, and the only thing here that knows of it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.golang.helper import prepare
from core.golang.toolchain import find
from core.jobs.worker import WorkerContext
from core.teacher import hygiene, recipes, results, seeds
from core.teacher.asking.asker import Asker
from core.teacher.asking.batches import BatchAsker
from core.teacher.asking.budget import Budget
from core.teacher.asking.prices import load_prices
from core.teacher.drawing import Draw, draws
from core.teacher.exchange import Ask, PausedError
from core.teacher.flow import Bench, make
from core.teacher.plan import TeacherPlan, plan_from
from core.teacher.proving import proving
from core.teacher.results import Outcome
from core.teacher.starting import KNOWN, RECIPE

OpenAsk = Callable[[TeacherPlan, WorkerContext], AbstractAsyncContextManager[Ask]]
LEDGER = "ledger.db"
EVERY = 0.5
"""Seconds between two events about where the job stands."""
_LOOK = 0.2
_MOST_AT_ONCE = 5_000


def open_ask(plan: TeacherPlan, context: WorkerContext) -> AbstractAsyncContextManager[Ask]:
    """Where the answers of a job come from, for as long as the block lasts: its endpoint, and the ledger in its folder."""
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


def main(context: WorkerContext) -> None:
    """Make the samples of the plan in the job's request.

    Events: message, progress, and `teacher` with counts by result, tokens and dollars so far. Budget spent, quota used up and a network
    that is gone end the job as stopped, with the sentence; resuming goes on. Raises UserError for what a user can mend.
    """
    run(context, open_ask)


def run(context: WorkerContext, source: OpenAsk) -> None:
    """`main` with answers from elsewhere."""
    asyncio.run(_run(context, source))


@dataclass(slots=True)
class _Tally:
    """Where the job stands."""

    requested: int
    results: Counter[str] = field(default_factory=Counter)
    fixes: int = 0
    asked: int = 0
    prompt: int = 0
    completion: int = 0
    cost: Decimal | None = None
    told: float = 0.0

    def add(self, done: Outcome) -> None:
        self.results[done.result] += 1
        self.fixes += sum(one.kind == "fix" for one in done.made)
        self.asked += len(done.exchanges)
        self.prompt += done.usage.prompt
        self.completion += done.usage.completion
        if done.cost is not None:
            self.cost = (self.cost or Decimal(0)) + done.cost

    @property
    def done(self) -> int:
        return self.results.total()

    def tell(self, context: WorkerContext, *, last: bool = False) -> None:
        """An event, not more often than people can read."""
        now = time.monotonic()
        context.progress(self.done, self.requested)
        if last or now - self.told >= EVERY:
            self.told = now
            context.event("teacher", **self.fields())

    def fields(self) -> dict[str, Any]:
        return {
            "requested": self.requested, "done": self.done, **{name: self.results[name] for name in results.RESULTS},
            "fixes": self.fixes, "asked": self.asked, "prompt_tokens": self.prompt, "completion_tokens": self.completion,
            "cost_usd": None if self.cost is None else float(self.cost),
        }  # fmt: skip


async def _run(context: WorkerContext, source: OpenAsk) -> None:
    request, folder = context.request, context.folder
    plan = plan_from(request["plan"])
    recipe = recipes.load(folder.path / RECIPE, name=request["recipe"]["name"])
    toolchain = find()
    prepare(toolchain, say=context.message, progress=context.progress)
    tree = Path(plan.seeds.folder) if plan.seeds.folder else None
    if recipe.file.source not in ("none", "sample") and not (folder.path / seeds.FILE).is_file():
        context.message("Looking for Go code to start from")
    pool = seeds.pool(recipe.file, folder.path / seeds.FILE, tree, toolchain)
    assert plan.seed is not None
    drawn = list(draws(recipe.file, plan.seed, plan.samples, plan.quotas, pool))
    if len(drawn) < plan.samples:
        context.message(f"Quotas allow {len(drawn):,} of {plan.samples:,} samples.")
    if (wanted := request.get("numbers")) is not None:
        drawn = [drawn[number] for number in wanted if number < len(drawn)]
    known = hygiene.read_known(folder.path / KNOWN)
    output = folder.output / results.FILE
    results.cut(output)
    tally, finished = _Tally(len(drawn)), set()
    for done in results.each(output):
        tally.add(done)
        finished.add(done.number)
        _remember(known, done)
    tally.tell(context, last=True)
    waiting = iter([draw for draw in drawn if draw.number not in finished])
    paused: PausedError | None = None
    with output.open("ab", buffering=0) as file:
        async with proving(toolchain, context.should_stop) as prover, source(plan, context) as ask:
            bench = Bench(plan, recipe, ask, prover, known, ".".join(request["go"].split(".")[:2]))
            at_once = _MOST_AT_ONCE if plan.transport == "batch" else 2 * plan.concurrency + 8

            def keep(done: Outcome) -> None:
                line = results.to_line(done)
                if file.write(line) != len(line):
                    raise OSError(28, os.strerror(28))
                tally.add(done)
                tally.tell(context)

            paused = await _all(waiting, bench, at_once, keep, context.should_stop)
    tally.tell(context, last=True)
    if paused is not None and not context.should_stop():
        context.pause(str(paused), "Resume it to go on where it was; nothing that was answered is asked again.")


def _remember(known: hygiene.Hygiene, done: Outcome) -> None:
    """What an earlier attempt of this job has made is known to this one."""
    if done.task and done.made:
        known.tasks.add(hygiene.task_key(done.number), done.task)
        code = next((results.code_of(one) for one in done.made if one.kind == "sample"), "")
        if code:
            known.codes.add(hygiene.task_key(done.number), code)


async def _all(
    waiting: Iterator[Draw],
    bench: Bench,
    at_once: int,
    keep: Callable[[Outcome], None],
    should_stop: Callable[[], bool],
) -> PausedError | None:
    """Make all samples, so many at once; returns what paused them. Leaves no task behind."""
    under_way: set[asyncio.Task[Outcome]] = set()
    paused: PausedError | None = None
    try:
        while True:
            while paused is None and len(under_way) < at_once and (draw := next(waiting, None)) is not None:
                under_way.add(asyncio.create_task(make(draw, bench)))
            if not under_way or should_stop():
                return paused
            done, under_way = await asyncio.wait(under_way, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                try:
                    keep(task.result())
                except PausedError as pause:
                    paused = paused or pause
                except asyncio.CancelledError:  # Go was at work for it when somebody asked to stop
                    continue
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
