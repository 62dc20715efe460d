"""A whole suite is checked by a job; what it finds hangs on what a problem holds, and outlives edits of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import UserError
from core.evaluation import finding, private, soundness
from core.evaluation.checking import Soundness
from core.jobs import JobFolder, info, start
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

GOOD = problems.our_text(TASKS[0])


def suite(folder: Path, **texts: str) -> finding.NamedSuite:
    return finding.open_suite(str(problems.write_ours(folder, texts)), None)


def finish(job: JobFolder, eventually: Callable[..., None]) -> None:
    eventually(lambda: not info(job).alive, seconds=120, what="the check ends")
    assert info(job).state == "done", job.log.read_text()


def test_a_job_checks_a_suite_and_its_findings_hang_on_the_texts(
    tmp_path: Path, eventually: Callable[..., None], go_ready: None
) -> None:
    jobs = tmp_path / "jobs"
    named = suite(tmp_path / "set", good=GOOD, wrong=GOOD.replace("total += w", "total -= w"))
    first = soundness.start_check(jobs, named)
    finish(first, eventually)
    found = soundness.found(jobs)
    said = {one.task: found[soundness.digest(one, "gosmith")] for one in named.suite.problems}
    assert said["set/good"].complaints == ()
    assert "does not pass (wrong answer)" in said["set/wrong"].complaints[0]
    assert (info(first).step, info(first).total) == (2, 2)

    # another prompt: that problem is checked anew, the sound one is not, and the wrong one is
    folder = tmp_path / "set"
    kept = private.find(folder, "good")
    private.save(folder, replace(kept.draft, name="copied"))
    again = finding.open_suite(str(folder), None)
    second = soundness.start_check(jobs, again)
    kept_lines = [json.loads(line) for line in (second.output / soundness.FOUND).read_text().splitlines()]
    assert [one["task"] for one in kept_lines][:1] == ["set/good"]
    finish(second, eventually)
    assert not first.path.exists()
    found = soundness.found(jobs)
    assert [bool(found[soundness.digest(one, "gosmith")].complaints) for one in again.suite.problems] == [
        False,
        False,
        True,
    ]


def test_what_was_found_before_a_kill_is_not_checked_again(
    tmp_path: Path, eventually: Callable[..., None], go_ready: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = suite(tmp_path / "set", good=GOOD, other=GOOD.replace("6", "5 + 1"))
    monkeypatch.setattr(soundness, "start", lambda _folder: None)
    job = soundness.start_check(tmp_path / "jobs", named)
    first, second = (soundness.digest(one, "gosmith") for one in named.suite.problems)
    before = Soundness("set/good", "pass", "panic", False, ("as it was found before",))
    soundness.keep(job.output, [(first, before)])
    with (job.output / soundness.FOUND).open("a") as lines:
        lines.write(f'{{"digest": "{second}", "task": "set/oth')
    start(job)
    finish(job, eventually)
    found = soundness.found(tmp_path / "jobs")
    assert found[first] == before
    assert found[second].complaints == ()


def test_a_finding_is_of_what_is_built_and_run(tmp_path: Path) -> None:
    (one,) = suite(tmp_path / "set", x=GOOD).suite.problems
    same = [replace(one, task="other/y"), replace(one, topic="ships"), replace(one, difficulty="hard")]
    assert {soundness.digest(other, "gosmith") for other in same} == {soundness.digest(one, "gosmith")}
    changed = [
        replace(one, test="x"),
        replace(one, solution="x"),
        replace(one, prompt="x"),
        replace(one, signature="x"),
    ]
    assert len({soundness.digest(other, "gosmith") for other in (one, *changed)}) == 5


def test_half_a_line_and_strange_lines_are_left_out(tmp_path: Path) -> None:
    one = Soundness("a/b", "pass", "panic", False, ())
    soundness.keep(tmp_path, [("x", one)])
    with (tmp_path / soundness.FOUND).open("ab") as lines:
        lines.write(b'[]\n{"digest": "y"}\n{"digest": "z", "task": 1}\n\xff\n{"digest": "half", "ta')
    assert soundness.found_in(tmp_path) == {"x": one}
    assert soundness.found_in(tmp_path / "nowhere") == {}


def test_a_suite_that_go_cannot_be_measured_with_is_refused(tmp_path: Path) -> None:
    path = problems.write(tmp_path / "python.jsonl", [problems.humaneval()])
    with pytest.raises(UserError, match="in Python"):
        soundness.start_check(tmp_path / "jobs", finding.open_suite(str(path), None))
    assert not (tmp_path / "jobs").exists()
