"""Once round the loop through the command line alone: what the starter fails at becomes samples, a run, and a second generation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS
from tests.core.teacher.asking.scripted_replies import KEY
from tests.core.teacher.asking.scripted_server import ScriptedServer
from tests.core.teacher.scripted_endpoint import teacher
from tests.journeys.conftest import Gosmith

SUITE = {
    "parcels": problems.our_text(TASKS[0], topic="algorithms", difficulty="medium"),
    "shouting": problems.our_text(TASKS[1], topic="strings"),
}
ASKED = ("--problems", "small", "--max-tokens", "24", "--seed", "5", "--samples", "2", "--temperature", "0.7")
RUN = """
name = "loop-1"
seed = 7
[model]
base = "starter"
[data]
snapshot = "loop-1"
max_length = 256
[method]
kind = "lora"
rank = 4
[budget]
steps = 4
[batch]
micro = 2
accumulation = 1
[precision]
dtype = "fp32"
[checkpoints]
every = 4
[validation]
every = 4
"""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedServer(teacher()) as running:
        yield running


@pytest.mark.slow
def test_failures_become_samples_and_samples_a_second_generation(
    gosmith: Gosmith, endpoint: ScriptedServer, tmp_path: Path, go_ready: None
) -> None:
    # a private suite of two problems, which the starter fails
    problems.write_ours(tmp_path / "workspace" / "suites" / "small", SUITE)
    first = gosmith("evaluate", "starter", *ASKED).json
    assert (first["problems"], first["origin"]["model"]) == (2, "starter")
    assert first["pass_at"]["1"] < 1

    # what fails, by topic, becomes a plan, and the teacher writes what it asks for
    plan = tmp_path / "plan.toml"
    words = ("--samples", "6", "--base-url", endpoint.url, "--budget-usd", "5", "--out", plan)
    planned = gosmith("teacher", "plan", first["job"], *words).json
    assert planned["plan"]["evaluation"] == first["job"]
    assert {topic: quota for topic, quota in planned["plan"]["quotas"].items() if quota} == {
        "algorithms": 3,
        "strings": 3,
    }
    assert planned["plan"]["shares"] == {"difficulty": {"easy": 50.0, "medium": 50.0}}
    taught = gosmith("teacher", "generate", plan).json
    assert (taught["state"], taught["verified"]) == ("done", 6)
    asked = "\n".join(str(seen.json["messages"]) for seen in endpoint.seen)
    for task in TASKS[:2]:
        assert task.name not in asked
        assert task.prose not in asked
    assert "small" not in "\n".join(one for one in asked.split() if "/" in one), "no name of a problem"

    # people accept, a snapshot is frozen, a run trains on it
    wanted = ("tag:verified", "tag:topic-grid", "verdict:pass")
    kept = gosmith("samples", "list", *wanted, "--limit", "50").json["samples"]
    assert len(kept) == 6
    gosmith("samples", "review", *(str(one["id"]) for one in kept), "--status", "accepted")
    assert gosmith("snapshot", "create", "loop-1", "status:accepted", "--validation", "0.2").json["samples"] == 6
    config = tmp_path / "run.toml"
    config.write_text(RUN, encoding="utf-8")
    run = gosmith("train", config).json
    assert (run["state"], run["steps"]) == ("done", 4)

    # the checkpoint is measured as the starter was, and the two are compared problem by problem
    second = gosmith("evaluate", run["checkpoints"][-1], *ASKED).json
    difference = gosmith("compare", first["job"], second["job"]).json
    assert difference["difference"] == pytest.approx(second["pass_at"]["1"] - first["pass_at"]["1"])
    assert difference["interval"][0] <= difference["difference"] <= difference["interval"][1]
    told = gosmith("compare", first["job"], second["job"], json_answer=False).out
    print(told)
    assert "pass@1" in told
    assert "points" in told

    # and it stands as the second generation, with what it learnt
    found = gosmith("generations", "small").json
    assert [row["generation"] for row in found["rows"]] == [0, 1]
    assert [row["evaluation"] for row in found["rows"]] == [first["job"], second["job"]]
    base, student = found["rows"]
    assert base["run"] is None
    assert (student["run"]["id"], student["run"]["snapshot"], student["run"]["new"]) == (run["job"], "loop-1", 6)
    (source,) = student["run"]["taught"]
    assert (source["job"], source["evaluation"], source["samples"]) == (taught["job"], first["job"], 6)
    assert source["topics"] == {"algorithms": 3, "strings": 3}
    shown = gosmith("teacher", "show", str(kept[0]["id"])).json
    assert shown["evaluation"] == first["job"]
    print(gosmith("generations", "small", json_answer=False).out)
