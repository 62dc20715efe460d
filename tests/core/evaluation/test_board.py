"""The evaluations of a workspace, and what their folders hold, from folders alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.errors import UserError
from core.evaluation import board, contents, results
from core.evaluation.board import Board
from core.jobs import JobFolder, create
from core.jobs.status import State, list_jobs, write_state
from tests.app.evaluation.evaluations import evaluation

PASS, WRONG = "pass", "wrong_answer"


def test_results_that_are_done_are_entries_with_run_and_step(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    evaluation(jobs, "starter", [[PASS], [WRONG]], path="/models/starter")
    evaluation(jobs, "a run/step-300", [[PASS], [PASS]], path="/ws/jobs/20260101-train-ab/output/checkpoint-300")
    evaluation(jobs, "answers.jsonl", [[PASS], [WRONG]])
    evaluation(jobs, "going on", [[PASS]], done=False, state=State(state="stopped", attempt=1))
    found = {one.name: one for one in Board().entries(list_jobs(jobs))}
    assert set(found) == {"starter", "a run/step-300", "answers.jsonl"}
    one = found["a run/step-300"]
    assert (one.run, one.step, one.evaluation.pass_at[1].value) == ("20260101-train-ab", 300, 1.0)
    assert (found["starter"].run, found["starter"].step) == ("", None)


def test_a_result_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "jobs", "starter", [[PASS], [WRONG]])
    shown, jobs = Board(), list_jobs(tmp_path / "jobs")
    first = shown.entries(jobs)
    assert shown.entries(jobs)[0] is first[0]
    path = folder.output / results.RESULT
    text = json.loads(path.read_text())
    path.write_text(json.dumps({**text, "seconds": 99.0}))
    os.utime(path, ns=(1, 1))
    assert shown.entries(jobs)[0].evaluation.seconds == 99.0
    path.write_text("{")
    os.utime(path, ns=(2, 2))
    assert shown.entries(jobs) == []


def test_the_pace_is_told_from_what_the_job_says_it_does_now(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    assert board.standing(events) == board.Standing()
    lines = [
        {"t": 1.0, "kind": "message", "text": "Answering 40 times"},
        {"t": 2.0, "kind": "progress", "done": 0, "total": 40},
        {"t": 9.0, "kind": "progress", "done": 40, "total": 40},
        {"t": 10.0, "kind": "message", "text": "Judging 40 candidates"},
        {"t": 10.0, "kind": "progress", "done": 0, "total": 40},
        {"t": 20.0, "kind": "progress", "done": 10, "total": 40},
    ]
    events.write_text("".join(json.dumps(one) + "\n" for one in lines))
    found = board.standing(events)
    assert (found.message, found.done, found.total, found.seconds_left) == ("Judging 40 candidates", 10, 40, 30.0)
    with events.open("a") as file:
        file.write(json.dumps({"t": 30.0, "kind": "evaluated", "pass_at": {"1": 0.25}}) + "\n")
    assert board.standing(events).pass_at_1 == 0.25


def test_contents_are_told_before_the_end_and_after_it(tmp_path: Path) -> None:
    statuses = [[PASS, WRONG], ["types", "sandbox_error"]]
    going = evaluation(tmp_path / "jobs", "a", statuses, done=False, state=State(state="stopped", attempt=1))
    found = contents.read(going)
    assert found.evaluation is None
    assert found.candidate_count == 4
    assert [(one.n, one.correct, one.unjudged) for one in found.tallies] == [(2, 1, 0), (1, 0, 1)]
    assert [one.index for one in found.candidates["mine/p00"]] == [0, 1]
    assert found.problems["mine/p01"].topic == "strings"
    before = contents.stamp(going)
    with (going.output / results.CANDIDATES).open("a") as file:
        file.write('{"task": "mine/p00"')
    assert contents.stamp(going) != before
    assert contents.read(going).candidate_count == 4, "half a line is no candidate"
    done = contents.read(evaluation(tmp_path / "jobs", "b", statuses, missing=("mine/p09",)))
    assert done.evaluation is not None
    assert done.evaluation.missing == ("mine/p09",)


def test_damaged_contents_are_a_sentence(tmp_path: Path) -> None:
    folder = evaluation(tmp_path / "jobs", "a", [[PASS]])
    (folder.output / results.CANDIDATES).write_text("[]\n")
    with pytest.raises(UserError, match="is damaged"):
        contents.read(folder)
    with pytest.raises(UserError, match="missing or damaged"):
        contents.read(JobFolder(tmp_path / "none"))


def test_points_on_the_way_of_a_run_are_entries_too_newest_first(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    run = create(jobs, "train", {}, title="a run")
    write_state(run, State(state="running", attempt=1))
    for step, statuses in ((10, [[WRONG]]), (20, [[PASS]])):
        made = evaluation(tmp_path / "elsewhere", f"a run, step {step}", statuses)
        result = json.loads((made.output / results.RESULT).read_text())
        result["origin"]["settings"] |= {"run": run.id, "step": step}
        folder = run.output / "evaluations" / f"step-{step:06d}"
        folder.mkdir(parents=True)
        (folder / results.RESULT).write_text(json.dumps(result))
    (job,) = list_jobs(jobs)
    found = Board().entries([job])
    assert [(one.key, one.job, one.run, one.step) for one in found] == [
        (f"{run.id}/step-000020", run.id, run.id, 20),
        (f"{run.id}/step-000010", run.id, run.id, 10),
    ]
    before = board.stamp(job)
    (run.output / "evaluations" / "step-000030").mkdir()
    assert board.stamp(job) != before
