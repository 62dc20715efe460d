"""Which tests stay in one worker process: those of a file whose preparation takes so long that it should happen once."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    "tests/core/golang/test_hostile.py",
    "tests/core/engine/test_parallel.py",
    "tests/kernels/test_for_hopper.py",
    "tests/resources/test_workshop_suite.py",
    "tests/resources/test_bundled_samples.py",
    "tests/core/evaluation/test_judging.py",
    "tests/core/teacher/test_job.py",
    "tests/core/teacher/test_flow.py",
    "tests/core/engine/test_adapters.py",
    "tests/core/engine/test_generate.py",
    "tests/core/engine/test_openai.py",
    "tests/core/engine/test_serve.py",
    "tests/core/engine/test_scoring.py",
    "tests/app/teacher/test_page.py",
    "tests/app/playground/test_compare.py",
    "tests/app/playground/test_fill.py",
    "tests/app/playground/test_heat.py",
    "tests/app/playground/test_model_servers.py",
)


class Scheduling(LoadScopeScheduling):
    """Every test by itself, but for the files in TOGETHER, which go first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    """The hook of pytest-xdist; its own `loadgroup` does nothing under pytest 9.2, whose node ids cannot be given another name."""
    return Scheduling(config, log)
