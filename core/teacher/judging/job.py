"""The job kind `judge`: one judgement of each text in its folder, a line each in output/judgements.jsonl as they are done.

Never opens the database. A resumed job leaves out what is done and asks the rest the same questions, because texts and rubric lie in its folder.
"""

from __future__ import annotations

import asyncio

from core.jobs.worker import WorkerContext
from core.teacher.judging import items, results, rubrics
from core.teacher.judging.flow import Bench, judge
from core.teacher.judging.plan import plan_from
from core.teacher.judging.results import Judged
from core.teacher.judging.starting import KIND, RUBRIC
from core.teacher.opening import OpenAsk, open_ask
from core.teacher.results import cut, to_line
from core.teacher.working import Tally, append, pause, work_through


def main(context: WorkerContext) -> None:
    """Judge the texts that lie in the job's folder.

    Events: message, progress, and `judge` with counts, tokens, dollars and the mean score so far (null before there is one). Budget spent,
    quota used up and a network that is gone end the job as stopped, with the sentence; resuming goes on. Raises UserError for what a user can mend.
    """
    run(context, open_ask)


def run(context: WorkerContext, source: OpenAsk) -> None:
    """`main` with answers from elsewhere."""
    asyncio.run(_run(context, source))


class _Scores:
    """The tally of a job of judges: scores are added up beside what all jobs count."""

    def __init__(self, context: WorkerContext, requested: int) -> None:
        self._context = context
        self._tally = Tally(KIND, requested, ("judged", "failed"))
        self._sum = 0

    def add(self, done: Judged) -> None:
        self._sum += done.score or 0
        self._tally.add(done.exchanges, **{"failed" if done.score is None else "judged": 1})

    def tell(self, *, last: bool = False) -> None:
        judged = self._tally.counts["judged"]
        self._tally.tell(self._context, last=last, mean=self._sum / judged if judged else None)


async def _run(context: WorkerContext, source: OpenAsk) -> None:
    request, folder = context.request, context.folder
    plan = plan_from(request["plan"])
    rubric = rubrics.load(folder.path / RUBRIC, name=request["rubric"]["name"])
    output = folder.output / results.FILE
    cut(output)
    scores, finished = _Scores(context, request["items"]), set()
    for done in results.each(output):
        scores.add(done)
        finished.add(done.version)
    scores.tell(last=True)
    waiting = (one for one in items.each(folder.path / items.FILE) if one.version not in finished)
    with output.open("ab", buffering=0) as file:
        async with source(plan, context) as ask:
            bench = Bench(plan, rubric, ask)

            def keep(done: Judged) -> None:
                append(file, to_line(done))
                scores.add(done)
                scores.tell()

            paused = await work_through(waiting, lambda item: judge(item, bench), keep, plan, context.should_stop)
    scores.tell(last=True)
    pause(context, paused)
