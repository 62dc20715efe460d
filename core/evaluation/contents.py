"""All that the folder of an evaluation holds, to be looked at: problems, candidates, counts, and the result once there is one.

Reads while the job is at work as well as after: what was judged so far is told as such.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.evaluation import results
from core.evaluation.judging import counts
from core.evaluation.passing import Tally
from core.evaluation.results import Candidate, Evaluation
from core.evaluation.starting import problems_of
from core.evaluation.suites import Problem
from core.jobs import JobFolder
from core.jobs.folder import read_job

Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """evaluation: None before its end. tallies, statuses: of what is judged so far. problems, candidates: by task, candidates in the order of
    their numbers. request: what the job was asked."""

    evaluation: Evaluation | None
    tallies: tuple[Tally, ...]
    statuses: Mapping[str, int]
    problems: Mapping[str, Problem]
    candidates: Mapping[str, tuple[Candidate, ...]]
    request: Mapping[str, Any]

    @property
    def candidate_count(self) -> int:
        """With a verdict or without."""
        return sum(self.statuses.values())


def stamp(folder: JobFolder) -> Stamp:
    """What changes whenever `read` would find something else."""
    return tuple(_stamp(folder.output / name) for name in (results.RESULT, results.CANDIDATES))


def read(folder: JobFolder) -> Contents:
    """What is there. Raises UserError when something of it is damaged or the folder is gone."""
    problems = problems_of(folder)
    found: dict[str, list[Candidate]] = {}
    for one in results.candidates(folder.output):
        found.setdefault(one.task, []).append(one)
    candidates = {task: tuple(sorted(some, key=lambda one: one.index)) for task, some in found.items()}
    request = read_job(folder).request
    if (folder.output / results.RESULT).is_file():
        evaluation = results.read(folder.output)
        return Contents(evaluation, evaluation.tallies, evaluation.statuses, problems, candidates, request)
    every = [one for some in candidates.values() for one in some]
    facts = {task: (one.topic, one.difficulty) for task, one in problems.items()}
    return Contents(
        None, results.tally(every, facts), counts(one.status for one in every), problems, candidates, request
    )


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
