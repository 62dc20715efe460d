"""Sleeper jobs for the tests of this folder: real supervisors and workers, of which nothing may be left at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.jobs import control
from core.jobs.folder import JobFolder
from core.jobs.process import members

SLEEPER = Path(__file__).with_name("sleeper.py")


@pytest.fixture
def nap(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Callable[..., JobFolder]]:
    """`nap("a", resources=("train",), steps=3)` starts a sleeper job with that title."""
    made: list[JobFolder] = []

    def begin(
        title: str = "A nap", *, resources: tuple[str, ...] = (), not_before: float | None = None, **request: Any
    ) -> JobFolder:
        folder = jobs.create(tmp_path, "sleeper", request, title=title, resources=resources, not_before=not_before)
        made.append(folder)
        control.start(folder, main_file=SLEEPER)
        return folder

    yield begin
    for folder in [one for one in made if one.path.exists()]:
        control.kill(folder)
        eventually(lambda folder=folder: not members(folder.path), what="processes left behind")
