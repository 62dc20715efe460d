"""`gosmith teacher plan` and `gosmith generations`, over evaluations that lie in the workspace already."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli.root import main
from core.teacher.plan import load_plan, parse_plan
from core.workspace import Workspace
from tests.core.evaluation.measured import Groups, evaluated
from tests.core.teacher.loops import Loop

WEAK: Groups = {("time", "hard"): (0, 0, 2), ("strings", "easy"): (9, 10), ("parcels", "easy"): (0,)}
BETTER: Groups = {("time", "hard"): (5, 6, 2), ("strings", "easy"): (9, 10), ("parcels", "easy"): (0,)}


def ask(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str, code: int = 0) -> Any:
    assert main(["--workspace", str(workspace.root), "--json", *words]) == code
    return json.loads(capsys.readouterr().out)


def test_a_plan_is_made_of_what_fails(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = evaluated(workspace.jobs, tmp_path / "starter", "starter", WEAK)
    out = tmp_path / "plan.toml"
    found = ask(capsys, workspace, "teacher", "plan", job.id, "--samples", "50", "--out", str(out))
    made = load_plan(out)
    assert (made.evaluation, made.samples, sum(made.quotas.values()), made.recipe) == (job.id, 50, 50, "topic-grid")
    assert made.quotas["time"] > made.quotas["strings"]
    assert found["topics"][0]["name"] == "time"
    assert "no topic “parcels”" in found["notes"][0]
    # the file is a plan that the teacher takes
    told = ask(capsys, workspace, "teacher", "generate", str(out), "--dry-run")
    assert told["requested"] == 50
    # the folder and the file mean the same evaluation; another is never written over
    for place in (job.folder.output, job.folder.output / "evaluation.json"):
        assert ask(capsys, workspace, "teacher", "plan", str(place))["plan"]["evaluation"] == job.id
    again = ask(capsys, workspace, "teacher", "plan", job.id, "--out", str(out), code=1)
    assert "There is a file" in again["error"]


def test_what_is_printed_is_a_plan_with_its_remarks_and_a_table_where_it_is_written(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = evaluated(workspace.jobs, tmp_path / "starter", "starter", WEAK)
    words = ["--workspace", str(workspace.root), "teacher", "plan", job.id, "--model", "m", "--budget-usd", "3"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# The recipe “topic-grid” has no topic “parcels”")
    assert (parse_plan(printed).model, parse_plan(printed).budget_usd) == ("m", 3.0)
    assert main([*words, "--out", str(tmp_path / "plan.toml")]) == 0
    assert "gosmith teacher generate" in capsys.readouterr().out


def test_what_makes_no_plan_is_one_sentence(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = evaluated(workspace.jobs, tmp_path / "x", "x", {("", ""): (0, 10)}, suite="humaneval-x")
    assert "tell no topics" in ask(capsys, workspace, "teacher", "plan", job.id, code=1)["error"]
    assert "There is no job" in ask(capsys, workspace, "teacher", "plan", "nothing", code=1)["error"]
    assert "holds no evaluation" in ask(capsys, workspace, "teacher", "plan", str(tmp_path), code=1)["error"]
    error = ask(capsys, workspace, "teacher", "plan", job.id, "--recipe", "topic-gird", code=1)
    assert "topic-gird" in error["error"]


def test_generations_are_told_in_a_table_and_as_data(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "starter"
    base.mkdir()
    with closing(workspace.connect()) as connection:
        loop = Loop(workspace.root, connection)
        first = evaluated(workspace.jobs, base, "starter", WEAK)
        taught = loop.teach(first.id, {"time": 2})
        one = loop.train("first", base, loop.freeze("gold", "tag:topic-grid"))
    evaluated(workspace.jobs, one, "checkpoint-20", BETTER)
    data = ask(capsys, workspace, "generations", "set")
    assert [(row["generation"], row["model"]) for row in data["rows"]] == [(0, "starter"), (1, "first/step-20")]
    assert data["rows"][1]["run"]["taught"][0]["job"] == taught.id
    assert data["rows"][1]["interval"][0] < data["rows"][1]["pass_at_1"]
    one.rmdir()
    assert main(["--workspace", str(workspace.root), "generations", "set"]) == 0
    printed = capsys.readouterr().out
    assert "first/step-20 (deleted)" in printed
    assert f"{taught.id} 2 (time 2)" in printed
    assert "No model was evaluated on “none”" in ask(capsys, workspace, "generations", "none", code=1)["error"]
