"""Two processes are one run: same losses, same step to stop at, one writer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.engine import data, parallel
from core.engine.parallel import Group
from core.errors import UserError
from tests.core.engine.conftest import Notes, config

CASES: dict[str, dict[str, Any]] = {
    "packed": {"batch": {"micro": 1, "accumulation": 4}},
    "padded": {"batch": {"micro": 2, "accumulation": 2}, "data": {"packing": False}},
    "odd": {"batch": {"micro": 1, "accumulation": 3}},
    "one": {"batch": {"micro": 1, "accumulation": 1}, "validation": {"every": 2}},
    "full": {"method": {"kind": "full"}, "batch": {"micro": 2, "accumulation": 1}},
}

WORKER = """
import json, sys, torch
from pathlib import Path
sys.path.insert(0, {root!r})
from core.engine import loop, parallel
from core.training.config_file import from_mapping
from tests.core.engine.conftest import Notes
torch.set_num_threads(1)
rank, folder = int(sys.argv[1]), Path({folder!r})
group = parallel.join(rank, 2, folder / "store")
told = {{}}
for name, case in json.loads((folder / "cases.json").read_text()).items():
    notes = Notes(stop_after=2 if name == "stopped" and rank == 1 else None)
    loop.train(from_mapping(case), Path({base!r}), Path({snapshot!r}), folder / name, run="r", monitor=notes, group=group)
    told[name] = notes.events
parallel.leave(group)
(folder / f"told{{rank}}.json").write_text(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(base: Path, snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Every case run once by two real processes: what each of them told."""
    folder = tmp_path_factory.mktemp("two")
    sections = {**CASES, "stopped": {"budget": {"steps": 6}}}
    cases = {name: config(**case).model_dump(mode="json") for name, case in sections.items()}
    for case in cases.values():
        case["parallel"]["processes"] = 2
    (folder / "cases.json").write_text(json.dumps(cases))
    root = str(Path(__file__).resolve().parents[3])
    script = WORKER.format(root=root, folder=str(folder), base=str(base), snapshot=str(snapshot))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen([sys.executable, "-c", script, str(rank)], env=environment, stderr=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
    return folder, [json.loads((folder / f"told{rank}.json").read_text()) for rank in (0, 1)]


def of(events: list[dict[str, Any]], kind: str, field: str = "loss") -> list[float]:
    return [event[field] for event in events if event["kind"] == kind]


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_two_processes_give_the_losses_of_one(
    name: str, told: tuple[Path, list[dict[str, Any]]], base: Path, snapshot: Path, tmp_path: Path
) -> None:
    from core.engine import loop

    notes = Notes()
    loop.train(config(**CASES[name]), base, snapshot, tmp_path / "one", run="r", monitor=notes, group=Group())
    first, second = (events[name] for events in told[1])
    assert of(first, "step") == pytest.approx(notes.losses(), rel=1e-5)
    assert of(first, "step") == of(second, "step"), "both processes see the same loss"
    assert of(first, "step", "grad_norm") == pytest.approx([e["grad_norm"] for e in notes.of("step")], rel=1e-3)
    assert of(first, "validation") == pytest.approx([e["loss"] for e in notes.of("validation")], rel=1e-5)


@pytest.mark.slow
def test_a_stop_that_one_process_hears_stops_both_at_the_same_step(told: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, (first, second) = told
    assert of(first["stopped"], "step", "step") == of(second["stopped"], "step", "step") == [1, 2]
    assert [path.name for path in (folder / "stopped").iterdir()] == ["checkpoint-000002"]


@pytest.mark.slow
def test_only_the_first_process_writes_checkpoints(told: tuple[Path, list[dict[str, Any]]]) -> None:
    _, (first, second) = told
    assert of(first["packed"], "checkpoint", "step") == [3, 6]
    assert not of(second["packed"], "checkpoint", "step")


def test_a_step_with_fewer_sequences_than_processes_leaves_some_idle() -> None:
    assert data.share([7], 1, 2, 4) == []


@pytest.mark.parametrize(
    ("mode", "processes", "offload", "words"),
    [
        ("fsdp", 2, False, "not built yet"),
        ("single", 2, False, "processes is 2"),
        ("tensor", 1, False, '"tensor"'),
        ("auto", 1, True, "offload"),
    ],
)
def test_a_mode_that_is_not_built_says_what_to_use(mode: str, processes: int, offload: bool, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        parallel.check_mode(mode, processes, offload=offload)
    assert caught.value.hint


def test_ddp_and_auto_are_taken() -> None:
    parallel.check_mode("auto", 2, offload=False)
    parallel.check_mode("ddp", 2, offload=False)
    parallel.check_mode("single", 1, offload=False)


def test_one_process_needs_no_store() -> None:
    group = parallel.join(0, 1, None)
    assert (group.first, group.any(True), group.total(2.5)) == (True, True, 2.5)
    group.wait()
    parallel.leave(group)
