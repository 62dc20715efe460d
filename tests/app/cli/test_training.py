"""`gosmith plan`: what a run will take, with the count beside the closed form; `train --help-config`: the keys of a configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli import waiting
from app.cli.root import main
from core import jobs
from core.jobs import JobFolder
from core.samples import snapshots
from core.samples.language import parse
from core.workspace import Workspace

CONFIG = """
[model]
base = "starter"
[data]
snapshot = "gold"
max_length = 64
[parallel]
processes = 2
"""


@pytest.mark.slow
def test_a_plan_says_mode_range_and_count_and_leaves_no_job(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(workspace.connect()) as connection:
        snapshots.create(workspace.snapshots, connection, "gold", parse("topic:errors"), validation=0.2)
    file = tmp_path / "run.toml"
    file.write_text(CONFIG)
    assert main(["--workspace", str(workspace.root), "--json", "plan", str(file), "--count"]) == 0
    plan: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert plan["mode"] == "ddp"
    assert plan["parallel"] == {"mode": "ddp"}
    assert plan["low"] < plan["memory"]["total"] < plan["high"]
    assert plan["count"]["counted"] == pytest.approx(plan["count"]["closed"], rel=0.06)
    assert not jobs.list_jobs(workspace.jobs)


EVALUATED = """
name = "short"
[model]
base = "starter"
[data]
snapshot = "gold"
max_length = 512
[budget]
steps = 2
[batch]
micro = 1
accumulation = 1
[validation]
every = 0
[evaluation]
suite = "workshop"
every = 2
problems = 2
max_tokens = 4
"""


@pytest.mark.slow
@pytest.mark.usefixtures("go_ready")
def test_train_tells_the_points_of_its_evaluations_as_they_come(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(workspace.connect()) as connection:
        snapshots.create(workspace.snapshots, connection, "gold", parse("topic:errors"), validation=0.2)
    file = tmp_path / "run.toml"
    file.write_text(EVALUATED)
    assert main(["--workspace", str(workspace.root), "--json", "train", str(file)]) == 0
    said = capsys.readouterr()
    answer: dict[str, Any] = json.loads(said.out)
    assert [(one["step"], one["problems"]) for one in answer["evaluations"]] == [(0, 2), (2, 2)]
    assert "step 0: pass@1 0.0 % (0.0 to 65.8), " in said.err
    assert "step 2: pass@1 0.0 %" in said.err
    a, b = (one["path"] for one in answer["evaluations"])
    assert main(["--workspace", str(workspace.root), "compare", a, b]) == 0
    assert "no evidence: pass@1 0.0 -> 0.0, +0.0 points" in capsys.readouterr().out


def test_an_evaluation_on_the_way_that_cannot_be_is_refused_in_a_sentence(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.toml"
    file.write_text(EVALUATED.replace("workshop", "wrokshop"))
    assert main(["--workspace", str(workspace.root), "train", str(file)]) == 1
    assert "There is no suite “wrokshop”" in capsys.readouterr().err
    assert not jobs.list_jobs(workspace.jobs)


def test_who_waits_in_a_shell_is_told_who_holds_the_gpu_and_how_to_end_it(
    tmp_path: Path,
    begin_nap: Callable[..., JobFolder],
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., None],
) -> None:
    served = begin_nap(
        tmp_path, "Serve starter", kind="serve", resources=("gpu:1/1 shared",), steps=1_000_000
    )  # fmt: skip
    eventually(lambda: jobs.info(served).state == "running", seconds=20)
    run = begin_nap(tmp_path, "errgroup", kind="train", resources=("gpu:1/1",), steps=2)
    lines: list[str] = []

    def hear(text: str, *, err: bool) -> None:
        assert err
        lines.append(text)
        jobs.stop(served)

    monkeypatch.setattr(waiting.click, "echo", hear)
    assert waiting.wait_for(run, "Training").state == "done"
    assert lines == [
        "Waiting for “Serve starter”, which holds gpu:0.\n"
        f"  gpu:0: “Serve starter”, a served model; `gosmith jobs stop {served.id}` ends it."
    ]
