"""Start an evaluation, of ready-made completions or of a model: a job that gets the problems as a file of its own.

Nothing that changes later, a suite or a file of completions, changes what the job does or repeats.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.evaluation import completions
from core.evaluation.asking import all_the_same, too_few, usual
from core.evaluation.assembling import check_mode
from core.evaluation.completions import Completion, Completions
from core.evaluation.finding import NamedSuite
from core.evaluation.judging import LIMITS
from core.evaluation.passing import Tally, estimate
from core.evaluation.suites import Problem, Suite
from core.files import read_json, write_json
from core.golang.toolchain import find
from core.inference.sampling import Sampling, as_dict, effective, validate
from core.jobs import JobFolder, create, gpus, start

KIND, MODEL_KIND = "evaluate", "evaluate_model"
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
    read = completions_for(named.suite, file, ks)
    folder = _make(
        jobs_dir, KIND, named, f"Evaluate {file.name} on {named.name}", ["--completions", str(file.resolve())],
        mode=mode, ks=ks, seconds=seconds, model="", completions=read.sha256, settings={"file": str(file)},
    )  # fmt: skip
    with _writing(folder), (folder.path / COMPLETIONS).open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in read.all)
    start(folder)
    return folder


def completions_for(suite: Suite, file: Path, ks: Sequence[int]) -> Completions:
    """What `file` holds, if it fits the suite and has enough completions of each problem for these k. Raises UserError."""
    read = completions.read(file, suite.problems)
    counts: dict[str, int] = {}
    for one in read.all:
        counts[one.task] = counts.get(one.task, 0) + 1
    for k in ks:
        estimate((Tally(task, n, 0, 0) for task, n in counts.items()), k)
    return read


def start_model_evaluation(
    jobs_dir: Path,
    named: NamedSuite,
    name: str,
    path: Path,
    *,
    mode: str = "fixed",
    ks: Sequence[int] = (1,),
    samples: int = 1,
    sampling: Sampling | None = None,
    chat: bool = True,
    int8: bool = False,
    seconds: float = LIMITS.seconds,
) -> JobFolder:
    """Start a job that has a model answer each problem `samples` times and judges the answers. name: of the model; path: its folder.

    sampling: by default greedy for one sample, and at a temperature of 0.8 for several. chat: ask in the chat template; else, and always in the
    mode `paper`, the model goes on from the signature. Raises UserError when the suite has no such mode, when several samples would all be the
    same, when a k asks for more of them, or when there is no Go toolchain.

    Where there are GPUs the job waits for one of its own, and gives it back before anything is judged; its process then still keeps what a
    driver needs for a process, some hundred MiB.
    """
    find()
    check_mode(named.suite.format, mode)
    if samples < 1:
        raise UserError(f"{samples} samples of each problem are none.", "Ask for one or more.")
    if (few := too_few(ks, samples)) is not None:
        raise few
    chosen = sampling or validate(**usual(samples))
    if (same := all_the_same(samples, chosen)) is not None:
        raise same
    chosen = effective(replace(chosen, seed=chosen.seed if chosen.seed is not None else secrets.randbelow(2**31)))
    chat = chat and mode != "paper"
    fields = as_dict(chosen)
    settings = {"path": str(path), "samples": samples, "chat": chat, "int8": int8, "sampling": fields}
    words = [name, "--samples", str(samples), *([] if chat else ["--continue"]), *(["--int8"] if int8 else [])]
    for key in ("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed"):
        if fields[key] is not None:
            words += [f"--{key.replace('_', '-')}", str(fields[key])]
    folder = _make(
        jobs_dir, MODEL_KIND, named, f"Evaluate {name} on {named.name}", words,
        mode=mode, ks=ks, seconds=seconds, resources=gpus.one_alone(gpus.count()), model=name, completions="", settings=settings,
    )  # fmt: skip
    start(folder)
    return folder


def _make(
    jobs_dir: Path,
    kind: str,
    named: NamedSuite,
    title: str,
    words: Sequence[str],
    *,
    mode: str,
    ks: Sequence[int],
    seconds: float,
    resources: Sequence[str] = (),
    **request: Any,
) -> JobFolder:
    """The folder of an evaluation, with the problems in it. words: of `gosmith evaluate` that do the same again."""
    common = ["--problems", named.reference, "--mode", mode, "-k", ",".join(map(str, ks)), "--timeout", f"{seconds:g}"]
    folder = create(
        jobs_dir,
        kind,
        {
            "suite": named.name, "format": named.suite.format, "sha256": named.suite.sha256, "mode": mode, "k": list(ks),
            "seconds": seconds, **request,
        },
        title=title,
        resources=resources,
        command=(sys.executable, "-m", "app.cli", "--workspace", str(jobs_dir.parent), "evaluate", *words, *common),
    )  # fmt: skip
    with _writing(folder):
        write_json(folder.path / PROBLEMS, {"problems": [asdict(one) for one in named.suite.problems]})
    return folder


@contextmanager
def _writing(folder: JobFolder) -> Iterator[None]:
    """A folder that cannot be filled is removed. Raises UserError."""
    try:
        yield
    except OSError as error:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise UserError(
            f"{folder.path} cannot be written: {error.strerror}.", "Free some space and try again."
        ) from error


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
