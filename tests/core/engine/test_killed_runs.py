"""A run that is killed at random moments and resumed is, to every digit, the run that nobody killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.engine.conftest import config
from tests.core.engine.killing import curve, make, under_fire, undisturbed

SMALL = {"checkpoints": {"every": 3, "keep": 2}, "validation": {"every": 6}}


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "seed"), [("ddp", 1), ("fsdp", 2)])
def test_kills_at_random_moments_change_nothing(
    mode: str, seed: int, base: Path, snapshot: Path, tmp_path: Path
) -> None:
    settings = config(**SMALL, budget={"steps": 30}, parallel={"mode": mode, "processes": 2})
    wanted = undisturbed(make(tmp_path / "jobs", settings, base, snapshot))
    folder = make(tmp_path / "jobs", settings, base, snapshot)
    run = under_fire(folder, kills=3, seed=seed)
    assert run.kills
    assert curve(folder) == wanted
