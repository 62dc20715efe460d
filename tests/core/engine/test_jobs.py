"""The job kinds, each run as its worker runs it, in this process: from a request to what lies in output/."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.engine import preview_job, serve_job, train_job
from core.errors import UserError
from core.inference.client import Finish, Piece, stream_chat
from core.inference.refusals import ServerAddress
from core.inference.sampling import Sampling
from core.jobs.events import read_events
from core.jobs.folder import JobFolder, create
from core.jobs.worker import WorkerContext
from core.paths import resources
from tests.core.engine.conftest import config, conversation, write_snapshot

Job = Callable[[str, dict[str, Any]], WorkerContext]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    def make(kind: str, request: dict[str, Any]) -> WorkerContext:
        folder = create(tmp_path / "jobs", kind, request, title=kind)
        return WorkerContext(folder, 0, 1, 1, tmp_path / "store")

    return make


def request(base: Path, snapshot: Path, **sections: Any) -> dict[str, Any]:
    return {
        "config": config(**sections).model_dump(mode="json", exclude_none=True),
        "base": str(base),
        "snapshot": str(snapshot),
        "resume": None,
    }


def output(folder: JobFolder, name: str) -> dict[str, Any]:
    return json.loads((folder.output / name).read_text())


def test_a_train_job_leaves_checkpoints_events_and_a_result(job: Job, base: Path, snapshot: Path) -> None:
    context = job("train", request(base, snapshot))
    train_job.main(context)
    result = output(context.folder, "result.json")
    assert result["steps"] == 6
    assert [Path(path).name for path in result["checkpoints"]] == ["checkpoint-000003", "checkpoint-000006"]
    steps = [event for event in read_events(context.folder.events) if event["kind"] == "step"]
    assert steps[-1]["loss"] == pytest.approx(result["final_loss"], abs=1e-5)
    note = output(context.folder, "checkpoint-000006/gosmith.json")
    assert note["run"] == context.folder.id


def test_a_preview_shows_the_first_step_with_its_mask_and_all_refusals(job: Job, base: Path, tmp_path: Path) -> None:
    rows = [{"sample": f"s{i}", "messages": conversation(i)} for i in range(8)]
    rows[2]["messages"] = [{"role": "user", "content": "q"}]
    rows[5]["messages"] = [{"role": "user", "content": "Sum " * 300}, {"role": "assistant", "content": "x"}]
    snapshot = write_snapshot(tmp_path / "snapshot", rows, [])
    context = job("preview", request(base, snapshot, data={"packing": False}))
    preview_job.main(context)
    preview = output(context.folder, "preview.json")
    assert [(item["sample"], item["line"]) for item in preview["refused"]] == [("s2", 3), ("s5", 6)]
    assert "cut to nothing" in preview["refused"][1]["reason"]
    assert len(preview["rows"]) == 2, "micro x accumulation"
    first = preview["rows"][0]
    trained = "".join(token["text"] for token in first["tokens"] if token["trained"])
    assert trained.startswith("```go\n")
    assert trained.endswith("```<|end|>")
    assert "".join(token["text"] for token in first["tokens"]).startswith("<|user|>\nWrite Sum")
    totals = preview["totals"]
    assert (totals["documents"], totals["refused"], totals["sequences"]) == (6, 2, 6)
    assert 0 < totals["trained"] < totals["tokens"]


def test_what_the_preview_trains_is_what_the_loop_trains(job: Job, base: Path, snapshot: Path) -> None:
    context = job("preview", request(base, snapshot))
    preview_job.main(context)
    shown = output(context.folder, "preview.json")
    trained = job("train", request(base, snapshot, budget={"steps": 1}))
    train_job.main(trained)
    step = next(event for event in read_events(trained.folder.events) if event["kind"] == "step")
    assert sum(len(row["tokens"]) for row in shown["rows"]) == step["tokens"]


def test_a_serve_job_answers_and_ends_when_it_is_idle(job: Job, base: Path, eventually: Callable[..., None]) -> None:
    importlib.import_module("openai")  # a second, which is not idleness of the client's
    context = job("serve", {"model": str(base), "name": "tiny", "port": 0, "idle_seconds": 2.0})
    worker = threading.Thread(target=serve_job.main, args=(context,))
    worker.start()
    address = context.folder.output / "server.json"
    eventually(address.exists, 30, "the server is ready")
    assert address.stat().st_mode & 0o077 == 0, "the key is this user's alone"
    told = ServerAddress(**json.loads(address.read_text()))
    *pieces, finish = stream_chat(told, [{"role": "user", "content": "Write Sum1."}], Sampling(max_tokens=4, seed=1))
    assert isinstance(finish, Finish)
    assert all(isinstance(piece, Piece) for piece in pieces)
    worker.join(20)
    assert not worker.is_alive(), "an idle model is unloaded"
    assert [event["kind"] for event in read_events(context.folder.events)].count("ready") == 1


def test_a_model_that_cannot_be_served_is_a_sentence(job: Job, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no tokenizer"):
        serve_job.main(job("serve", {"model": str(tmp_path), "name": "x", "port": 0, "idle_seconds": None}))


@pytest.mark.slow
def test_a_model_that_is_killed_in_the_middle_of_an_answer_is_a_sentence() -> None:
    command = [sys.executable, "-m", "core.engine.serve", "--model", str(resources() / "starter")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        address = ServerAddress(**json.loads(child.stdout.readline()))
        # seconds of tokens, and an end token is unlikely among what is drawn at this heat
        answer = stream_chat(address, [{"role": "user", "content": "x"}], Sampling(temperature=2.0, top_p=1.0, max_tokens=1900, seed=1))  # fmt: skip
        next(answer)
        child.kill()
        with pytest.raises(UserError, match="ended in the middle of its answer"):
            for _ in answer:
                pass


@pytest.mark.slow
def test_one_answer_for_a_shell(base: Path) -> None:
    asked = {"model": str(base), "prompt": "Write Sum1.", "chat": True, "sampling": {"temperature": 0, "max_tokens": 5}}
    done = subprocess.run(
        [sys.executable, "-m", "core.engine.complete"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [line["kind"] for line in lines[:-1]] == ["text"] * (len(lines) - 1)
    assert lines[-1]["kind"] == "end"
    assert lines[-1]["text"] == "".join(line["text"] for line in lines[:-1])
    assert lines[-1]["settings"]["max_tokens"] == 5
