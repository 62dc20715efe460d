"""From a configuration to a job folder: what can be refused early is refused, with its name."""

from __future__ import annotations

import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from core import jobs
from core.errors import UserError
from core.jobs import control
from core.jobs.folder import read_job
from core.samples import snapshots
from core.samples.language import parse
from core.training import evaluating, launch
from core.training.config import RunConfig
from core.training.config_file import from_mapping
from core.workspace import Workspace, open_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = open_workspace(tmp_path_factory.mktemp("launch") / "workspace")
    with closing(made.connect()) as connection:
        snapshots.create(made.snapshots, connection, "gold", parse("topic:errors"), validation=0.2)
    return made


def config(**changes: object) -> RunConfig:
    data = {"snapshot": "gold", "max_length": 512, **changes.pop("data", {})}  # type: ignore[dict-item]
    return from_mapping({"name": "try", "model": {"base": "starter"}, "data": data, **changes})


def places(workspace: Workspace) -> dict[str, Path]:
    return {"jobs": workspace.jobs, "snapshots": workspace.snapshots, "models": workspace.models}


def test_the_job_folder_holds_all_that_the_run_needs(workspace: Workspace) -> None:
    folder = launch.launch(config(), **places(workspace))
    job = read_job(folder)
    assert (job.kind, job.title, job.resources) == ("train", "try", ("train",))
    assert Path(job.request["base"]).is_dir()
    assert Path(job.request["snapshot"]) == workspace.snapshots / "gold"
    assert tomllib.loads((folder.path / "config.toml").read_text())["data"]["snapshot"] == "gold"
    assert jobs.info(folder).state == "queued"


def test_the_problems_of_evaluations_on_the_way_are_frozen_into_the_folder(workspace: Workspace) -> None:
    folder = launch.launch(config(evaluation={"suite": "workshop", "every": 5, "problems": 4}), **places(workspace))
    assert len(evaluating.read(folder).problems) == 4
    assert read_job(folder).request["config"]["evaluation"]["every"] == 5
    assert tomllib.loads((folder.path / "config.toml").read_text())["evaluation"]["suite"] == "workshop"
    before = set(workspace.jobs.iterdir())
    with pytest.raises(UserError, match="There is no suite “none”"):
        launch.launch(config(evaluation={"suite": "none", "every": 5}), **places(workspace))
    assert set(workspace.jobs.iterdir()) == before


@pytest.mark.parametrize(
    ("parallel", "gpus", "expected"),
    [
        ({}, 0, ["train"]),
        ({}, 8, ["gpu:1/8"]),
        ({"processes": 2}, 8, ["gpu:2/8"]),
        ({"processes": 4}, 2, ["gpu:2/2"]),
        ({"processes": 2, "gpus": [5, 0]}, 8, ["gpu:5", "gpu:0"]),
    ],
)
def test_a_run_waits_for_the_gpus_that_it_names_or_for_any(
    parallel: dict[str, object], gpus: int, expected: list[str]
) -> None:
    assert launch.leases(config(parallel=parallel), gpus) == expected


@pytest.mark.parametrize(("gpus", "words"), [(0, "has none"), (2, "has 2, counted from 0")])
def test_a_gpu_that_is_not_there_is_refused(gpus: int, words: str) -> None:
    with pytest.raises(UserError, match=f"names GPU 2, but this machine {words}"):
        launch.leases(config(parallel={"gpus": [2]}), gpus)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"snapshot": "golf"}}, "gold"),
        ({"model": {"base": "starer"}}, "starter"),
        ({"data": {"max_length": 4096}}, "2,048 positions"),
    ],
)
def test_what_is_missing_or_too_long_is_refused(workspace: Workspace, changes: dict[str, object], words: str) -> None:
    before = len(jobs.list_jobs(workspace.jobs))
    with pytest.raises(UserError) as caught:
        launch.launch(config(**changes), **places(workspace))
    assert words in str(caught.value)
    assert len(jobs.list_jobs(workspace.jobs)) == before


def test_the_plan_adds_up_and_follows_the_settings(workspace: Workspace) -> None:
    lora = launch.plan(config(), **places(workspace))
    assert lora.memory["total"] == sum(size for part, size in lora.memory.items() if part != "total")
    assert lora.steps == 300
    full = launch.plan(config(method={"kind": "full"}), **places(workspace))
    assert full.memory["optimizer"] > lora.memory["optimizer"]
    assert full.memory["adapter"] == 0
    wider = launch.plan(config(batch={"micro": 8}), **places(workspace))
    assert wider.memory["activations"] >= 4 * lora.memory["activations"]  # more where another moment is the dearest
    saved = launch.plan(config(parallel={"activation_checkpointing": "full"}), **places(workspace))
    assert saved.memory["activations"] < lora.memory["activations"]
    epochs = launch.plan(config(budget={"epochs": 2}), **places(workspace))
    assert 1.8 < epochs.epochs < 3.2


def test_the_plan_warns_of_what_will_be_cut_and_learnt_by_heart(workspace: Workspace) -> None:
    plan = launch.plan(config(data={"max_length": 64}, budget={"steps": 3000}), **places(workspace))
    text = " ".join(plan.warnings)
    assert "cut" in text
    assert "by heart" in text


def test_the_engine_is_told_what_auto_means_and_the_file_keeps_what_was_written(workspace: Workspace) -> None:
    folder = launch.launch(config(parallel={"processes": 2}), **places(workspace))
    request = read_job(folder).request
    assert request["config"]["parallel"]["mode"] == "ddp"
    assert "DDP" in request["why"]
    assert tomllib.loads((folder.path / "config.toml").read_text()).get("parallel", {}).get("mode", "auto") == "auto"
    assert launch.written(request)["parallel"]["mode"] == "auto"
    assert request["forecast"] == launch.plan(config(parallel={"processes": 2}), **places(workspace)).memory["total"]


def test_a_run_is_shared_out_anew(workspace: Workspace) -> None:
    two = config(parallel={"mode": "fsdp", "processes": 4, "tensor": 2})
    alone = launch.shared_out(two, 1).parallel
    assert (alone.mode, alone.processes, alone.tensor) == ("single", 1, 1)
    assert launch.shared_out(two, 2).parallel.mode == "fsdp"
    assert launch.shared_out(config(parallel={"mode": "single"}), 2).parallel.mode == "ddp"
    assert launch.shared_out(two, 2).model_dump(exclude={"parallel"}) == two.model_dump(exclude={"parallel"})
    with pytest.raises(UserError, match="does not divide processes = 3"):
        launch.shared_out(two, 3)
    offloaded = config(parallel={"mode": "fsdp", "processes": 2, "offload": True})
    with pytest.raises(UserError, match="offload"):
        launch.shared_out(offloaded, 1)


def test_a_run_that_was_never_started_can_be_resumed_on_more_processes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = launch.launch(config(), **places(workspace))
    monkeypatch.setattr(control, "_spawn", lambda *_: None)
    launch.resume(folder, 2)
    job = read_job(folder)
    assert (job.processes, job.resources) == (2, ("train",))
    assert job.request["config"]["parallel"]["processes"] == 2
    assert job.request["snapshot"] == str(workspace.snapshots / "gold")
