"""What of a suite's own answer is scored, and the file that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.evaluation import likelihood, ours, suites
from core.evaluation.likelihood import Likelihood, reference_text
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS


def test_a_chat_answers_in_a_fenced_block_and_a_completion_goes_on_from_the_opening(tmp_path: Path) -> None:
    published = suites.read(problems.write(tmp_path / "x.jsonl", [problems.x_row(TASKS[1], 0)])).problems[0]
    whole = reference_text("humaneval-x", published, chat=True)
    assert whole.startswith("```go\nimport (")
    assert whole.endswith("}\n```")
    assert reference_text("humaneval-x", published, chat=False) == TASKS[1].body
    own = ours.read(problems.write_ours(tmp_path / "set", {"p": problems.our_text(TASKS[2])})).problems[0]
    assert reference_text("gosmith", own, chat=True) == f"```go\n{own.solution.strip()}\n```"
    rest = reference_text("gosmith", own, chat=False)
    assert rest.strip() == TASKS[2].body.replace("    ", "\t").strip() or rest.strip() == TASKS[2].body.strip()


def test_without_an_answer_there_is_nothing_to_score(tmp_path: Path) -> None:
    none = suites.read(problems.write(tmp_path / "m.jsonl", [problems.multipl_row(TASKS[0], 0)])).problems[0]
    assert reference_text("multipl-e", none, chat=True) == ""
    assert reference_text("multipl-e", none, chat=False) == ""


def test_half_a_line_that_a_crash_left_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / likelihood.FILE
    one, other = Likelihood("a/1", 12, 3.5), Likelihood("a/2", 0, None, "too long")
    file.write_text(likelihood.to_line(one) + likelihood.to_line(other) + '{"task": "a/3", "tok')
    assert likelihood.read(file) == {"a/1": one, "a/2": other}
    assert file.read_text() == likelihood.to_line(one) + likelihood.to_line(other)
    assert likelihood.read(tmp_path / "none") == {}
    assert (one.mean, other.mean) == (pytest.approx(3.5 / 12), None)
