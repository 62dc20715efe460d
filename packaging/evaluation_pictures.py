"""The Evaluation page's part of `screenshots.py`: three evaluations of ready-made answers, judged by Go, and a picture of each of their tabs.

The answers are the suite's own, with mistakes by rule: more of them for the first of the three, fewer for the last. No model is asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

from PySide6.QtWidgets import QAbstractButton, QWidget

from app.context import AppContext
from app.evaluation.page import EvaluationPage
from core.evaluation.finding import open_suite
from core.evaluation.suites import Problem

SUITE = "workshop"
ATTEMPTS = 2
RIGHT = {"easy": 62, "medium": 34, "hard": 8}
"""Percent of the answers of the first evaluation that are right."""
MODELS = {"base": 0, "errgroup-lora, step 300": 12, "errgroup-lora, step 600": 20}
"""What is evaluated, and how many percent more of its answers are right."""

Settle = Callable[..., None]


def prepare(root: Path) -> None:
    """Have three files of answers judged, through the command line."""
    problems = open_suite(SUITE, None).suite.problems
    for name, better in MODELS.items():
        file = root / f"{name}.jsonl"
        lines = [
            json.dumps({"task_id": one.task, "completion": _answer(one, attempt, better)})
            for one in problems
            for attempt in range(ATTEMPTS)
        ]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        words = ["evaluate", "--completions", str(file), "--problems", SUITE, "-k", f"1,{ATTEMPTS}"]
        subprocess.run([sys.executable, "-m", "app.cli", "--workspace", str(root), *words], check=True)


def _answer(problem: Problem, attempt: int, better: int) -> str:
    """The suite's own, or one with a mistake. The luck of an answer is its own, so that better ones have what the others have and more."""
    luck = crc32(f"{problem.task} {attempt}".encode()) % 100
    if luck < RIGHT[problem.difficulty] + better:
        return problem.solution
    if luck % 4 == 0:
        return problem.solution.replace("return", "return return", 1)
    turned = problem.solution.replace(" < ", " >= ", 1).replace(" == ", " != ", 1)
    if luck % 4 == 1 or turned == problem.solution:
        return f'{problem.solution.rpartition("}")[0]}\tpanic("not there yet")\n}}\n'
    return turned


def pictures(page: QWidget, context: AppContext, save: Callable[[str], None], settle: Settle) -> None:
    """Problems, one problem, the comparison, the leaderboard and what the teacher would be asked for."""
    assert isinstance(page, EvaluationPage)
    settle(lambda: len(page.board.entries) == len(MODELS))
    newest, _, oldest = [one.key for one in page.board.entries]
    page.jobs.select(newest)
    settle(lambda: page.view.evaluation is not None and not context.tasks.busy())
    save("evaluation")
    failed = next(task for task, one in _results(page) if one < 1)
    page.view.problems.show_problem(failed)
    settle(lambda: not context.tasks.busy())
    save("evaluation_problem")
    page.compare(newest, oldest)
    settle(lambda: not context.tasks.busy(), 20.0)
    save("evaluation_compare")
    for tab, name in (("evaluationLeaderboard", "leaderboard"), ("evaluationFailures", "failures")):
        button = page.findChild(QAbstractButton, tab)
        assert button is not None
        button.click()
        settle(lambda: not context.tasks.busy())
        save(name)


def _results(page: EvaluationPage) -> list[tuple[str, float]]:
    found = page.view.evaluation
    assert found is not None
    return [(one.task, one.correct / max(1, one.n)) for one in found.tallies]
