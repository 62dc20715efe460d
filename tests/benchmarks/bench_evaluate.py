"""Evaluation of ready-made completions, ten a problem, beside `go test` one completion at a time in the same run.

The problems have the shape of HumanEval-X and come from the tests' own tasks, each many times over under another name; of ten
completions seven are right, one is wrong, one does not compile, one panics. No two are alike, so that nothing is answered from a cache.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from core.evaluation import suites
from core.evaluation.judging import Judge
from core.evaluation.suites import Problem
from core.golang.batch import arrange, arranging, go, lay
from core.golang.helper import prepare
from core.golang.sandbox import probe
from core.golang.toolchain import Toolchain, find
from tests.benchmarks.report import report
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS, Task


def renamed(task: Task, number: int) -> Task:
    """The same task under another name."""
    name = f"{task.name}{number}"
    return replace(
        task, name=name, declaration=task.declaration.replace(task.name, name),
        cases=tuple((call.replace(task.name, name), want) for call, want in task.cases),
    )  # fmt: skip


def candidates(count: int, each: int, folder: Path) -> list[tuple[Problem, str]]:
    """Completions of so many problems."""
    tasks = [renamed(TASKS[at % len(TASKS)], at) for at in range(count)]
    suite = suites.read(
        problems.write(folder / "suite.jsonl", [problems.x_row(task, at) for at, task in enumerate(tasks)])
    )
    made = []
    for problem, task in zip(suite.problems, tasks, strict=True):
        for at in range(each):
            mark = f"    // attempt {at} of {time.time_ns()}\n"
            body = {7: task.wrong, 8: "    return nosuch\n}\n", 9: '    panic("no idea")\n}\n'}.get(at % 10, task.body)
            made.append((problem, mark + body))
    return made


def alone(judge: Judge, some: list[tuple[Problem, str]], toolchain: Toolchain) -> float:
    """Seconds for one `go test` a completion, with the same files and without walls; what does not compile included."""
    seconds = 0.0
    made = judge.assemble(some)
    with arranging(toolchain) as pipeline:
        arranged = arrange(pipeline, ((at, one.code, one.test) for at, one in enumerate(made)))
    for sample in arranged:
        with tempfile.TemporaryDirectory() as folder:
            lay(Path(folder), [sample], toolchain)
            start = time.perf_counter()
            go(toolchain, ["test", f"./{sample.folder}"], Path(folder), seconds=120, cancel=None)
            seconds += time.perf_counter() - start
    return seconds


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=164)
    parser.add_argument("--each", type=int, default=10, help="completions a problem")
    parser.add_argument("--alone", type=int, default=40, help="so many one by one, for the ratio")
    options = parser.parse_args()
    toolchain = find()
    prepare(toolchain)
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name, Judge("humaneval-x", "fixed", toolchain, workers=cores) as judge:
        folder = Path(name)
        judge.judge(candidates(4, 10, folder))  # warm
        given = candidates(options.problems, options.each, folder)
        start = time.perf_counter()
        judge.references({problem.task: problem for problem, _ in given}.values())
        references = time.perf_counter() - start
        found = judge.judge(given)
        seconds = time.perf_counter() - start
        few = candidates(max(1, options.alone // 10), 10, folder)[: options.alone]
        one_by_one = alone(judge, few, toolchain) / len(few)
    report(
        "evaluate",
        {
            "sandbox": probe(toolchain).level.name,
            "problems": options.problems,
            "completions": len(given),
            "seconds": seconds,
            "of these, the suite's own answers first": references,
            "completions a second": len(given) / seconds,
            "go test, completions a second, one at a time, without walls": 1 / one_by_one,
            "ratio": one_by_one * len(given) / seconds,
            "statuses": dict(Counter(one.status for one in found or [])),
        },
    )


if __name__ == "__main__":
    main()
