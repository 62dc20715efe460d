"""`gosmith jobs` and `train --start-at`: what a terminal may ask of jobs that are under way, each answer one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli.root import main
from core import jobs
from core.jobs import control
from core.jobs.events import read_events
from core.jobs.folder import JobFolder, create
from core.samples import snapshots
from core.samples.language import parse
from core.workspace import Workspace

Eventually = Callable[..., None]
Ask = Callable[..., dict[str, Any]]
ONE = ("gpu:1/1",)


@pytest.fixture
def ask(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Ask:
    """`ask("jobs", "list")`: the answer of one command line; `code` is the exit code it must have."""

    def run(*words: str, code: int = 0) -> dict[str, Any]:
        assert main(["--workspace", str(workspace.root), "--json", *words]) == code
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


@pytest.fixture
def run(workspace: Workspace, begin_nap: Callable[..., JobFolder], eventually: Eventually) -> JobFolder:
    """A job of the kind of runs that holds the only GPU and goes on until it is stopped."""
    folder = begin_nap(workspace.jobs, "errgroup", kind="train", resources=ONE, steps=1_000_000, epoch=20)
    eventually(lambda: jobs.info(folder).step)
    return folder


@pytest.fixture
def waiting(
    run: JobFolder, workspace: Workspace, begin_nap: Callable[..., JobFolder], eventually: Eventually
) -> dict[str, JobFolder]:
    """a, b and c, which wait for the GPU in this order."""
    found = {}
    for place, name in enumerate("abc", 1):
        found[name] = begin_nap(workspace.jobs, name, kind="train", resources=ONE, steps=2)
        eventually(lambda name=name, place=place: jobs.info(found[name]).place == place)
    return found


def test_show_says_what_a_run_was_made_from_and_which_checkpoint_is_best(ask: Ask, workspace: Workspace) -> None:
    request = {"config": {"data": {"snapshot": "gold"}}, "base": "/models/starter", "snapshot": "/w/snapshots/gold"}
    folder = create(workspace.jobs, "train", request, title="errgroup")
    for step, loss, validation in ((100, 1.5, 1.6), (200, 1.25, 1.75)):
        path = folder.output / f"checkpoint-{step:06d}"
        path.mkdir()
        note = {"step": step, "loss": loss, "validation_loss": validation}
        (path / "gosmith.json").write_text(json.dumps(note))
    answer = ask("jobs", "show", folder.id)
    assert (answer["snapshot"], answer["base"]) == (request["snapshot"], request["base"])
    assert answer["checkpoints"] == [
        {
            "path": str(folder.output / "checkpoint-000100"),
            "step": 100,
            "loss": 1.5,
            "validation_loss": 1.6,
            "best": True,
        },
        {
            "path": str(folder.output / "checkpoint-000200"),
            "step": 200,
            "loss": 1.25,
            "validation_loss": 1.75,
            "best": False,
        },
    ]


def test_gpus_says_which_process_holds_which_gpu_and_who_waits(
    ask: Ask, run: JobFolder, waiting: dict[str, JobFolder]
) -> None:
    answer = ask("jobs", "gpus")
    held = next(lease for lease in answer["leases"] if lease["name"] == "gpu:0")
    now = jobs.info(run)
    assert held == {"name": "gpu:0", "job": run.id, "title": "errgroup", "pid": now.pid, "workers": list(now.workers)}
    assert [one["title"] for one in answer["waiting"]] == ["a", "b", "c"]
    listed = {job["id"]: job for job in ask("jobs", "list")["jobs"]}
    assert (listed[run.id]["leases"], listed[run.id]["pid"]) == (["gpu:0"], now.pid)
    assert listed[waiting["b"].id]["place"] == 2


def test_move_changes_the_order_and_answers_with_it(ask: Ask, waiting: dict[str, JobFolder]) -> None:
    a, b, c = (waiting[name].id for name in "abc")
    assert ask("jobs", "move", c, "--before", b)["waiting"] == [a, c, b]
    assert ask("jobs", "move", b, "--first")["waiting"] == [b, a, c]
    assert ask("jobs", "move", b, "--last")["waiting"] == [a, c, b]


def test_move_wants_exactly_one_place_and_a_job_that_waits(
    ask: Ask, run: JobFolder, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(workspace.root), "jobs", "move", run.id, "--first", "--last"]) == 2
    assert "--before" in capsys.readouterr().err
    assert "does not wait" in ask("jobs", "move", run.id, "--first", code=1)["error"]


def test_a_run_saves_a_checkpoint_and_stops_after_its_epoch_when_asked(
    ask: Ask, run: JobFolder, eventually: Eventually
) -> None:
    assert ask("jobs", "checkpoint", run.id)["state"] == "running"
    eventually(lambda: any(event["kind"] == "checkpoint" for event in read_events(run.events)))
    ask("jobs", "stop", run.id, "--after-epoch")
    assert control.wait_for_end(run, 30).state == "stopped"
    assert "has ended" in ask("jobs", "checkpoint", run.id, code=1)["error"]


def test_what_is_no_run_has_neither_checkpoints_nor_epochs(
    ask: Ask, workspace: Workspace, begin_nap: Callable[..., JobFolder]
) -> None:
    other = begin_nap(workspace.jobs, "Checks", steps=1_000_000)
    assert "is no run" in ask("jobs", "checkpoint", other.id, code=1)["error"]
    assert "is no run" in ask("jobs", "stop", other.id, "--after-epoch", code=1)["error"]


def test_delete_removes_an_ended_job_and_refuses_a_living_one(ask: Ask, run: JobFolder) -> None:
    assert "still running" in ask("jobs", "delete", run.id, code=1)["error"]
    ask("jobs", "stop", run.id)
    assert ask("jobs", "delete", run.id) == {"deleted": run.id}
    assert not run.path.exists()
    assert "no job" in ask("jobs", "show", run.id, code=1)["error"]


@pytest.fixture
def config_file(workspace: Workspace, tmp_path: Path) -> Path:
    with closing(workspace.connect()) as connection:
        snapshots.create(workspace.snapshots, connection, "gold", parse("topic:errors"), validation=0.2)
    path = tmp_path / "late.toml"
    path.write_text('name = "late"\n[model]\nbase = "starter"\n[data]\nsnapshot = "gold"\nmax_length = 512\n')
    return path


def test_a_run_that_starts_at_a_time_waits_without_a_shell(
    ask: Ask, config_file: Path, workspace: Workspace, eventually: Eventually
) -> None:
    answer = ask("train", str(config_file), "--start-at", "2099-01-02T03:04")
    folder = JobFolder(workspace.jobs / answer["job"])
    assert answer["starts_at"].startswith("2099-01-02T03:04")
    eventually(lambda: jobs.info(folder).message == "Starts at 2 Jan 2099 03:04.")
    assert ask("jobs", "show", folder.id)["not_before"].startswith("2099-01-02T03:04")
    assert ask("jobs", "stop", folder.id)["state"] == "stopped"


def test_a_time_that_is_none_is_refused_before_anything_is_made(
    ask: Ask, config_file: Path, workspace: Workspace
) -> None:
    assert "no time of day" in ask("train", str(config_file), "--start-at", "tonight", code=1)["error"]
    assert jobs.list_jobs(workspace.jobs) == []


def test_start_begins_a_job_whose_time_has_not_come(
    ask: Ask, workspace: Workspace, begin_nap: Callable[..., JobFolder], eventually: Eventually
) -> None:
    late = begin_nap(workspace.jobs, "late", not_before=4e9, steps=2)
    eventually(lambda: jobs.info(late).not_before)
    ask("jobs", "start", late.id)
    assert control.wait_for_end(late, 20).state == "done"
    assert "does not wait for a time" in ask("jobs", "start", late.id, code=1)["error"]


def test_only_a_run_is_shared_out_to_other_workers(
    ask: Ask, workspace: Workspace, begin_nap: Callable[..., JobFolder]
) -> None:
    folder = begin_nap(workspace.jobs, "a check", kind="check", steps=1)
    control.wait_for_end(folder, 20)
    answer = ask("jobs", "resume", folder.id, "--processes", "2", code=1)
    assert "is no run" in json.dumps(answer)
