"""Start an evaluation of ready-made completions: a job that gets the problems and the completions as files of its own.

Nothing that changes later, a suite or a file of completions, changes what the job does or repeats.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from core.errors import UserError
from core.evaluation import completions
from core.evaluation.assembling import check_mode
from core.evaluation.completions import Completion
from core.evaluation.finding import NamedSuite
from core.evaluation.judging import LIMITS
from core.evaluation.passing import Tally, estimate
from core.evaluation.suites import Problem
from core.files import read_json, write_json
from core.golang.toolchain import find
from core.jobs import JobFolder, create, start

KIND = "evaluate"
PROBLEMS = "problems.json"
COMPLETIONS = "completions.jsonl"


def start_evaluation(
    jobs_dir: Path,
    named: NamedSuite,
    file: Path,
    *,
    mode: str = "fixed",
    ks: Sequence[int] = (1,),
    seconds: float = LIMITS.seconds,
) -> JobFolder:
    """Start a job that judges the completions in `file`. ks: of pass@k. seconds: the longest that one candidate may run.

    Raises UserError when the suite has no such mode, the file does not fit it, a problem has fewer completions than a k asks for, or
    there is no Go toolchain.
    """
    find()
    check_mode(named.suite.format, mode)
    read = completions.read(file, named.suite.problems)
    counts: dict[str, int] = {}
    for one in read.all:
        counts[one.task] = counts.get(one.task, 0) + 1
    for k in ks:
        estimate((Tally(task, n, 0, 0) for task, n in counts.items()), k)
    request = {
        "suite": named.name, "format": named.suite.format, "sha256": named.suite.sha256, "mode": mode, "k": list(ks),
        "seconds": seconds, "model": "", "completions": read.sha256, "settings": {"file": str(file)},
    }  # fmt: skip
    words = [
        "--completions",
        str(file.resolve()),
        "--problems",
        named.reference,
        "--mode",
        mode,
        "-k",
        ",".join(map(str, ks)),
    ]
    folder = create(
        jobs_dir, KIND, request, title=f"Evaluate {file.name} on {named.name}",
        command=(sys.executable, "-m", "app.cli", "--workspace", str(jobs_dir.parent), "evaluate", *words, "--timeout", f"{seconds:g}"),
    )  # fmt: skip
    try:
        write_json(folder.path / PROBLEMS, {"problems": [asdict(one) for one in named.suite.problems]})
        with (folder.path / COMPLETIONS).open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in read.all)
    except OSError as error:
        raise UserError(
            f"{folder.path} cannot be written: {error.strerror}.", "Free some space and try again."
        ) from error
    start(folder)
    return folder


def problems_of(folder: JobFolder) -> dict[str, Problem]:
    """The problems that a job was given, by task. Raises UserError when they are missing or damaged."""
    value = read_json(folder.path / PROBLEMS)
    try:
        return {one["task"]: Problem(**one) for one in (value or {})["problems"]}
    except (KeyError, TypeError) as error:
        raise UserError(f"{folder.path / PROBLEMS} is missing or damaged.", "Start the evaluation again.") from error


def completions_of(folder: JobFolder) -> Iterator[Completion]:
    """The completions that a job was given. Raises UserError when they are missing or damaged."""
    try:
        with (folder.path / COMPLETIONS).open(encoding="utf-8") as lines:
            for line in lines:
                yield Completion(**json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{folder.path / COMPLETIONS} is missing or damaged.", "Start the evaluation again.") from error
