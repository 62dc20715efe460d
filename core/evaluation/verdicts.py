"""Completions judged into a folder: a line of candidates.jsonl for each as it comes, and evaluation.json at the end.

What is in the folder stays: whoever was killed or stopped calls again and goes on after it. Who judges is opened by the caller, because a
judge that has run the suite's own answers once need not run them again for the next folder.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.evaluation import results
from core.evaluation.completions import Completion
from core.evaluation.judging import LIMITS, Judge, Judged, counts
from core.evaluation.likelihood import Likelihood
from core.evaluation.results import Candidate, Evaluation, Origin
from core.evaluation.suites import Problem
from core.golang.sandbox import Limits, probe
from core.golang.toolchain import Toolchain
from core.versions import tools

CHUNK = 512
"""Candidates between two writes: a stop or a crash loses at most so much work."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is measured and how; the fields of `Origin` that are known before anything is judged. ks: of pass@k. seconds: the longest that
    one candidate may run."""

    suite: str
    format: str
    sha256: str
    mode: str
    model: str
    completions: str
    settings: Mapping[str, Any]
    ks: tuple[int, ...]
    seconds: float

    @property
    def limits(self) -> Limits:
        """Of a candidate's run."""
        return replace(LIMITS, seconds=self.seconds, processor=max(1, round(self.seconds)))


@dataclass(frozen=True, slots=True)
class Bench:
    """A judge at work. references: its verdicts on the suite's own answers, by task."""

    judge: Judge
    toolchain: Toolchain
    references: Mapping[str, Judged]


def judge_into(
    output: Path,
    terms: Terms,
    problems: Mapping[str, Problem],
    given: Sequence[Completion],
    bench: Bench,
    *,
    likelihoods: Mapping[str, Likelihood] | None = None,
    progress: Callable[[int], object] = lambda _done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation | None:
    """Judge these completions of these problems and write the evaluation; None, without it, when asked to stop meanwhile.

    problems: all that count, by task. Raises OSError when the folder cannot be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    done = resumed(output)
    seen = {(one.task, one.index) for one in done}
    left = [one for one in given if (one.task, one.index) not in seen]
    started, begin = time.time(), time.monotonic()
    progress(len(done))
    for chunk in _chunks(left):
        found = None if should_stop() else _judged(bench.judge, chunk, problems, output / results.CANDIDATES)
        if found is None:
            return None
        done += found
        progress(len(done))
    if should_stop():
        return None
    asked = {one.task for one in given}
    flaky = [f"{task} (reference)" for task, one in bench.references.items() if one.flaky]
    flaky += list(dict.fromkeys(one.task for one in done if one.flaky))
    origin = Origin(
        terms.suite, terms.format, terms.sha256, terms.mode, terms.model, terms.completions, terms.settings,
        asdict(terms.limits), bench.toolchain.version, probe(bench.toolchain).level.name, tools(),
    )  # fmt: skip
    evaluation = results.summed(
        origin,
        results.tally(done, {task: (one.topic, one.difficulty) for task, one in problems.items()}),
        counts(one.status for one in done),
        terms.ks,
        started=started,
        seconds=time.monotonic() - begin,
        missing=[task for task in problems if task not in asked],
        references={task: f"{one.status}: {one.detail}" for task, one in bench.references.items() if one.status != "pass"},
        flaky=flaky,
        likelihoods=likelihoods,
    )  # fmt: skip
    results.write(output, evaluation)
    return evaluation


def resumed(output: Path) -> list[Candidate]:
    """The verdicts of an earlier attempt; half a line that it may have left is cut off."""
    file = output / results.CANDIDATES
    if file.exists():
        text = file.read_bytes()
        with file.open("rb+") as lines:
            lines.truncate(text.rfind(b"\n") + 1)
    return results.candidates(output)


def _judged(
    judge: Judge, chunk: Sequence[Completion], problems: Mapping[str, Problem], file: Path
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
