"""Every GPU program compiles for an H200, without one at hand, and into code that is worth being started there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
SHARED = 227 * 1024
"""Bytes of shared memory that a program may take on Hopper."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All of them, by a process in which Triton is no interpreter."""
    pytest.importorskip("triton.backends.nvidia")
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment |= {"TRITON_CACHE_DIR": str(tmp_path_factory.mktemp("triton")), "PYTHONPATH": str(KERNELS.parent)}
    command = [sys.executable, "-m", "tests.kernels.hopper"]
    done = subprocess.run(
        command, env=environment, cwd=KERNELS.parent, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_no_program_is_forgotten(compiled: list[dict[str, Any]]) -> None:
    written = {
        f"{path.stem}.{name}"
        for path in KERNELS.glob("*.py")
        for name in re.findall(r"@jit\ndef (\w*_program|_count_up)\(", path.read_text(encoding="utf-8"))
    }
    assert written == {program["name"] for program in compiled}
    formats = {argument for program in compiled for argument in program["arguments"].values()}
    assert formats >= {"*bf16", "*fp16", "*fp32", "*i8", "fp32", "fp64"}


def test_numbers_stay_in_registers_and_shared_memory_suffices(compiled: list[dict[str, Any]]) -> None:
    for program in compiled:
        assert program["spilled"] == 0, program
        assert program["registers"] <= 168, program
        assert program["shared"] <= SHARED, program


def test_nothing_is_computed_in_fp64_also_where_a_compiler_hands_scalars_over_so(
    compiled: list[dict[str, Any]],
) -> None:
    handed_over = [program for program in compiled if "fp64" in program["arguments"].values()]
    assert {program["name"] for program in handed_over} == {
        "rms_norm._forward_program", "cross_entropy._program", "int8_linear._program",
    }  # fmt: skip
    for program in compiled:
        assert program["fp64"] == [], program


def test_rows_of_thousands_of_numbers_are_read_sixteen_bytes_at_a_time(compiled: list[dict[str, Any]]) -> None:
    for program in compiled:
        longest = max((size for name, size in program["constant"].items() if name in ("BLOCK", "SIZE")), default=0)
        if longest >= 1024:
            assert program["wide"], program
