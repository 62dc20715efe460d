"""The job kind `check`: from input.jsonl to output/verdicts.jsonl, through a real supervisor, stopped and resumed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.jobs import JobFolder, create, info, start
from core.jobs.control import resume, stop
from core.jobs.events import read_events

GOOD = "package a\n\nfunc Sum(a, b int) int { return a + b }\n"
TEST = (
    'package a\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Error("no")\n\t}\n}\n'
)


def make(folder: Path, level: str, texts: Sequence[tuple[str, str]]) -> JobFolder:
    job = create(folder / "jobs", "check", {"level": level}, title="Check")
    rows = [{"version": 10 + at, "code": code, "test": test} for at, (code, test) in enumerate(texts)]
    (job.path / "input.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return job


def verdicts(job: JobFolder) -> list[dict[str, Any]]:
    path = job.output / "verdicts.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def finish(job: JobFolder, eventually: Callable[..., None]) -> str:
    eventually(lambda: not info(job).alive, seconds=240, what="the job has ended")
    return info(job).state


def test_each_level_adds_its_checks(tmp_path: Path, eventually: Callable[..., None]) -> None:
    texts = [
        (GOOD, TEST),
        (GOOD.replace("+ b", "- b"), TEST),
        (GOOD.replace("+ b", "+ c"), TEST),
        ("package a\n\nfunc F() {\n\treturn\n\tprintln(1)\n}\n", ""),
    ]
    jobs = {level: make(tmp_path, level, texts) for level in ("types", "vet", "test")}
    for job in jobs.values():
        start(job)
    for job in jobs.values():
        assert finish(job, eventually) == "done", job.log.read_text()
    states = {level: [one["states"] for one in verdicts(job)] for level, job in jobs.items()}
    assert set(states["types"][0]) == {"parse", "format", "types"}
    assert [one["vet"] for one in states["vet"]] == ["pass", "pass", "skipped", "fail"]
    assert [one["test"] for one in states["test"]] == ["pass", "fail", "skipped", "skipped"]
    assert all("test" not in one for one in states["vet"])
    found = verdicts(jobs["test"])
    assert [one["version"] for one in found] == [10, 11, 12, 13]
    assert {"check": "types", "line": 3, "column": 37, "message": "undefined: c"} in found[2]["diagnostics"]
    assert found[0]["toolchain"].startswith("go1.")
    events = read_events(jobs["test"].events)
    progress = [event for event in events if event["kind"] == "progress"]
    assert (progress[-1]["done"], progress[-1]["total"]) == (4, 4)
    (summary,) = [event for event in events if event["kind"] == "checked"]
    assert summary["by_check"]["test"] == {"pass": 1, "fail": 1, "skipped": 2}


def test_a_stopped_job_goes_on_where_it_was(tmp_path: Path, eventually: Callable[..., None]) -> None:
    texts = [(f"package a\n\nvar x{at} = {at}\n", "") for at in range(30_000)]
    job = make(tmp_path, "types", texts)
    start(job)
    eventually(lambda: len(verdicts(job)) >= 500, seconds=120)
    stop(job)
    assert finish(job, eventually) == "stopped"
    before = verdicts(job)
    assert 500 <= len(before) < 30_000
    with (job.output / "verdicts.jsonl").open("a") as file:
        file.write('{"version": 29999, "sta')  # what a crash in the middle of a write leaves
    resume(job)
    assert finish(job, eventually) == "done"
    after = verdicts(job)
    assert [one["version"] for one in after] == [10 + at for at in range(30_000)]
    assert after[: len(before)] == before


def test_a_worker_that_is_killed_leaves_no_process_and_loses_no_verdict(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    texts = [(f"package a\n\nvar x{at} = {at}\n", "") for at in range(30_000)]
    job = make(tmp_path, "types", texts)
    start(job)
    eventually(lambda: len(verdicts(job)) >= 500, seconds=120)
    (worker,) = json.loads(job.state.read_text())["workers"]
    os.kill(worker, signal.SIGKILL)
    assert finish(job, eventually) == "failed"
    whole = (job.output / "verdicts.jsonl").read_bytes()
    assert whole.endswith(b"\n")
    resume(job)
    assert finish(job, eventually) == "done"
    assert [one["version"] for one in verdicts(job)] == [10 + at for at in range(30_000)]


def test_input_that_is_not_as_it_should_be_is_named(tmp_path: Path, eventually: Callable[..., None]) -> None:
    job = make(tmp_path, "types", [(GOOD, "")])
    with (job.path / "input.jsonl").open("a") as file:
        file.write('{"version": "x"}\n')
    start(job)
    assert finish(job, eventually) == "failed"
    assert "Line 2 of" in info(job).message
    job = make(tmp_path, "everything", [(GOOD, "")])
    start(job)
    assert finish(job, eventually) == "failed"
    assert "There is no check level 'everything'" in info(job).message
