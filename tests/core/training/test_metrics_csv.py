"""Numbers for other programs: every step of every run, empty where nothing was measured."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from core.errors import UserError
from core.training.metrics_csv import COLUMNS, write_csv


@pytest.fixture
def log(tmp_path: Path) -> Path:
    events: list[dict[str, object]] = [
        {"t": n, "kind": "step", "step": n, "loss": None if n == 2 else 0.1 * n, "tokens": 10, "tokens_per_second": 5}
        for n in (1, 2, 3)
    ]
    events.append({"t": 3, "kind": "validation", "step": 3, "loss": 1.25})
    events.append({"t": 4, "kind": "evaluation", "step": 2, "pass_at_1": 0.5, "interval": [0, 1], "compile_rate": 1.0})
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_each_step_is_a_row(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "numbers.csv"
    assert write_csv(out, [("first", log), ("second, again", log)]) == 6
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["run"] for row in rows] == ["first"] * 3 + ["second, again"] * 3
    assert [row["loss"] for row in rows[:3]] == ["0.1", "", "0.30000000000000004"]
    assert [row["validation_loss"] for row in rows[:3]] == ["", "", "1.25"]
    assert [row["evaluation_pass_at_1"] for row in rows[:3]] == ["", "0.5", ""]
    assert [row["tokens"] for row in rows[:3]] == ["10", "20", "30"]
    assert [row["seconds"] for row in rows[:3]] == ["2.0", "3.0", "4.0"]


def test_a_folder_that_is_not_there_is_said(log: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        write_csv(tmp_path / "none" / "numbers.csv", [("run", log)])
