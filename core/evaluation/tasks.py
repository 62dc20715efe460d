"""One prompt with a test that any answer can be judged by: a problem of a suite, or a sample that has a test.

The verdict is that of a suite's run, with its statuses and causes, in the mode `fixed`. An answer to a sample is run with the sample's
test; what it needs beside its own code it must bring.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.evaluation.assembling import question
from core.evaluation.judging import LIMITS, Judge, Judged
from core.evaluation.suites import OURS, Problem
from core.golang.commands import Cancel
from core.golang.extract import from_answer
from core.golang.sandbox import Limits
from core.golang.toolchain import find


@dataclass(frozen=True, slots=True)
class Task:
    """title: what people call it. prompt: what a model is asked in a chat. problem: of a suite of this format; None for a sample's test."""

    title: str
    prompt: str
    test: str
    format: str = OURS
    problem: Problem | None = None


def of_problem(suite_format: str, problem: Problem) -> Task:
    """The task that a problem of a suite is."""
    return Task(problem.task, question(suite_format, problem, "fixed").chat, problem.test, suite_format, problem)


def judged(task: Task, answer: str, *, limits: Limits = LIMITS, cancel: Cancel | None = None) -> Judged | None:
    """What becomes of an answer; None when cancelled. Takes seconds: a program is built and run behind walls. Raises UserError, as where there
    is no Go toolchain."""
    code = "" if task.problem is not None else from_answer(answer).code
    if task.problem is None and not code.strip():
        return Judged("extract", "the answer holds no Go code", False, 0.0, "")
    with Judge(task.format, "fixed", find(), workers=1, limits=limits, cancel=cancel) as judge:
        found = judge.judge([(task.problem, answer)]) if task.problem is not None else judge.run([(code, task.test)])
    return found[0] if found else None
