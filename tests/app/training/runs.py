"""Runs as their folders hold them, for tests of what shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from core.jobs import JobFolder, create


def step(number: int, **more: object) -> dict[str, object]:
    """A step event of an older log: nothing of the GPU, nothing of trained tokens."""
    return {
        "t": 100.0 + number, "kind": "step", "step": number, "loss": 3.0 - number / 1000, "lr": 1e-4, "grad_norm": 0.5,
        "tokens": 10, "tokens_per_second": 10.0, **more,
    }  # fmt: skip


def write(path: Path, *events: Mapping[str, object]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)


def run(jobs: Path, title: str, steps: int, config: Mapping[str, object] | None = None, **more: object) -> JobFolder:
    """The folder of a run with so many steps and one validation at its end; `more` goes into every step."""
    base = {"name": title, "model": {"base": "starter"}, "data": {"snapshot": "gold"}}
    folder = create(jobs, "train", {"config": {**base, **(config or {})}}, title=title)
    write(folder.events, *(step(n, **more) for n in range(1, steps + 1)))
    write(folder.events, {"t": steps, "kind": "validation", "step": steps, "loss": 2.25})
    return folder
