"""The job kind `teacher`: samples of a plan, one line each in output/samples.jsonl as they are done.

Never opens the database. A resumed job leaves out what is done and asks the rest the same questions; where answers come from is
`opening`'s business.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.golang.helper import prepare
from core.golang.toolchain import find
from core.jobs.worker import WorkerContext
from core.teacher import hygiene, recipes, results, seeds
from core.teacher.drawing import draws
from core.teacher.flow import Bench, make
from core.teacher.opening import OpenAsk, open_ask
from core.teacher.plan import plan_from
from core.teacher.proving import proving
from core.teacher.results import Outcome
from core.teacher.starting import KNOWN, RECIPE
from core.teacher.working import Tally, append, pause, work_through


def main(context: WorkerContext) -> None:
    """Make the samples of the plan in the job's request.

    Events: message, progress, and `teacher` with counts by result, tokens and dollars so far. Budget spent, quota used up and a network
    that is gone end the job as stopped, with the sentence; resuming goes on. Raises UserError for what a user can mend.
    """
    run(context, open_ask)


def run(context: WorkerContext, source: OpenAsk) -> None:
    """`main` with answers from elsewhere."""
    asyncio.run(_run(context, source))


def _add(tally: Tally, done: Outcome) -> None:
    tally.add(done.exchanges, **{done.result: 1}, fixes=sum(one.kind == "fix" for one in done.made))


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
    drawn = list(draws(recipe.file, plan.seed, plan.samples, plan.quotas, pool, plan.shares))
    if len(drawn) < plan.samples:
        context.message(f"Quotas allow {len(drawn):,} of {plan.samples:,} samples.")
    if (wanted := request.get("numbers")) is not None:
        drawn = [drawn[number] for number in wanted if number < len(drawn)]
    known = hygiene.read_known(folder.path / KNOWN)
    output = folder.output / results.FILE
    results.cut(output)
    tally, finished = Tally("teacher", len(drawn), (*results.RESULTS, "fixes")), set()
    for done in results.each(output):
        _add(tally, done)
        finished.add(done.number)
        _remember(known, done)
    tally.tell(context, last=True)
    waiting = iter([draw for draw in drawn if draw.number not in finished])
    with output.open("ab", buffering=0) as file:
        async with proving(toolchain, context.should_stop) as prover, source(plan, context) as ask:
            bench = Bench(plan, recipe, ask, prover, known, ".".join(request["go"].split(".")[:2]))

            def keep(done: Outcome) -> None:
                append(file, results.to_line(done))
                _add(tally, done)
                tally.tell(context)

            paused = await work_through(waiting, lambda draw: make(draw, bench), keep, plan, context.should_stop)
    tally.tell(context, last=True)
    pause(context, paused)


def _remember(known: hygiene.Hygiene, done: Outcome) -> None:
    """What an earlier attempt of this job has made is known to this one."""
    if done.task and done.made:
        known.tasks.add(hygiene.task_key(done.number), done.task)
        code = next((results.code_of(one) for one in done.made if one.kind == "sample"), "")
        if code:
            known.codes.add(hygiene.task_key(done.number), code)
