"""One answer judged by its prompt's test, as a suite's run would judge it."""

from __future__ import annotations

import pytest

from core.evaluation import finding
from core.evaluation.tasks import Task, judged, of_problem

TEST = 'package solution\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Error("no")\n\t}\n}\n'
TASK = Task("sample 7", "Write Add.", TEST)


def answer(body: str) -> str:
    return f"Here it is.\n\n```go\npackage solution\n\nfunc Add(a, b int) int {{\n\t{body}\n}}\n```\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (answer("return a + b"), "pass"), (answer("return a - b"), "wrong_answer"), (answer('panic("no")'), "panic"),
        (answer("return c"), "types"), ("I cannot.", "extract"), ("", "extract"),
    ],
)  # fmt: skip
def test_an_answer_to_a_sample_is_run_with_the_samples_test(text: str, status: str, go_ready: None) -> None:
    found = judged(TASK, text)
    assert found is not None
    assert found.status == status
    assert bool(found.detail) == (status != "pass")


def test_an_answer_to_a_problem_is_judged_as_in_its_suite(go_ready: None) -> None:
    named = finding.open_suite("workshop", None)
    problem = named.suite.problems[0]
    task = of_problem(named.suite.format, problem)
    assert task.prompt == problem.prompt
    right = judged(task, f"```go\n{problem.solution}\n```")
    assert right is not None
    assert (right.status, right.detail) == ("pass", "")
    wrong = judged(task, "```go\nfunc Nothing() {}\n```")
    assert wrong is not None
    assert wrong.status == "types"


def test_nobody_waits_for_an_answer_that_is_wanted_no_more(go_ready: None) -> None:
    assert judged(TASK, answer("return a + b"), cancel=lambda: True) is None
