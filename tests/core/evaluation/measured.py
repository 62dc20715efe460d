"""Evaluations for tests of who reads them: tallies by topic, and jobs that hold one, as if a model had been evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.evaluation import results
from core.evaluation.judging import counts
from core.evaluation.passing import Tally
from core.evaluation.results import Evaluation, Origin
from core.jobs import JobFolder, create
from core.jobs.status import JobInfo, info

Groups = Mapping[tuple[str, str], tuple[int, ...]]
"""(topic, difficulty) -> how many of ten candidates pass, a number a problem."""

ORIGIN: dict[str, Any] = {
    "suite": "set", "format": "gosmith", "sha256": "abc", "mode": "fixed", "model": "starter", "completions": "",
    "settings": {"samples": 10, "sampling": {"temperature": 0.8}}, "limits": {"seconds": 10.0}, "go": "go1.27.3",
    "sandbox": "bubblewrap", "versions": {"gosmith": "1"},
}  # fmt: skip


def evaluation(groups: Groups, *, references: Mapping[str, str] | None = None, **origin: Any) -> Evaluation:
    """Ten candidates a problem; problems are called set/secret-<number>, so that tests see where their names go."""
    tallies = [
        Tally(f"set/secret-{number}", 10, 10, correct, 0, topic, difficulty)
        for number, (topic, difficulty, correct) in enumerate(
            (topic, difficulty, correct) for (topic, difficulty), each in groups.items() for correct in each
        )
    ]
    passed = sum(one.correct for one in tallies)
    statuses = counts(["pass"] * passed + ["wrong_answer"] * (10 * len(tallies) - passed))
    return results.summed(
        Origin(**{**ORIGIN, **origin}), tallies, statuses, [1], started=1.0, seconds=2.5, missing=(),
        references=references or {}, flaky=(),
    )  # fmt: skip


def evaluated(jobs: Path, path: Path | str, model: str, groups: Groups, **origin: Any) -> JobInfo:
    """A finished job that evaluated the model in this folder."""
    settings = {**ORIGIN["settings"], **origin.pop("settings", {}), "path": str(path)}
    made = evaluation(groups, model=model, settings=settings, **origin)
    asked = {
        "suite": made.origin.suite, "format": made.origin.format, "sha256": made.origin.sha256, "mode": made.origin.mode,
        "k": [1], "seconds": 10.0, "model": model, "completions": "", "settings": settings,
    }  # fmt: skip
    folder: JobFolder = create(jobs, "evaluate_model", asked, title=f"Evaluate {model} on {made.origin.suite}")
    results.write(folder.output, made)
    finish(folder)
    return info(folder)


def finish(folder: JobFolder) -> None:
    """As if it had been done."""
    folder.state.write_text('{"state": "done", "attempt": 1}')
