"""The README says of a GPU what was measured on one, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import gpu_table
from tests.benchmarks.report import RESULTS

KERNELS: dict[str, Any] = {
    "machine": "a GPU (torch 2)",
    "rms_norm, 7B, 8192 tokens": {"ours": {"share": 0.93, "GB/s": 4000.0, "host_us": 12.4}, "faster than the best other": 1.5},
    "rms_norm, 7B, 512 tokens": {"ours": {"share": 0.4, "GB/s": 900.0, "host_us": 18.6}, "faster than the best other": 0.97},
    "lora_mlp, 7B, 8192 tokens": {"ours": {"share": 0.7, "TFLOP/s": 500.0, "host_us": 15.0}, "faster than the best other": 1.1},
    "rope, 7B, 8192 tokens": {"ours": "gives other numbers than torch", "torch": {"ms": 1.0}},
    "swiglu, 7B, 8192 tokens": "no time was left",
    "int8_linear, gate, 7B": {"ours": {"share": 0.81, "GB/s": 3500.0, "host_us": 9.0}, "faster than the best other": 1.8},
    "adamw, adapter of 7B": {"numbers": 40370176, "as they lie": {"ms": 0.5}, "flat": {"ms": 0.3}},
}  # fmt: skip
TRAINING: dict[str, Any] = {
    "device": "a GPU (torch 2)",
    "7B, ours, 4 rows, kept: to the best peer": {"tokens_per_second": 1.31, "peak": 0.62},
}


DECODE: dict[str, Any] = {
    "device": "a GPU (torch 2)",
    "0.5B, ours, tokens/s": 2950.2,
    "0.5B, ours, share of the data sheet": 0.607,
    "7B, ours, tokens/s": "left out: no time",
}


def write(folder: Path, day: str, name: str, figures: dict[str, Any]) -> None:
    record = {"name": name, "date": f"{day}T10:00:00", "figures": figures}
    (folder / f"{day}-{name}.json").write_text(json.dumps(record))


def cells(made: str) -> list[str]:
    return [line.split(" | ")[-1].removesuffix(" |") for line in made.splitlines() if line.startswith("| ")][2:]


def test_without_results_nothing_is_guessed(tmp_path: Path) -> None:
    made = gpu_table.table(tmp_path)
    assert set(cells(made)) == {"not measured"}
    assert made.splitlines()[-1].startswith("|"), "and no machine is named"


def test_figures_are_the_worst_of_what_was_measured_and_name_the_machine(tmp_path: Path) -> None:
    write(tmp_path, "2026-01-01", "gpu_kernels", {"machine": "an old GPU"})
    write(tmp_path, "2026-02-01", "gpu_kernels", KERNELS)
    write(tmp_path, "2026-02-01", "gpu_training", TRAINING)
    write(tmp_path, "2026-02-01", "gpu_decode", DECODE)
    made = gpu_table.table(tmp_path)
    assert cells(made) == [
        "0.93", "0.97", "19 µs", "1.31, 0.62", "not measured", "2,950, 0.61", "not measured", "0.81", "0.5 ms, 0.3 ms"
    ]  # fmt: skip
    assert made.endswith("gpu_training: a GPU (torch 2), 2026-02-01. gpu_decode: a GPU (torch 2), 2026-02-01.")


def test_the_readme_holds_the_table_of_the_results_that_are_kept() -> None:
    text = gpu_table.README.read_text(encoding="utf-8")
    assert gpu_table.with_table(text, gpu_table.table(RESULTS)) == text, "run python -m tests.benchmarks.gpu_table"


def test_a_readme_without_marks_is_not_written_to() -> None:
    with pytest.raises(ValueError, match="marks"):
        gpu_table.with_table("# Gosmith", "a table")
