"""The problems that a run's student is to answer on the way: chosen and frozen into the job's folder when the run is launched.

Whatever becomes of the suite afterwards, the run asks the same problems at every point of its chart, today and when it goes on next week.
It chooses and keeps; who asks is `core.engine.evaluations`, who judges `core.evaluation.background`.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from core.errors import UserError
from core.evaluation.assembling import check_mode
from core.evaluation.finding import NamedSuite
from core.evaluation.starting import PROBLEMS, problems_of
from core.evaluation.suites import Problem
from core.files import read_json, write_json
from core.golang.toolchain import find
from core.jobs import JobFolder
from core.training.config import RunConfig

MODE: Final = "fixed"
FOLDER: Final = "evaluations"
"""In a run's output: step-000100/ with the files of an evaluation, one for each point."""

FindSuite = Callable[[str], NamedSuite]
"""The suite of that name, file or folder. Raises UserError when there is none."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A run's problems. suite, format: of where they come from. sha256: of that suite if these are all of it, else of this choice, so that
    only evaluations of the same problems are compared."""

    suite: str
    format: str
    sha256: str
    problems: tuple[Problem, ...]


def freeze(config: RunConfig, find_suite: FindSuite) -> Frozen | None:
    """The problems that a configuration asks for, None where it asks for none.

    Raises UserError when there is no such suite, when nothing of it can be judged, or when there is no Go toolchain.
    """
    section = config.evaluation
    if not section.every:
        return None
    try:
        named = find_suite(section.suite.strip())
        check_mode(named.suite.format, MODE)
        find()
    except UserError as error:
        raise UserError(
            f"The student cannot be evaluated on the way: {error.message}", f"{error.hint} Or leave evaluation.suite empty."
        ) from error  # fmt: skip
    some = choose(named.suite.problems, section.problems, config.seed)
    sha256 = named.suite.sha256
    if len(some) < len(named.suite.problems):
        sha256 = hashlib.sha256("\n".join([sha256, *(one.task for one in some)]).encode()).hexdigest()
    return Frozen(named.name, named.suite.format, sha256, some)


def choose(problems: Sequence[Problem], count: int, seed: int) -> tuple[Problem, ...]:
    """`count` of the problems in the suite's order, or all: of each difficulty and each topic the share that it has in the suite."""
    if len(problems) <= count:
        return tuple(problems)
    left = list(range(len(problems)))
    random.Random(seed).shuffle(left)
    sizes = [Counter(one.difficulty for one in problems), Counter(one.topic for one in problems)]
    taken: list[Counter[str]] = [Counter(), Counter()]

    def shares(at: int) -> tuple[float, float]:
        names = problems[at].difficulty, problems[at].topic
        hard, about = (so_far[name] / size[name] for so_far, size, name in zip(taken, sizes, names, strict=True))
        return hard, about

    chosen = []
    for _ in range(count):
        at = min(left, key=shares)
        left.remove(at)
        chosen.append(at)
        taken[0][problems[at].difficulty] += 1
        taken[1][problems[at].topic] += 1
    return tuple(problems[at] for at in sorted(chosen))


def write(folder: JobFolder, frozen: Frozen) -> None:
    """Keep them in a run's folder. Raises OSError."""
    write_json(
        folder.path / PROBLEMS,
        {
            "suite": frozen.suite,
            "format": frozen.format,
            "sha256": frozen.sha256,
            "problems": [asdict(one) for one in frozen.problems],
        },
    )


def read(folder: JobFolder) -> Frozen:
    """Those that were kept. Raises UserError when they are missing or damaged."""
    problems = problems_of(folder)
    told = read_json(folder.path / PROBLEMS) or {}
    try:
        return Frozen(told["suite"], told["format"], told["sha256"], tuple(problems.values()))
    except KeyError as error:
        raise UserError(f"{folder.path / PROBLEMS} is missing or damaged.", "Start the run anew.") from error


def step_folder(output: Path, step: int) -> Path:
    """Where the evaluation at this step lies."""
    return output / FOLDER / f"step-{step:06d}"
