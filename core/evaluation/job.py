"""The job kind `evaluate`: verdicts on the completions of completions.jsonl, written to output/candidates.jsonl as they come, and at
the end output/evaluation.json.

Never opens the database. What is in the output stays: a resumed job goes on after it. Whoever lets a model answer first calls
`judge_all` with what it answered.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from core.evaluation import results
from core.evaluation.completions import Completion
from core.evaluation.judging import LIMITS, Judge, counts
from core.evaluation.results import Candidate, Origin
from core.evaluation.starting import completions_of, problems_of
from core.evaluation.suites import Problem
from core.golang.helper import prepare
from core.golang.sandbox import probe
from core.golang.toolchain import find
from core.jobs.worker import WorkerContext
from core.versions import tools

CHUNK = 512
"""Candidates between two writes: a stop or a crash loses at most so much work."""


def main(context: WorkerContext) -> None:
    """Judge what the job's folder holds. Raises UserError for input that is not as it should be, when there is no Go toolchain, or when
    candidates may not be run here."""
    judge_all(context, list(completions_of(context.folder)))


def judge_all(context: WorkerContext, given: Sequence[Completion], *, told: Mapping[str, object] | None = None) -> None:
    """Judge these completions of the job's problems, and write the evaluation unless the job is stopped meanwhile. told: what there is to say
    of how they were made besides the request's settings.

    Events: message, progress, and at the end `evaluated` with what evaluation.json says in short. The request gives suite, format,
    sha256, mode, k, seconds, model, completions and settings.
    """
    request = context.request
    toolchain = find()
    prepare(toolchain, say=context.message, progress=context.progress)
    problems = problems_of(context.folder)
    output = context.folder.output
    output.mkdir(parents=True, exist_ok=True)
    done = _resume(output)
    left = [one for one in given if (one.task, one.index) not in {(c.task, c.index) for c in done}]
    started, begin = time.time(), time.monotonic()
    limits = replace(LIMITS, seconds=float(request["seconds"]), processor=max(1, round(float(request["seconds"]))))
    workers = max(2, min(8, len(os.sched_getaffinity(0))))
    asked = list(dict.fromkeys(one.task for one in given))
    context.message(f"Judging {len(left):,} candidates with {toolchain.version}")
    context.progress(len(done), len(given))
    with Judge(
        request["format"], request["mode"], toolchain, workers=workers, limits=limits, cancel=context.should_stop
    ) as judge:
        references = judge.references(problems[task] for task in asked)
        for chunk in _chunks(left):
            found = None if context.should_stop() else _judged(judge, chunk, problems, output / results.CANDIDATES)
            if found is None:
                return
            done += found
            context.progress(len(done), len(given))
    if context.should_stop():
        return
    flaky = [f"{task} (reference)" for task, one in references.items() if one.flaky]
    flaky += list(dict.fromkeys(one.task for one in done if one.flaky))
    evaluation = results.summed(
        Origin(
            request["suite"], request["format"], request["sha256"], request["mode"], request["model"], request["completions"],
            {**request["settings"], **(told or {})}, asdict(limits), toolchain.version, probe(toolchain).level.name, tools(),
        ),
        results.tally(done, {task: (one.topic, one.difficulty) for task, one in problems.items()}),
        counts(one.status for one in done),
        [int(k) for k in request["k"]],
        started=started,
        seconds=time.monotonic() - begin,
        missing=[task for task in problems if task not in set(asked)],
        references={task: f"{one.status}: {one.detail}" for task, one in references.items() if one.status != "pass"},
        flaky=flaky,
    )  # fmt: skip
    results.write(output, evaluation)
    short = results.as_json(evaluation)
    context.event(
        "evaluated", **{name: short[name] for name in ("problems", "pass_at", "compile_rate", "statuses", "seconds")}
    )


def _judged(
    judge: Judge, chunk: Sequence[Completion], problems: dict[str, Problem], file: Path
) -> list[Candidate] | None:
    """The verdicts on a chunk, written down; None when the job was stopped meanwhile."""
    found = judge.judge([(problems[one.task], one.text) for one in chunk])
    if found is None:
        return None
    made = [
        Candidate(
            one.task, one.index, one.text, said.code, said.status, said.detail, said.flaky, round(said.seconds, 4)
        )
        for one, said in zip(chunk, found, strict=True)
    ]
    with file.open("a", encoding="utf-8") as lines:
        lines.write("".join(results.line(one) for one in made))
        lines.flush()
        os.fsync(lines.fileno())
    return made


def _chunks(given: Iterable[Completion]) -> Iterator[list[Completion]]:
    waiting = iter(given)
    while chunk := list(itertools.islice(waiting, CHUNK)):
        yield chunk


def _resume(output: Path) -> list[Candidate]:
    """The verdicts of an earlier attempt; half a line that it may have left is cut off."""
    file = output / results.CANDIDATES
    if file.exists():
        text = file.read_bytes()
        with file.open("rb+") as lines:
            lines.truncate(text.rfind(b"\n") + 1)
    return results.candidates(output)
