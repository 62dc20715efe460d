"""Ready-made completions: `{"task_id": …, "completion": …}` a line, as Codex's evaluation takes them.

Every line must belong to a problem of the suite: a file that does not fit is refused before anything is built.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import UserError
from core.evaluation.assembling import Question
from core.evaluation.suites import Problem


@dataclass(frozen=True, slots=True)
class Completion:
    """One attempt at a problem. index: which of the problem's, from 0."""

    task: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Completions:
    """What a file holds. sha256: of its content."""

    all: tuple[Completion, ...]
    sha256: str


class Complete(Protocol):
    """Who answers the questions of a suite: a model behind the engine, or whoever else."""

    def __call__(self, questions: Sequence[tuple[Problem, Question]], samples: int) -> Iterable[Completion]:
        """So many completions of each question, in any order."""
        ...


def read(path: Path, problems: Sequence[Problem]) -> Completions:
    """Read a file of completions for these problems. Raises UserError that names the line that is not as it should be."""
    known = {problem.task for problem in problems}
    seen: dict[str, int] = {}
    found: list[Completion] = []
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                digest.update(line)
                if line.strip():
                    task, text = _row(path, number, line)
                    if task not in known:
                        raise UserError(
                            f"{path}:{number}: the suite has no problem “{task[:60]}”.",
                            f"Its problems are called like “{problems[0].task}”."
                            if problems
                            else "The suite is empty.",
                        )
                    found.append(Completion(task, seen.get(task, 0), text))
                    seen[task] = seen.get(task, 0) + 1
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", "Give a file of completions.") from error
    if not found:
        raise UserError(f"{path} holds no completion.", 'A line is {"task_id": "…", "completion": "…"}.')
    return Completions(tuple(found), digest.hexdigest())


def _row(path: Path, number: int, line: bytes) -> tuple[str, str]:
    shape = 'A line is {"task_id": "…", "completion": "…"}.'
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        what = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else "is not JSON"
        raise UserError(f"{path}:{number} {what}.", shape) from error
    task, text = (row.get("task_id"), row.get("completion")) if isinstance(row, dict) else (None, None)
    if not isinstance(task, str) or not isinstance(text, str):
        raise UserError(f"{path}:{number} has no text “task_id” and “completion”.", shape)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{path}:{number} holds half of a character (a lone surrogate).", shape) from error
    return task, text
