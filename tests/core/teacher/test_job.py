"""The job kind `teacher` through a real supervisor: streamed results, a pause that resumes, a kill that loses nothing."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.database import connect, migrate
from core.errors import UserError
from core.jobs import JobFolder, info
from core.jobs.control import resume, start, stop, wait_for_end
from core.jobs.events import read_events
from core.samples import membership
from core.teacher import recipes, results, starting
from core.teacher.plan import plan_from
from core.teacher.results import Outcome

WORKER = Path(__file__).parent / "teacher_job.py"
Eventually = Callable[..., None]


def launch(tmp_path: Path, connection: sqlite3.Connection, **plan: Any) -> JobFolder:
    asked = plan_from({"recipe": "topic-grid", "model": "gpt-4.1", "samples": 6, "seed": 3, "concurrency": 1, **plan})
    return starting.launch(asked, tmp_path, connection)


def finish(job: JobFolder, eventually: Eventually) -> str:
    eventually(lambda: not info(job).alive, seconds=240, what="the job has ended")
    return info(job).state


def outcomes(job: JobFolder) -> list[Outcome]:
    return results.read(job.output / results.FILE)[0]


def asked(job: JobFolder) -> list[str]:
    return [line.split()[0] for line in (job.path / "asked").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> JobFolder:
    """A job of six samples that nothing has disturbed, at its end."""
    place = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch, closing(connect(place / "gosmith.db")) as connection:
        patch.setenv("GOSMITH_CACHE", str(shared_cache))
        migrate(connection)
        membership.attach(connection, place / "snapshots")
        job = launch(place, connection)
        start(job, main_file=WORKER)
        wait_for_end(job, 240)
    return job


@pytest.mark.slow
def test_a_job_makes_what_its_plan_says_and_tells_where_it_stands(whole: JobFolder) -> None:
    assert info(whole).state == "done", whole.log.read_text()
    found = sorted(outcomes(whole), key=lambda one: one.number)
    assert [one.number for one in found] == [0, 1, 2, 3, 4, 5]
    assert sorted(one.result for one in found) == [
        "failed",
        "unverified",
        "verified",
        "verified",
        "verified",
        "verified",
    ]
    last = [event for event in read_events(whole.events) if event["kind"] == "teacher"][-1]
    assert (last["requested"], last["done"], last["verified"], last["fixes"]) == (6, 6, 4, 1)
    assert last["prompt_tokens"] == 100 * last["asked"]
    assert last["cost_usd"] == pytest.approx(0.0006 * last["asked"])


@pytest.mark.slow
def test_out_of_quota_is_a_pause_with_a_sentence_and_resuming_goes_on(
    tmp_path: Path, connection: sqlite3.Connection, eventually: Eventually, whole: JobFolder
) -> None:
    job = launch(tmp_path, connection)
    (job.path / "quota").write_text("5")
    start(job, main_file=WORKER)
    assert finish(job, eventually) == "stopped"
    assert info(job).message == "The account's quota is used up."
    assert "Resume it" in info(job).hint
    before = outcomes(job)
    assert len(before) < 6
    with (job.output / results.FILE).open("ab") as file:
        file.write(b'{"number": 4, "resu')  # what a crash in the middle of a write leaves
    (job.path / "quota").unlink()
    resume(job, main_file=WORKER)
    assert finish(job, eventually) == "done"
    assert info(job).message == ""
    after = outcomes(job)
    assert after[: len(before)] == before
    assert sorted(one.number for one in after) == [0, 1, 2, 3, 4, 5]
    assert {one.number: one.draw for one in after} == {one.number: one.draw for one in outcomes(whole)}
    assert set(asked(job)) >= set(asked(whole)[:5])


@pytest.mark.slow
def test_a_killed_job_goes_on_after_what_is_done(
    tmp_path: Path, connection: sqlite3.Connection, eventually: Eventually
) -> None:
    job = launch(tmp_path, connection, samples=12)
    start(job, main_file=WORKER)
    eventually(lambda: outcomes(job), seconds=120)
    (worker,) = json.loads(job.state.read_text())["workers"]
    os.kill(worker, signal.SIGKILL)
    assert finish(job, eventually) == "failed"
    before = outcomes(job)
    resume(job, main_file=WORKER)
    assert finish(job, eventually) == "done", job.log.read_text()
    after = outcomes(job)
    assert after[: len(before)] == before
    assert sorted(one.number for one in after) == list(range(12))


@pytest.mark.slow
def test_a_job_that_is_stopped_stops_soon(
    tmp_path: Path, connection: sqlite3.Connection, eventually: Eventually
) -> None:
    job = launch(tmp_path, connection, samples=400)
    start(job, main_file=WORKER)
    eventually(lambda: outcomes(job), seconds=120)
    stop(job)
    assert finish(job, eventually) == "stopped"
    assert info(job).message == "Stopped when asked."
    assert 1 <= len(outcomes(job)) < 400


@pytest.mark.slow
def test_some_samples_are_tried_again_in_a_job_of_their_own(
    tmp_path: Path, connection: sqlite3.Connection, eventually: Eventually
) -> None:
    first = launch(tmp_path, connection, recipe="oss-instruct", seeds={"folder": str(go_tree(tmp_path))})
    start(first, main_file=WORKER)
    assert finish(first, eventually) == "done", first.log.read_text()
    again = starting.launch_again(first, [4, 1, 77], tmp_path, connection)
    assert (again.path / "seeds.jsonl").read_bytes() == (first.path / "seeds.jsonl").read_bytes()
    start(again, main_file=WORKER)
    assert finish(again, eventually) == "done", again.log.read_text()
    before = {one.number: (one.draw, one.origin) for one in outcomes(first)}
    assert {one.number: (one.draw, one.origin) for one in outcomes(again)} == {n: before[n] for n in (1, 4)}
    last = [event for event in read_events(again.events) if event["kind"] == "teacher"][-1]
    assert (last["requested"], last["done"]) == (2, 2)


def test_a_second_try_keeps_the_recipe_of_the_first_and_refuses_what_was_never_asked_for(
    tmp_path: Path, connection: sqlite3.Connection
) -> None:
    recipes.copy("topic-grid", tmp_path)
    first = launch(tmp_path, connection)
    (tmp_path / "recipes" / "topic-grid" / "instruction.j2").write_text("Something else.\n")
    again = starting.launch_again(first, [2, 2, 0], tmp_path, connection)
    asked = json.loads(again.request.read_text())
    assert asked["request"]["numbers"] == [0, 2]
    assert asked["request"]["plan"] == json.loads(first.request.read_text())["request"]["plan"]
    assert asked["title"].endswith(": 2 samples of gpt-4.1 again")
    assert asked["command"][-4:] == ["retry", first.id, "0", "2"]
    kept, new = (job.path / "recipe" / "instruction.j2" for job in (first, again))
    assert kept.read_bytes() == new.read_bytes()
    with pytest.raises(UserError, match="none of these samples"):
        starting.launch_again(first, [6], tmp_path, connection)
    with pytest.raises(UserError, match="none of these samples"):
        starting.launch_again(again, [1], tmp_path, connection)


def go_tree(root: Path) -> Path:
    folder = root / "tree"
    folder.mkdir()
    for number in range(9):
        body = "".join(f"\tx += {number + step}\n" for step in range(12))
        (folder / f"f{number}.go").write_text(
            f"package tree\n\n// F{number} adds.\nfunc F{number}(x int) int {{\n{body}\treturn x\n}}\n"
        )
    return folder


def test_what_cannot_work_is_refused_before_a_folder_is_made(tmp_path: Path, connection: sqlite3.Connection) -> None:
    with pytest.raises(UserError, match="There is no recipe “topic-gird”"):
        launch(tmp_path, connection, recipe="topic-gird")
    with pytest.raises(UserError, match="quotas names “cooking”"):
        launch(tmp_path, connection, quotas={"cooking": 3})
    with pytest.raises(UserError, match="is no folder"):
        launch(tmp_path, connection, recipe="oss-instruct", seeds={"folder": str(tmp_path / "none")})
    with pytest.raises(UserError, match="No sample with Go code is found"):
        launch(tmp_path, connection, recipe="evol-instruct")
    assert not list((tmp_path / "jobs").glob("*-teacher-*"))


def test_a_seed_is_made_and_recorded_where_none_is_given(tmp_path: Path, connection: sqlite3.Connection) -> None:
    asked = plan_from({"recipe": "topic-grid", "model": "m"})
    jobs = [starting.launch(asked, tmp_path, connection) for _ in range(2)]
    seeds = [json.loads(job.request.read_text())["request"]["plan"]["seed"] for job in jobs]
    assert all(isinstance(seed, int) for seed in seeds)
    assert seeds[0] != seeds[1]
    assert f"seed = {seeds[0]}\n" in (jobs[0].path / "plan.toml").read_text()
