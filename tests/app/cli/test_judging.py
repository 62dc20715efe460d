"""`gosmith teacher judge` and what belongs to it: from a plan in a file to scores beside samples, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli.root import main
from core.jobs import list_jobs
from core.samples import edits, query, store
from core.workspace import Workspace
from tests.core.teacher.asking import scripted_replies
from tests.core.teacher.asking.scripted_replies import Reply, Seen
from tests.core.teacher.asking.scripted_server import ScriptedServer
from tests.core.teacher.scripted_judge import judge


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", scripted_replies.KEY)


@pytest.fixture
def endpoint() -> Iterator[ScriptedServer]:
    with ScriptedServer(judge()) as running:
        yield running


@pytest.fixture
def plan_file(tmp_path: Path, endpoint: ScriptedServer) -> Path:
    path = tmp_path / "judge.toml"
    path.write_text(f'model = "gpt-4.1"\nbase_url = "{endpoint.url}"\nquery = "sort:id"\nmost = 6\n')
    return path


def ask(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str, code: int = 0) -> Any:
    assert main(["--workspace", str(workspace.root), "--json", "teacher", *words]) == code
    return json.loads(capsys.readouterr().out)


def told(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> str:
    assert main(["--workspace", str(workspace.root), "teacher", *words]) == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_a_plan_becomes_scores_and_reviewers_see_how_far_they_agree(
    workspace: Workspace, plan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(capsys, workspace, "judge", str(plan_file))
    assert (answer["requested"], answer["judged"], answer["failed"], answer["state"], answer["message"]) == (
        6,
        6,
        0,
        "done",
        "",
    )
    assert answer["cost_usd"] == pytest.approx(6 * 0.0006)
    with closing(workspace.connect()) as connection:
        keys = query.ids(connection, query.parse("judge:>=0 sort:-judge"))
        scores = [store.sample(connection, key).judge for key in keys]
        edits.review(connection, list(keys[:3]), status="accepted")
        edits.review(connection, list(keys[3:]), status="rejected")
    assert answer["mean"] == pytest.approx(sum(score or 0 for score in scores) / 6)
    (found,) = ask(capsys, workspace, "agreement", "--model", "gpt-4.1", "--rubric", "go-sample")["judges"]
    assert (found["model"], found["scored"], found["accepted"], found["rejected"]) == ("gpt-4.1", 6, 3, 3)
    assert found["auc"] > 0.9
    assert (found["agreed"], found["baseline"]) == (pytest.approx(1, abs=0.17), 0.5)
    assert len(found["criteria"]) == 5
    text = told(capsys, workspace, "agreement")
    assert "gpt-4.1 by go-sample 1: 6 samples scored, 3 of them accepted and 3 rejected by people." in text
    assert "Accepting from" in text
    assert "No judge has scored" in ask(capsys, workspace, "agreement", "--rubric", "another", code=1)["error"]
    plan_file.write_text(plan_file.read_text().replace('"sort:id"', '"judge:>=0"'))
    assert "Nothing is left to judge" in ask(capsys, workspace, "judge", str(plan_file), code=1)["error"]


@pytest.mark.slow
def test_a_pause_is_told_and_resume_and_collect_know_judges(
    workspace: Workspace, plan_file: Path, endpoint: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    rich = endpoint.script

    def poor(seen: Seen) -> Reply:
        return rich(seen) if len(endpoint.delivered) < 2 else scripted_replies.quota()

    endpoint.script = poor
    answer = ask(capsys, workspace, "judge", str(plan_file))
    assert answer["state"] == "stopped"
    assert "has no quota left" in answer["message"]
    endpoint.script = rich
    text = told(capsys, workspace, "resume", answer["job"], "--budget-usd", "9")
    assert text.startswith("6 of 6 samples scored with ")
    assert "0 failed, $0.0036" in text
    assert ask(capsys, workspace, "collect", answer["job"]) == {"outcomes": 0, "scored": 0, "job": answer["job"]}
    assert "is no job of a teacher" in ask(capsys, workspace, "retry", answer["job"], code=1)["error"]
    again = ask(capsys, workspace, "judge", str(plan_file), "--dry-run")
    assert (again["requested"], again["known"], again["measured"]) == (6, 6, 6)


def test_a_dry_run_sends_nothing_and_makes_no_job(
    workspace: Workspace, plan_file: Path, endpoint: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(capsys, workspace, "judge", str(plan_file), "--dry-run")
    assert (answer["requested"], answer["judged"], answer["failed"], answer["mean"], answer["job"]) == (
        6,
        0,
        0,
        None,
        None,
    )
    assert len(answer["examples"]) == 3
    assert "6 samples; about " in told(capsys, workspace, "judge", str(plan_file), "--dry-run")
    assert (endpoint.seen, list_jobs(workspace.jobs)) == ([], [])


def test_rubrics_are_listed_and_copied(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (ours,) = ask(capsys, workspace, "rubrics")["rubrics"]
    assert (ours["name"], ours["own"], ours["best"], ours["criteria"]["correctness"]) == ("go-sample", False, 5, 3.0)
    folder = Path(ask(capsys, workspace, "copy-rubric", "go-sample")["folder"])
    assert ask(capsys, workspace, "rubrics")["rubrics"][0]["own"]
    (folder / "judge.j2").write_text("{% if %}\n")
    assert ask(capsys, workspace, "rubrics", code=1)["error"].startswith("go-sample/judge.j2, line 1: ")


def test_what_is_wrong_is_one_sentence(
    workspace: Workspace, plan_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "No judge has scored a sample" in ask(capsys, workspace, "agreement", code=1)["error"]
    plan_file.write_text('model = "m"\nqurey = "status:new"\n')
    assert "line 2: There is no key “qurey”" in ask(capsys, workspace, "judge", str(plan_file), code=1)["error"]
    plan_file.write_text('model = "m"\n[parameters]\nresponse_format = "json"\n')
    assert "which follows from the rubric" in ask(capsys, workspace, "judge", str(plan_file), code=1)["error"]
