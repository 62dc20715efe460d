"""The model's process waits for a GPU that a run holds, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.model_server import ModelServer
from core.jobs import JobFolder, gpus, info, list_jobs
from core.models import Model
from core.models.grouping import Group
from core.workspace import Workspace


def test_a_model_waits_for_the_gpu_of_a_run_and_tells_for_whom(
    context: AppContext,
    workspace: Workspace,
    begin_nap: Callable[..., JobFolder],
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gpus, "asked", lambda: "A GPU, 1, 1\n")
    run = begin_nap(workspace.jobs, "errgroup", kind="train", resources=("gpu:1/1",), steps=1_000_000)
    qtbot.waitUntil(lambda: info(run).state == "running", timeout=20_000)
    server = ModelServer(workspace, context.tasks)
    with qtbot.waitSignal(server.waits, timeout=20_000) as said:
        server.load(Group(Path("/nowhere"), (Model("starter", Path("/nowhere"), "base"),)))
    assert said.args == ["Waiting for “errgroup”, which holds gpu:0."]
    [job] = [one for one in list_jobs(workspace.jobs) if one.kind == "serve"]
    assert (job.resources, job.state) == (("gpu:1/1 shared",), "queued")
    server.unload()
    qtbot.waitUntil(lambda: info(job.folder).state == "stopped", timeout=20_000)
    qtbot.waitUntil(lambda: not context.tasks.busy())
    server.deleteLater()
