"""Processes shared by the playground's modes, with a real base and real checkpoints: side by side in one, alone where the engine refuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.compare_round import Asked, Round
from app.playground.mode import Bench
from app.playground.model_list import ModelList
from app.playground.model_servers import ModelServers
from app.widgets.banner import Banner
from core.errors import UserError
from core.inference import Sampling
from core.jobs import JobInfo, list_jobs
from core.jobs.control import kill
from core.jobs.status import read_state
from core.models import Model, list_models
from core.workspace import Workspace

RUN = "20260101-000000-train-abcd"
MAKE = """
import sys
from pathlib import Path
import torch
from peft import LoraConfig, get_peft_model
from core.engine import model
from core.paths import resources
base = resources() / "starter"
for seed in (1, 2):
    torch.manual_seed(seed)
    causal = model.load_causal(base, torch.float32, torch.device("cpu"))
    with model.quiet():
        tuned = get_peft_model(causal, LoraConfig(r=4, lora_alpha=4, target_modules="all-linear", init_lora_weights=False))
    tuned.peft_config["default"].base_model_name_or_path = str(base)
    tuned.save_pretrained(Path(sys.argv[1]) / f"checkpoint-{seed}00")
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two LoRA checkpoints of the starter, of random numbers."""
    folder = tmp_path_factory.mktemp("trained")
    subprocess.run([sys.executable, "-c", MAKE, str(folder)], check=True)
    return folder


@pytest.fixture
def models(trained: Path, workspace: Workspace) -> dict[str, Model]:
    job = workspace.jobs / RUN
    shutil.copytree(trained, job / "output")
    (job / "job.json").write_text(json.dumps({"id": RUN, "kind": "train", "title": "gold"}))
    return {one.name: one for one in list_models(workspace.models, workspace.jobs)}


@pytest.fixture
def servers(context: AppContext, workspace: Workspace, qtbot: QtBot) -> Iterator[ModelServers]:
    made = ModelServers(workspace, context.tasks)
    yield made
    made.unload()
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=20_000)
    for job in list_jobs(workspace.jobs):
        kill(job.folder)
    shiboken6.delete(made)


def serving(workspace: Workspace) -> list[JobInfo]:
    return [job for job in list_jobs(workspace.jobs) if job.kind == "serve" and job.alive]


@pytest.mark.slow
def test_base_and_checkpoints_answer_from_one_process_and_a_killed_one_is_a_sentence_in_every_column(
    servers: ModelServers, models: dict[str, Model], context: AppContext, workspace: Workspace, qtbot: QtBot
) -> None:
    bench = Bench(context, ModelList(context), servers, Banner(context.theme))
    made = Round(bench)
    said: dict[int, str] = {}
    failed: dict[int, UserError] = {}
    made.text_arrived.connect(lambda key, text: said.__setitem__(key, said.get(key, "") + text))
    made.failed.connect(failed.__setitem__)
    chosen = dict(enumerate((models["starter"], models["gold/step-100"], models["gold/step-200"])))
    made.start(chosen, Asked("Write Add.", Sampling(temperature=0, max_tokens=12)))
    qtbot.waitUntil(lambda: not made.busy, timeout=90_000)
    assert failed == {}
    assert len(set(said.values())) == 3, "each answers with its own weights"
    [job] = serving(workspace)
    names = {servers.served(model).name for model in chosen.values()}  # type: ignore[union-attr]
    assert len(names) == 3

    servers.want([models["starter"]])
    assert servers.served(models["starter"]) is not None
    assert [one.id for one in serving(workspace)] == [job.id], "a process that holds more serves one as well"

    said.clear()
    made.start(chosen, Asked("Write a very long program.", Sampling(temperature=1.5, max_tokens=1500, seed=3)))
    qtbot.waitUntil(lambda: len(said) == 3, timeout=60_000)
    for pid in read_state(job.folder).workers:
        os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not made.busy, timeout=20_000)
    assert set(failed) == {0, 1, 2}
    assert all("Traceback" not in str(error) for error in failed.values())
    qtbot.waitUntil(lambda: servers.served(models["starter"]) is None, timeout=20_000)
    for one in (made, bench.models, bench.banner):
        shiboken6.delete(one)


@pytest.mark.slow
def test_what_the_engine_refuses_beside_others_gets_a_process_of_its_own(
    servers: ModelServers, models: dict[str, Model], workspace: Workspace, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = models["gold/step-100"]
    config = odd.path / "adapter_config.json"
    written = json.loads(config.read_text())
    config.write_text(json.dumps({**written, "alpha_pattern": {"q_proj": 8}}))
    monkeypatch.setattr("core.models.grouping.UNUSUAL", ())  # so that only the engine knows better
    ready: set[str] = set()
    failed: list[object] = []
    servers.ready.connect(lambda path, _served: ready.add(path))
    servers.failed.connect(lambda path, error: failed.append((path, error)))
    wanted = [models["starter"], odd, models["gold/step-200"]]
    servers.want(wanted)
    qtbot.waitUntil(lambda: len(ready) == 3, timeout=120_000)
    assert failed == []
    assert sorted(len(job.title.split(", ")) for job in serving(workspace)) == [1, 2]
    served = servers.served(odd)
    assert served is not None
    assert served.name == "gosmith"


def test_models_are_weighed_before_they_are_loaded(
    servers: ModelServers, models: dict[str, Model], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[UserError | None] = []
    chosen = [models["starter"], models["gold/step-100"]]
    servers.weigh(chosen, found.append)
    qtbot.waitUntil(lambda: len(found) == 1)
    assert found == [None], "one process, whatever is free"
    monkeypatch.setattr("core.models.grouping.FAMILIES", frozenset())
    monkeypatch.setattr("core.training.machine._main_memory", lambda: (2**30, 2**20))
    monkeypatch.setattr("core.training.machine.asked", lambda: "")
    servers.weigh(chosen, found.append)
    qtbot.waitUntil(lambda: len(found) == 2)
    assert "starter, gold/step-100 need some" in str(found[1])
