"""Sleeper jobs for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from core.jobs.folder import JobFolder


@pytest.fixture
def nap(tmp_path: Path, begin_nap: Callable[..., JobFolder]) -> Callable[..., JobFolder]:
    """`nap("a", resources=("train",), steps=3)` starts a sleeper job with that title."""
    return partial(begin_nap, tmp_path)
