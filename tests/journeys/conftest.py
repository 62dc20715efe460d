"""A real command line in a real process, in a workspace of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The answer, which must be one JSON object and nothing else."""
        answer: dict[str, Any] = json.loads(self.out)
        return answer


Gosmith = Callable[..., Outcome]


@pytest.fixture
def gosmith(tmp_path: Path) -> Gosmith:
    """`gosmith("samples", "count")` runs that command with --json and asserts that it shows no traceback."""
    environment = {**os.environ, "GOSMITH_WORKSPACE": str(tmp_path / "workspace")}

    def run(*words: str | Path, code: int = 0, json_answer: bool = True, timeout: float = 240) -> Outcome:
        command = [sys.executable, "-m", "app.cli", *(["--json"] if json_answer else []), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        assert done.returncode == code, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
