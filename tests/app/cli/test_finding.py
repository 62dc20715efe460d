"""`gosmith find`: a search from a terminal, its answer one JSON object."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.root import main
from core.samples import snapshots
from core.samples.language import parse
from core.training.config_file import from_mapping, save_config
from core.workspace import Workspace


@pytest.fixture
def config_file(workspace: Workspace, tmp_path: Path) -> Path:
    """A run of the starter whose steps take no time."""
    with closing(workspace.connect()) as connection:
        snapshots.create(workspace.snapshots, connection, "gold", parse("topic:errors"), validation=0.2)
    path = tmp_path / "run.toml"
    config = from_mapping(
        {
            "model": {"base": "starter"},
            "data": {"snapshot": "gold", "objective": "text", "max_length": 64},
            "batch": {"micro": 1, "accumulation": 1},
            "precision": {"dtype": "fp32"},
        }
    )
    save_config(config, path)
    return path


@pytest.mark.slow
def test_a_range_test_answers_with_a_value_a_sentence_and_a_curve(
    workspace: Workspace, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(workspace.root), "find", "learning-rate", str(config_file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"value", "sentence", "curve"}
    assert 1e-7 < answer["value"] < 0.1
    assert answer["sentence"].endswith("(range test, Smith 2017).")
    assert len(answer["curve"]) > 20
    assert all(len(point) == 2 for point in answer["curve"])


def test_what_cannot_be_searched_is_refused_before_a_job_is_made(
    workspace: Workspace, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = config_file.read_text().replace('mode = "auto"', 'mode = "fsdp"').replace("processes = 1", "processes = 2")
    config_file.write_text(text)
    assert main(["--workspace", str(workspace.root), "find", "batch", str(config_file), "--json"]) == 1
    assert "sharded over several" in json.loads(capsys.readouterr().out)["error"]
    assert main(["--workspace", str(workspace.root), "find", "depth", str(config_file)]) == 2
