"""The main job through the command line alone: from a file of samples to an answer of the tuned student."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.conftest import Gosmith

BROKEN = 'package greet\n\nfunc Greet(name string) string {\n\treturn fmt.Sprintf("hello %s", name)\n}\n'
MENDED = 'package greet\n\nimport "fmt"\n\n// Greet says hello.\nfunc Greet(name string) string {\n\treturn fmt.Sprintf("hello %s", name)\n}\n'
CONFIG = """
name = "story"
seed = 7
[model]
base = "starter"
[data]
snapshot = "gold"
max_length = 256
[method]
kind = "lora"
rank = 8
[budget]
steps = 30
[batch]
micro = 2
accumulation = 1
[precision]
dtype = "fp32"
[checkpoints]
every = 15
[validation]
every = 15
"""


def chat_line(prompt: str, code: str) -> str:
    answer = f"Here it is:\n\n```go\n{code}```\n"
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages})


@pytest.mark.slow
def test_from_a_file_of_samples_to_an_answer_of_the_tuned_student(gosmith: Gosmith, tmp_path: Path) -> None:
    # a new workspace holds the bundled samples
    bundled = gosmith("samples", "count", "tag:bundled").json["count"]
    assert bundled >= 240

    # import: the good row goes in, the bad one is named
    file = tmp_path / "greet.jsonl"
    file.write_text(chat_line("Write a function that greets by name.", BROKEN) + '\n{"messages": [\n', encoding="utf-8")
    imported = gosmith("samples", "import", file).json
    assert imported["imported"] == 1
    assert [row["line"] for row in imported["rejected"]] == [2]

    # the Go check finds what is wrong with it, with line and column
    checked = gosmith("samples", "check", "-tag:bundled").json
    assert (checked["checked"], checked["failed"]) == (1, 1)
    [sample] = gosmith("samples", "list", "verdict:fail", "-tag:bundled").json["samples"]
    assert sample["verdict"]["parse"] == "pass"
    assert sample["verdict"]["types"] == "fail"
    assert any("fmt" in d["message"] and d["line"] == 4 for d in sample["diagnostics"])

    # fix it, and the check agrees
    fixed = tmp_path / "answer.md"
    fixed.write_text(f"Here it is:\n\n```go\n{MENDED}```\n", encoding="utf-8")
    assert gosmith("samples", "edit", str(sample["id"]), "--response-file", fixed).json["changed"] == 1
    assert gosmith("samples", "check", "-tag:bundled").json["passed"] == 1

    # decide, undo, decide again
    reviewed = gosmith("samples", "review", str(sample["id"]), "--status", "accepted", "--rating", "5").json
    assert reviewed["label"]
    assert gosmith("samples", "count", "status:accepted").json["count"] == 1
    gosmith("samples", "undo")
    assert gosmith("samples", "count", "status:accepted").json["count"] == 0
    gosmith("samples", "redo")
    some = gosmith("samples", "list", "topic:errors", "tag:bundled", "--limit", "12").json["samples"]
    gosmith("samples", "review", *(str(s["id"]) for s in some), "--status", "accepted")

    # freeze, plan, train
    snapshot = gosmith("snapshot", "create", "gold", "status:accepted", "--validation", "0.2").json
    assert snapshot["samples"] == snapshot["train"] + snapshot["validation"] == 13
    config = tmp_path / "run.toml"
    config.write_text(CONFIG, encoding="utf-8")
    plan = gosmith("plan", config).json
    assert plan["memory"]["total"] >= plan["memory"]["weights"] > 0
    run = gosmith("train", config).json
    assert (run["state"], run["steps"]) == ("done", 30)
    assert run["final_loss"] > 0
    assert Path(run["checkpoints"][-1]).is_dir()

    # the job is there for whoever asks later
    shown = gosmith("jobs", "show", run["job"]).json
    assert (shown["kind"], shown["state"]) == ("train", "done")
    assert gosmith("jobs", "log", run["job"]).json["log"]

    # ask the checkpoint
    answer = gosmith(
        "complete", run["checkpoints"][-1], "--prompt", "Greet by name.", "--chat",
        "--max-tokens", "12", "--temperature", "0", "--seed", "3",
    ).json  # fmt: skip
    assert 0 < answer["tokens"] <= 12
    assert answer["settings"]["temperature"] == 0
    assert answer["stop_reason"]

    # and export what was curated
    out = tmp_path / "gold.jsonl"
    exported = gosmith("samples", "export", out, "status:accepted", "--format", "openai").json
    assert exported["exported"] == len(out.read_text(encoding="utf-8").splitlines()) == 13
