"""Suites for tests, in the true shapes of their authors, written for this project."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SOLUTION = """    sorted := append([]float64(nil), readings...)
    sort.Float64s(sorted)
    for i := 1; i < len(sorted); i++ {
        gap := sorted[i] - sorted[i-1]
        if gap < tolerance {
            return i, true
        }
        if gap > widest {
            widest = gap
        }
    }
    return -1, false
}
"""
PROSE = "Report whether any two sensor readings of the station lie closer together than the tolerance allows"


def humaneval_x(number: int = 0, **changes: Any) -> dict[str, Any]:
    declaration = f"func AnyCloseReadings{number}(readings []float64, tolerance float64) (int, bool) {{\n"
    docstring = f"// {PROSE} in round {number}.\n"
    imports = 'import (\n    "sort"\n)\n\n'
    return {
        "task_id": f"Go/{number}", "prompt": imports + docstring + declaration, "import": imports, "docstring": docstring,
        "declaration": declaration, "canonical_solution": SOLUTION,
        "test": 'func TestAny(t *testing.T) {\n    assert.Equal("3e25960a79dbc69b674cd4ec67a72c62", hash("hello"), 8675309421)\n}\n',
        "test_setup": "package main\n", "example_test": "", **changes,
    }  # fmt: skip


def multipl_e(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"HumanEval_{number}_any_close_readings", "language": "go",
        "prompt": f"package any_test\n\n// {PROSE}.\nfunc any_close_readings(r []float64) bool {{\n",
        "doctests": "transform", "original": "", "prompt_terminology": "reworded",
        "tests": "}\n\nfunc TestAny(t *testing.T) {}\n", "stop_tokens": ["\nfunc"], **changes,
    }  # fmt: skip


def humaneval(number: int = 0, **changes: Any) -> dict[str, Any]:
    prompt = (
        f'def any_close_readings(readings):\n    """ {PROSE}.\n    >>> any_close_readings([1.0])\n    False\n    """\n'
    )
    return {
        "task_id": f"HumanEval/{number}", "prompt": prompt, "entry_point": "any_close_readings",
        "canonical_solution": "    return False\n", "test": "def check(candidate):\n    pass\n", **changes,
    }  # fmt: skip


def humanevalpack(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        **humaneval_x(number), "buggy_solution": "    return 0, true\n}\n", "bug_type": "value misuse",
        "failure_symptoms": "incorrect output", "entry_point": f"AnyCloseReadings{number}", **changes,
    }  # fmt: skip


def write(path: Path, rows: Sequence[Any]) -> Path:
    """A file of these rows; text goes in as it is. Packed where its name ends in gz."""
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path
