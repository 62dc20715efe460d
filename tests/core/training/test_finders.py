"""What a finder is asked and what its answer changes: plain data, without a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.files import write_json
from core.jobs.folder import read_job
from core.training import finders
from core.training.config import RunConfig
from core.training.config_file import from_mapping, to_mapping
from core.training.finders import Finding, settings, short


def config(**sections: object) -> RunConfig:
    return from_mapping({"model": {"base": "starter"}, "data": {"snapshot": "gold"}, **sections})


def test_the_job_asks_for_the_same_steps_in_one_process(tmp_path: Path) -> None:
    many = config(parallel={"processes": 2, "mode": "ddp", "activation_checkpointing": "full"}, seed=3)
    folder = finders.create("micro", many, tmp_path / "base", tmp_path / "gold", tmp_path / "jobs")
    job = read_job(folder)
    assert (job.kind, job.title, job.processes) == ("find", "Largest micro-batch", 1)
    assert job.resources, "it waits for the machine as a run does"
    asked = from_mapping(job.request["config"])
    assert (asked.parallel.processes, asked.parallel.mode) == (1, "auto")
    assert asked.parallel.activation_checkpointing == "full"
    assert to_mapping(asked) | {"parallel": None} == to_mapping(many) | {"parallel": None}


def test_what_cannot_be_tried_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sharded over several"):
        finders.create("batch", config(parallel={"processes": 2, "mode": "fsdp"}), tmp_path, tmp_path, tmp_path)
    with pytest.raises(UserError, match="no finder “depth”"):
        finders.create("depth", config(), tmp_path, tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_was_found_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = finders.create("learning-rate", config(), tmp_path, tmp_path, tmp_path / "jobs")
    with pytest.raises(UserError, match="ended without an answer"):
        finders.read(folder)
    found = Finding(2e-4, "2e-4: so it is.", ((1e-7, 3.0), (1e-6, 2.5)))
    folder.output.mkdir(exist_ok=True)
    write_json(folder.output / finders.FOUND, found.to_json())
    assert finders.read(folder) == found


@pytest.mark.parametrize(
    ("finder", "value", "changed"),
    [
        ("learning-rate", 2e-4, {"optimizer": {"learning_rate": 2e-4}}),
        ("micro", 6, {"batch": {"micro": 6, "accumulation": 2}}),
        ("micro", 24, {"batch": {"micro": 24, "accumulation": 1}}),
        ("batch", 30, {"batch": {"micro": 2, "accumulation": 15}}),
        ("batch", 1, {"batch": {"micro": 1, "accumulation": 1}}),
    ],
)
def test_an_answer_changes_what_it_is_about_and_a_step_keeps_its_rows(
    finder: str, value: float, changed: dict[str, object]
) -> None:
    assert settings(finder, Finding(value, "", ()), config(batch={"micro": 2, "accumulation": 4})) == changed


@pytest.mark.parametrize(("value", "text"), [(2e-4, "2e-4"), (3.4e-3, "3.4e-3"), (0.5, "5e-1")])
def test_a_rate_is_written_as_people_write_it(value: float, text: str) -> None:
    assert short(value) == text
