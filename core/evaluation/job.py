"""The job kind `evaluate`: verdicts on the completions of completions.jsonl, written to output/candidates.jsonl as they come, and at
the end output/evaluation.json.

Never opens the database. What is in the output stays: a resumed job goes on after it. Whoever lets a model answer first calls
`judge_all` with what it answered.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.evaluation import results
from core.evaluation.completions import Completion
from core.evaluation.judging import Judge
from core.evaluation.likelihood import Likelihood
from core.evaluation.starting import completions_of, problems_of
from core.evaluation.verdicts import Bench, Terms, judge_into
from core.golang.helper import prepare
from core.golang.toolchain import find
from core.jobs.worker import WorkerContext


def main(context: WorkerContext) -> None:
    """Judge what the job's folder holds. Raises UserError for input that is not as it should be, when there is no Go toolchain, or when
    candidates may not be run here."""
    judge_all(context, list(completions_of(context.folder)))


def judge_all(
    context: WorkerContext,
    given: Sequence[Completion],
    *,
    told: Mapping[str, object] | None = None,
    likelihoods: Mapping[str, Likelihood] | None = None,
) -> None:
    """Judge these completions of the job's problems, and write the evaluation unless the job is stopped meanwhile. told: what there is to say
    of how they were made besides the request's settings. likelihoods: of the suite's own answers under the model.

    Events: message, progress, and at the end `evaluated` with what evaluation.json says in short. The request gives suite, format,
    sha256, mode, k, seconds, model, completions and settings.
    """
    request = context.request
    toolchain = find()
    prepare(toolchain, say=context.message, progress=context.progress)
    problems = problems_of(context.folder)
    terms = Terms(
        request["suite"], request["format"], request["sha256"], request["mode"], request["model"], request["completions"],
        {**request["settings"], **(told or {})}, tuple(int(k) for k in request["k"]), float(request["seconds"]),
    )  # fmt: skip
    workers = max(2, min(8, len(os.sched_getaffinity(0))))
    begin = time.monotonic()
    context.message(f"Judging {len(given):,} candidates with {toolchain.version}")
    with Judge(
        terms.format, terms.mode, toolchain, workers=workers, limits=terms.limits, cancel=context.should_stop
    ) as judge:
        references = judge.references(problems[task] for task in dict.fromkeys(one.task for one in given))
        evaluation = judge_into(
            context.folder.output, terms, problems, given, Bench(judge, toolchain, references), likelihoods=likelihoods,
            progress=lambda done: context.progress(done, len(given)), should_stop=context.should_stop,
        )  # fmt: skip
    if evaluation is None:
        return
    evaluation = replace(evaluation, seconds=time.monotonic() - begin)
    results.write(context.folder.output, evaluation)
    short = results.as_json(evaluation)
    context.event(
        "evaluated", **{name: short[name] for name in ("problems", "pass_at", "compile_rate", "statuses", "seconds")}
    )
