"""`gosmith teacher`: from a plan in a file to samples in the workspace, with a teacher that needs no network."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.cli import teacher
from app.cli.root import main
from core.jobs import JobFolder, control, list_jobs
from core.samples import query
from core.teacher import launching
from core.workspace import Workspace

WORKER = Path(__file__).parents[2] / "core/teacher/teacher_job.py"


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text('recipe = "topic-grid"\nmodel = "gpt-4.1"\nsamples = 6\nseed = 3\nconcurrency = 1\n')
    return path


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs started here ask a teacher of the test's own."""
    monkeypatch.setattr(teacher, "start", partial(control.start, main_file=WORKER))
    monkeypatch.setattr(launching, "resume_job", partial(control.resume, main_file=WORKER))


def ask(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str, code: int = 0) -> Any:
    assert main(["--workspace", str(workspace.root), "--json", "teacher", *words]) == code
    return json.loads(capsys.readouterr().out)


def count(workspace: Workspace, search: str) -> int:
    with closing(workspace.connect()) as connection:
        return query.count(connection, query.parse(search))


@pytest.mark.slow
@pytest.mark.usefixtures("scripted")
def test_a_plan_becomes_samples_with_verdicts(
    workspace: Workspace, plan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(capsys, workspace, "generate", str(plan_file))
    assert (answer["requested"], answer["completed"], answer["failed"], answer["state"]) == (6, 5, 1, "done")
    assert (answer["verified"], answer["unverified"], answer["fixes"]) == (4, 1, 1)
    assert answer["cost_usd"] > 0
    assert answer["job"] in [job.id for job in list_jobs(workspace.jobs)]
    assert count(workspace, "tag:topic-grid -tag:fix") == 5
    assert count(workspace, "tag:verified verdict:pass tag:topic-grid") == 5
    assert count(workspace, "tag:fix") == 1
    with closing(workspace.connect()) as connection:
        key = query.ids(connection, query.parse("tag:fix"))[0]
    shown = ask(capsys, workspace, "show", str(key))
    assert (shown["recipe"], shown["kind"]) == ("topic-grid", "fix")
    assert [turn["stage"] for turn in shown["conversation"]] == ["instruction", "solution", "repair"]
    assert ask(capsys, workspace, "collect", answer["job"])["samples"] == 0
    forecast = ask(capsys, workspace, "generate", str(plan_file), "--dry-run")
    assert forecast["measured"] == 6


@pytest.mark.slow
@pytest.mark.usefixtures("scripted")
def test_a_pause_is_told_and_resume_goes_on(
    workspace: Workspace, plan_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_poor(folder: JobFolder) -> None:
        (folder.path / "quota").write_text("4")
        control.start(folder, main_file=WORKER)

    monkeypatch.setattr(teacher, "start", start_poor)
    answer = ask(capsys, workspace, "generate", str(plan_file))
    assert (answer["state"], answer["message"]) == ("stopped", "The account's quota is used up.")
    assert answer["completed"] < 5
    (job,) = list_jobs(workspace.jobs)
    (job.folder.path / "quota").unlink()
    answer = ask(capsys, workspace, "resume", job.id, "--budget-usd", "9")
    assert (answer["completed"], answer["failed"], answer["state"]) == (5, 1, "done")
    assert json.loads(job.folder.changes.read_text())["request"]["plan"]["budget_usd"] == 9.0
    assert count(workspace, "tag:topic-grid -tag:fix") == 5


def test_a_dry_run_sends_nothing_and_makes_no_job(
    workspace: Workspace, plan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(capsys, workspace, "generate", str(plan_file), "--dry-run")
    assert (answer["requested"], answer["completed"], answer["failed"], answer["job"]) == (6, 0, 0, None)
    assert len(answer["examples"]) == 3
    assert answer["examples"][0]["messages"][1][1].startswith("Write one task")
    assert answer["prompt_tokens"] > 1000
    assert list_jobs(workspace.jobs) == []
    assert main(["--workspace", str(workspace.root), "teacher", "generate", str(plan_file), "--dry-run"]) == 0
    assert "about 14 requests" in capsys.readouterr().out


def test_recipes_are_listed_and_copied(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(ask(capsys, workspace, "recipes")["recipes"]) == 9
    folder = Path(ask(capsys, workspace, "copy", "explain")["folder"])
    assert (folder / "recipe.toml").is_file()
    assert [one["name"] for one in ask(capsys, workspace, "recipes")["recipes"] if one["own"]] == ["explain"]
    (folder / "recipe.toml").write_text("version = 0\n")
    error = ask(capsys, workspace, "recipes", code=1)["error"]
    assert error.startswith("explain/recipe.toml")


def test_what_is_wrong_is_one_sentence(
    workspace: Workspace, tmp_path: Path, plan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan_file.write_text('recipe = "topic-grid"\nmodel = "m"\nsampels = 3\n')
    assert "line 3: There is no key “sampels”" in ask(capsys, workspace, "generate", str(plan_file), code=1)["error"]
    plan_file.write_text('recipe = "evol-instruct"\nmodel = "m"\n')
    assert "nothing to start from" in ask(capsys, workspace, "generate", str(plan_file), code=1)["error"]
    assert "There is no job" in ask(capsys, workspace, "resume", "none", code=1)["error"]
    assert "No teacher wrote sample 1" in ask(capsys, workspace, "show", "1", code=1)["error"]
    assert list_jobs(workspace.jobs) == []


@pytest.mark.slow
@pytest.mark.usefixtures("scripted")
def test_what_failed_is_tried_again_in_a_job_of_its_own(
    workspace: Workspace, plan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ask(capsys, workspace, "generate", str(plan_file))
    again = ask(capsys, workspace, "retry", first["job"])
    assert again["job"] != first["job"]
    assert (again["requested"], again["state"]) == (1, "done")
    named = ask(capsys, workspace, "retry", first["job"], "0", "2")
    assert (named["requested"], named["completed"] + named["failed"]) == (2, 2)
    assert main(["--workspace", str(workspace.root), "teacher", "retry", first["job"], "99"]) == 1
    assert "none of these samples" in capsys.readouterr().err
