"""`gosmith plan`: what a run will take, with the count beside the closed form; `train --help-config`: the keys of a configuration."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli.root import main
from core import jobs
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
