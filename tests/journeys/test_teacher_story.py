"""From a plan in a file to samples in the workspace, through an endpoint that is real but for the model behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli.root import main
from core.jobs import list_jobs
from core.samples import query
from core.samples.formats import WRITTEN
from core.workspace import Workspace, open_workspace
from tests.core.teacher.asking import scripted_replies
from tests.core.teacher.asking.scripted_batches import BatchScript
from tests.core.teacher.asking.scripted_replies import KEY, Reply, Seen
from tests.core.teacher.asking.scripted_server import ScriptedServer
from tests.core.teacher.scripted_endpoint import sometimes_wrong, teacher

Gosmith = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def endpoint() -> Iterator[ScriptedServer]:
    with ScriptedServer(teacher(sometimes_wrong)) as running:
        yield running


@pytest.fixture
def gosmith(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Gosmith:
    """`gosmith("generate", …)`: the JSON answer of `gosmith teacher generate …`."""

    def run(*words: str, code: int = 0) -> dict[str, Any]:
        assert main(["--workspace", str(workspace.root), "--json", "teacher", *words]) == code
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


def plan(folder: Path, endpoint: ScriptedServer, **more: Any) -> str:
    path = folder / "plan.toml"
    fields = {"recipe": "topic-grid", "model": "gpt-4.1", "base_url": endpoint.url, "samples": 8, "seed": 3, "concurrency": 4, **more}  # fmt: skip
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items()))
    return str(path)


def count(workspace: Workspace, search: str) -> int:
    with closing(workspace.connect()) as connection:
        return query.count(connection, query.parse(search))


def files_with(text: bytes, root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and text in path.read_bytes()]


def broken(_path: Path) -> None:
    raise RuntimeError(f"this was sent: {KEY}")


def test_samples_arrive_with_verdicts_and_cost_and_the_key_stays_out(
    workspace: Workspace,
    endpoint: ScriptedServer,
    gosmith: Gosmith,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = gosmith("generate", plan(tmp_path, endpoint))
    assert (answer["requested"], answer["completed"], answer["failed"], answer["state"]) == (8, 8, 0, "done")
    assert (answer["verified"], answer["unverified"], answer["fixes"]) == (6, 2, 2)
    requests = len(endpoint.seen)
    assert requests == 8 + 8 + 4, "a task, a solution, and a repair for the four that were not good"
    assert answer["cost_usd"] == pytest.approx(requests * (100 * 2.0 + 50 * 8.0) / 1e6)
    assert count(workspace, "tag:topic-grid tag:verified verdict:pass -tag:fix") == 6
    assert count(workspace, "tag:fix") == 2
    assert set(endpoint.counts.values()) == {1}
    assert {seen.headers["authorization"] for seen in endpoint.seen} == {f"Bearer {KEY}"}
    for format in WRITTEN:
        words = ["samples", "export", str(tmp_path / f"samples.{format}"), "tag:topic-grid", "--format", format]
        assert main(["--workspace", str(workspace.root), "--json", *words]) == 0
        assert json.loads(capsys.readouterr().out)["exported"] == 10
    # workspace, exports, settings and data, the report of a bug
    monkeypatch.setenv("GOSMITH_CACHE", str(tmp_path / "cache"))
    assert files_with(b"topic-grid", tmp_path), "else nothing was looked through"
    monkeypatch.setattr("app.cli.teacher.load_plan", broken)
    assert "[key]" in gosmith("generate", "plan.toml", code=1)["error"]
    assert files_with(b"Traceback", tmp_path), "the report of a bug is looked through, too"
    assert files_with(KEY.encode(), tmp_path) == []


def test_out_of_quota_pauses_and_resuming_pays_for_nothing_twice(
    workspace: Workspace, endpoint: ScriptedServer, gosmith: Gosmith, tmp_path: Path
) -> None:
    rich = endpoint.script

    def poor(seen: Seen) -> Reply:
        return rich(seen) if len(endpoint.delivered) < 7 else scripted_replies.quota()

    endpoint.script = poor
    answer = gosmith("generate", plan(tmp_path, endpoint))
    assert answer["state"] == "stopped"
    assert "has no quota left" in answer["message"]
    endpoint.script = rich
    answer = gosmith("resume", answer["job"])
    assert (answer["completed"], answer["state"], answer["verified"]) == (8, "done", 6)
    assert set(endpoint.delivered.values()) == {1}
    assert count(workspace, "tag:topic-grid -tag:fix") == 8


def test_a_budget_ends_the_job_with_a_sentence_before_it_is_overspent(
    workspace: Workspace, endpoint: ScriptedServer, gosmith: Gosmith, tmp_path: Path
) -> None:
    answer = gosmith("generate", plan(tmp_path, endpoint, budget_usd=0.05))
    assert answer["state"] == "stopped"
    assert "The budget of $0.05 is used up" in answer["message"]
    assert 0 < answer["cost_usd"] <= 0.05
    answer = gosmith("resume", answer["job"], "--budget-usd", "5")
    assert (answer["completed"], answer["state"]) == (8, "done")


def test_batches_bring_the_same_at_half_the_price(
    workspace: Workspace, endpoint: ScriptedServer, gosmith: Gosmith, tmp_path: Path
) -> None:
    endpoint.script, endpoint.batch_script = teacher(), BatchScript(looks=1)
    answer = gosmith("generate", plan(tmp_path, endpoint, samples=2, transport="batch"))
    assert (answer["completed"], answer["state"], answer["verified"]) == (2, "done", 2)
    assert len(endpoint.batches) == 2, "tasks, then solutions"
    assert answer["cost_usd"] == pytest.approx(4 * (100 * 2.0 + 50 * 8.0) / 1e6 / 2)
    assert endpoint.seen == []


def test_what_cannot_be_asked_is_said_before_a_job_is_made(
    workspace: Workspace, endpoint: ScriptedServer, gosmith: Gosmith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plan(tmp_path, endpoint, model="nobody-knows", budget_usd=1.0)
    assert "There is no price for the model nobody-knows" in gosmith("generate", path, code=1)["error"]
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr("core.teacher.asking.keys._from_keyring", lambda _base_url: "")
    path = plan(tmp_path, endpoint, base_url="https://api.openai.com/v1")
    assert "There is no key for https://api.openai.com/v1" in gosmith("generate", path, code=1)["error"]
    assert list_jobs(workspace.jobs) == []
