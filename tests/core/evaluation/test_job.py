"""The job kind `evaluate`, through a real supervisor: what it writes, that it goes on after a kill, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.evaluation import completions, finding, results
from core.evaluation.starting import start_evaluation
from core.evaluation.verdicts import CHUNK
from core.jobs import JobFolder, info
from core.jobs.control import resume
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS


@pytest.fixture
def suite(tmp_path: Path) -> finding.NamedSuite:
    texts = {f"p{at}": problems.our_text(task, difficulty="easy" if at else "hard") for at, task in enumerate(TASKS)}
    return finding.open_suite(str(problems.write_ours(tmp_path / "set", texts)), None)


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def finish(job: JobFolder, eventually: Callable[..., None]) -> str:
    eventually(lambda: not info(job).alive, seconds=200, what="the job has ended")
    return info(job).state


def test_completions_become_an_evaluation(
    tmp_path: Path, suite: finding.NamedSuite, eventually: Callable[..., None]
) -> None:
    rows = [
        {"task_id": f"set/p{at}", "completion": text}
        for at in (0, 2)
        for text in (TASKS[at].body, TASKS[at].wrong, "no")
    ]
    file = write(tmp_path / "c.jsonl", [*rows, rows[0], rows[3]])
    job = start_evaluation(tmp_path / "jobs", suite, file, ks=(1, 4))
    assert finish(job, eventually) == "done", job.log.read_text()
    found = results.read(job.path)
    assert (found.problems, found.missing) == (4, ("set/p1", "set/p3"))
    assert found.pass_at[1].value == 0.25, "a problem without completions is not solved"
    assert found.pass_at[4].value == 0.5
    assert found.reference_nll is None
    assert {name: count for name, count in found.statuses.items() if count} == {
        "pass": 4,
        "wrong_answer": 2,
        "extract": 2,
    }
    assert results.groups(found.tallies, "difficulty") == {
        "hard": (1, 0.5),
        "easy": (3, pytest.approx(0.5 / 3)),
    }
    assert (found.origin.suite, found.origin.mode, found.origin.sha256) == ("set", "fixed", suite.suite.sha256)
    assert found.origin.go.startswith("go1.")
    assert found.origin.sandbox
    assert (found.references, found.flaky) == ({}, ())
    kept = results.candidates(job.output)
    assert [(one.task, one.index, one.status) for one in kept][:3] == [
        ("set/p0", 0, "pass"), ("set/p0", 1, "wrong_answer"), ("set/p0", 2, "extract"),
    ]  # fmt: skip
    assert "func TotalWeight" in kept[0].code
    assert job.log.read_text().splitlines()[0].count("evaluate") >= 1


def test_a_killed_evaluation_goes_on_where_it_was(
    tmp_path: Path, suite: finding.NamedSuite, eventually: Callable[..., None]
) -> None:
    endless = "    for {\n    }\n}\n"
    rows = [{"task_id": "set/p0", "completion": f"no {at}"} for at in range(CHUNK)]
    rows += [{"task_id": "set/p0", "completion": f"{TASKS[0].body}// {at}\n"} for at in range(3)]
    file = write(tmp_path / "c.jsonl", [*rows, {"task_id": "set/p0", "completion": endless}])
    job = start_evaluation(tmp_path / "jobs", suite, file, seconds=600)
    eventually(lambda: len(results.candidates(job.output)) >= CHUNK, seconds=200, what="the first chunk is written")
    for pid in info(job).workers:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not info(job).alive, seconds=30)
    with (job.output / results.CANDIDATES).open("a") as lines:
        lines.write('{"task": "set/p0", "ind')
    (job.path / "completions.jsonl").write_text(
        "".join(line + "\n" for line in (job.path / "completions.jsonl").read_text().splitlines()[:-1])
    )
    resume(job)
    assert finish(job, eventually) == "done", job.log.read_text()
    kept = results.candidates(job.output)
    assert [one.index for one in kept] == list(range(CHUNK + 3))
    found = results.read(job.path).statuses
    assert (found["extract"], found["pass"]) == (CHUNK, 3)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{", r"c.jsonl:2 is not JSON"),
        ("[]", r"c.jsonl:2 has no text “task_id” and “completion”"),
        ({"task_id": "set/p0"}, r"c.jsonl:2 has no text"),
        ({"task_id": "set/p0", "completion": 3}, r"c.jsonl:2 has no text"),
        ({"task_id": "set/none", "completion": ""}, r"c.jsonl:2: the suite has no problem “set/none”"),
        ('{"task_id": "set/p0", "completion": "\\ud800"}', r"c.jsonl:2 holds half of a character"),
        ({"task_id": "set/p1", "completion": ""}, r"pass@2 needs 2 verdicts a problem"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_before_anything_starts(
    tmp_path: Path, suite: finding.NamedSuite, row: Any, what: str
) -> None:
    file = write(
        tmp_path / "c.jsonl", [{"task_id": "set/p0", "completion": ""}, row, {"task_id": "set/p0", "completion": ""}]
    )
    with pytest.raises(UserError, match=what):
        start_evaluation(tmp_path / "jobs", suite, file, ks=(2,))
    assert not (tmp_path / "jobs").exists()


def test_there_must_be_completions(tmp_path: Path, suite: finding.NamedSuite) -> None:
    with pytest.raises(UserError, match="holds no completion"):
        completions.read(write(tmp_path / "c.jsonl", [""]), suite.suite.problems)
    with pytest.raises(UserError, match="cannot be read"):
        completions.read(tmp_path / "none.jsonl", suite.suite.problems)
    with pytest.raises(UserError, match="no mode “paper”"):
        start_evaluation(tmp_path / "jobs", suite, tmp_path / "c.jsonl", mode="paper")
