"""However many processes, however the model lies on them: one run, the same losses and gradient norms, one writer.

Every case is run once by real processes that meet at a file, all of them by one set of four processes because starting takes longer
than training: as two pairs first, then together; the same cases are run by one process here, and by the plainest case there is. A resumed case holds what the same
case at one go would.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.engine import attempts, loop, parallel
from core.engine.parallel import Group
from core.golang.helper import prepare
from core.golang.toolchain import find
from core.jobs.folder import JobFolder
from core.training import evaluating
from tests.core.engine.conftest import Notes, config
from tests.core.engine.pointed import EVERY, freeze, points, train

pytestmark = pytest.mark.timeout(400)  # the first test of the file waits for all cases
ROWS = 8
"""Packed rows of the snapshot."""
FSDP = {"mode": "fsdp", "processes": 2}
DDP = {"mode": "ddp", "processes": 2}
# All 24 conversations in every step, so that packed, padded, accumulated and not, it is the same step.
PACKED = {"batch": {"micro": 2, "accumulation": ROWS // 2}, "data": {"packing": True}}
PADDED = {"batch": {"micro": 2, "accumulation": 12}, "data": {"packing": False}}
FULL = {"method": {"kind": "full"}, "optimizer": {"learning_rate": 1e-3}}

CASES: dict[str, dict[str, Any]] = {
    "ddp, packed": {**PACKED, "parallel": DDP},
    "ddp, padded": {**PADDED, "parallel": DDP},
    "ddp, rows for one process only": {"batch": {"micro": 1, "accumulation": 1}, "parallel": DDP},
    "ddp, all weights": {**FULL, "parallel": DDP},
    "fsdp, packed": {**PACKED, "parallel": FSDP},
    "fsdp, padded": {**PADDED, "parallel": FSDP},
    "fsdp, an odd number of rows": {"batch": {"micro": 1, "accumulation": 3}, "parallel": FSDP},
    "fsdp, rows for one process only": {"batch": {"micro": 1, "accumulation": 1}, "parallel": FSDP},
    "fsdp, not resharded": {"parallel": {**FSDP, "reshard": False}},
    "fsdp, offloaded, accumulation 4": {
        "batch": {"micro": 1, "accumulation": 4},
        "parallel": {**FSDP, "offload": True},
    },
    "fsdp, recomputed": {"parallel": {**FSDP, "activation_checkpointing": "full"}},
    "fsdp, recomputed in part": {"parallel": {**FSDP, "activation_checkpointing": "selective"}},
    "fsdp, all weights": {**FULL, "parallel": FSDP},
    "fsdp, dora": {"method": {"dora": True}, "parallel": FSDP},
    "fsdp, with an exam": {"validation": {"every": 3, "answers": 1}, "parallel": FSDP},
    "fsdp": {"parallel": FSDP},
    "fsdp, kernels off": {"kernels": "off", "parallel": FSDP},
    "split layers, all weights": {**FULL, "parallel": {**FSDP, "tensor": 2}},
    "resumed ddp": {"parallel": DDP},
    "resumed fsdp": {"parallel": FSDP},
    "resumed fsdp, all weights, offloaded": {**FULL, "parallel": {**FSDP, "offload": True}},
    "resumed split layers": {"parallel": {**FSDP, "tensor": 2}},
}
STOPPED = {"parallel": FSDP}
POINTS = {"evaluation": EVERY, "budget": {"steps": 2}}
POINTED: dict[str, dict[str, Any]] = {
    "ddp, with points": {**POINTS, "parallel": DDP},
    "fsdp, with points": {**POINTS, "parallel": FSDP},
}
FOUR: dict[str, dict[str, Any]] = {
    "hybrid": {"parallel": {**FSDP, "processes": 4, "replicas": 2}, "batch": {"micro": 1, "accumulation": 4}},
    "hybrid, all weights": {**FULL, "parallel": {**FSDP, "processes": 4, "replicas": 2}},
    "shards of split layers": {"parallel": {**FSDP, "processes": 4, "tensor": 2}},
    "resumed shards of split layers, all weights": {**FULL, "parallel": {**FSDP, "processes": 4, "tensor": 2}},
}

WORKER = """
import json, sys, torch
from pathlib import Path
sys.path.insert(0, {root!r})
from core.engine import loop, parallel
from core.jobs.folder import JobFolder
from core.training import evaluating
from core.training.config_file import from_mapping
from tests.core.engine.conftest import Notes
torch.set_num_threads(1)
rank, folder = int(sys.argv[1]), Path({folder!r})
told = {{}}
for number, part in enumerate(json.loads((folder / "parts.json").read_text())):
    if rank not in part["ranks"]:
        continue
    place, size = part["ranks"].index(rank), len(part["ranks"])
    group = parallel.join(place, size, folder / f"store{{number}}")
    for name, case in part["cases"].items():
        notes = Notes(stop_after=2 if name == "stopped" and place == 1 else None)
        split = parallel.Group(place, size, case["parallel"]["tensor"])
        told[name] = []
        if name.startswith("resumed"):
            notes.stop_after = 3
            loop.train(from_mapping(case), Path({base!r}), Path({snapshot!r}), folder / name, run="r", monitor=notes, group=split)
            told[name], notes = notes.events, Notes()
        settings = from_mapping(case)
        asked = evaluating.read(JobFolder(folder)) if settings.evaluation.every else None
        loop.train(settings, Path({base!r}), Path({snapshot!r}), folder / name, run="r", monitor=notes, group=split, problems=asked)
        told[name] = told[name] + notes.events
        print("done", name, file=sys.stderr)
    parallel.leave(group)
(folder / f"told{{rank}}.json").write_text(json.dumps(told))
"""


Part = tuple[tuple[int, ...], dict[str, dict[str, Any]]]
Told = tuple[Path, dict[str, list[list[dict[str, Any]]]]]
"""The folder of all cases, and of each case by name what each of its processes told."""


def run_parts(folder: Path, parts: Sequence[Part], size: int, base: Path, snapshot: Path) -> Told:
    """By `size` real processes the parts, one after the other: each the ranks that meet for it, and its cases."""
    plain = [
        {"ranks": ranks, "cases": {name: config(**case).model_dump(mode="json") for name, case in cases.items()}}
        for ranks, cases in parts
    ]
    (folder / "parts.json").write_text(json.dumps(plain))
    root = str(Path(__file__).resolve().parents[3])
    script = WORKER.format(root=root, folder=str(folder), base=str(base), snapshot=str(snapshot))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error::UserWarning:core", "-c", script]
    logs = [open(folder / f"log{rank}", "w+", encoding="utf-8") for rank in range(size)]  # noqa: SIM115
    workers = [subprocess.Popen([*command, str(rank)], env=environment, stderr=logs[rank]) for rank in range(size)]
    try:
        for rank, worker in enumerate(workers):
            assert worker.wait(timeout=390) == 0, (folder / f"log{rank}").read_text()[-4000:]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        for log in logs:
            log.close()
    said = [json.loads((folder / f"told{rank}.json").read_text()) for rank in range(size)]
    return folder, {name: [said[rank][name] for rank in ranks] for ranks, cases in parts for name in cases}


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> evaluating.Frozen:
    return freeze(tmp_path_factory.mktemp("suites"))


@pytest.fixture(scope="module")
def all_told(
    base: Path,
    snapshot: Path,
    frozen: evaluating.Frozen,
    shared_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Told:
    """Every case, by four processes that are two pairs first and then a grid."""
    folder = tmp_path_factory.mktemp("cases")
    evaluating.write(JobFolder(folder), frozen)
    pairs = list({**CASES, **POINTED, "stopped": STOPPED}.items())
    parts: list[Part] = [((0, 1), dict(pairs[::2])), ((2, 3), dict(pairs[1::2])), ((0, 1, 2, 3), FOUR)]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GOSMITH_CACHE", str(shared_cache))
        prepare(find())
        return run_parts(folder, parts, 4, base, snapshot)


def alone(case: Mapping[str, Any]) -> dict[str, Any]:
    """The same case for one process."""
    return {key: value for key, value in case.items() if key != "parallel"}


def of(events: list[dict[str, Any]], kind: str, field: str = "loss") -> list[float]:
    return [event[field] for event in events if event["kind"] == kind]


def trained(case: Mapping[str, Any], base: Path, snapshot: Path, output: Path) -> Notes:
    notes = Notes()
    loop.train(config(**case), base, snapshot, output, run="r", monitor=notes, group=Group())
    return notes


def compare(name: str, case: Mapping[str, Any], all_told: Told, base: Path, snapshot: Path, one: Path) -> None:
    """Losses, gradient norms, validation losses and saved weights are those of one process."""
    notes = trained(alone(case), base, snapshot, one)
    folder, told = all_told
    first, *others = told[name]
    assert of(first, "step") == pytest.approx(notes.losses(), rel=1e-5)
    norms = [event["grad_norm"] for event in notes.of("step")]
    assert of(first, "step", "grad_norm") == pytest.approx(norms, rel=1e-5, abs=2e-6)
    for other in others:
        for field in ("loss", "grad_norm"):
            assert of(first, "step", field) == of(other, "step", field), "all processes see the same numbers"
    assert of(first, "validation") == pytest.approx(of(notes.events, "validation"), rel=1e-5)
    weights = "adapter_model.safetensors" if "all weights" not in name else "model.safetensors"
    saved, wanted = (load_file(place / "checkpoint-000006" / weights) for place in (folder / name, one))
    assert {key: value.shape for key, value in saved.items()} == {key: value.shape for key, value in wanted.items()}
    for key, value in wanted.items():
        torch.testing.assert_close(saved[key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_two_processes_give_the_digits_of_one(
    name: str, all_told: Told, base: Path, snapshot: Path, tmp_path: Path
) -> None:
    compare(name, CASES[name], all_told, base, snapshot, tmp_path / "one")


@pytest.fixture(scope="module")
def pointed(
    base: Path, snapshot: Path, frozen: evaluating.Frozen, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Notes]:
    """The same run with points by this process."""
    folder = tmp_path_factory.mktemp("pointed")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GOSMITH_CACHE", str(shared_cache))
        return folder / "output", train(base, snapshot, folder, frozen, **POINTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", POINTED)
def test_two_processes_tell_the_points_of_one(name: str, all_told: Told, pointed: tuple[Path, Notes]) -> None:
    folder, told = all_told
    output, alone = pointed
    assert [point[0] for point in points(alone.events)] == [0, 2]
    assert points(told[name][0]) == points(alone.events)
    first, mine = (evaluating.step_folder(place, 0) for place in (folder / name, output))
    one, other = (sorted(attempts.read(place / attempts.FILE), key=lambda made: made.task) for place in (first, mine))
    assert [made.text for made in one] == [made.text for made in other]


@pytest.mark.slow
def test_our_operations_change_no_digit_that_counts_in_one_process_or_in_two(
    all_told: Told, base: Path, snapshot: Path, tmp_path: Path
) -> None:
    _, told = all_told
    runs = {
        ("off", 1): trained({"kernels": "off"}, base, snapshot, tmp_path / "off").events,
        ("auto", 1): trained({"kernels": "auto"}, base, snapshot, tmp_path / "auto").events,
        ("off", 2): told["fsdp, kernels off"][0],
        ("auto", 2): told["fsdp"][0],
    }
    for (kernels, _), events in runs.items():
        said = " ".join(event["text"] for event in events if event["kind"] == "message")
        assert ("Fused: 2 of 2 sums before a norm, 2 of 2 attention blocks" in said) == (kernels == "auto")
        assert of(events, "step") == pytest.approx(of(runs["off", 1], "step"), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", FOUR)
def test_a_grid_of_four_gives_the_digits_of_one(
    name: str, all_told: Told, base: Path, snapshot: Path, tmp_path: Path
) -> None:
    compare(name, FOUR[name], all_told, base, snapshot, tmp_path / "one")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddp, all weights", "fsdp, packed", "fsdp, all weights", "split layers, all weights"])
def test_a_sharded_run_goes_on_in_one_process_to_the_same_digits(
    name: str, all_told: Told, base: Path, snapshot: Path, tmp_path: Path
) -> None:
    folder, told = all_told
    cut = tmp_path / "cut"
    cut.mkdir()
    shutil.copytree(folder / name / "checkpoint-000003", cut / "checkpoint-000003")
    rest = trained(alone(CASES[name]), base, snapshot, cut)
    assert rest.losses() == pytest.approx(of(told[name][0], "step")[3:], rel=1e-5)


@pytest.mark.slow
def test_packed_padded_accumulated_or_not_it_is_the_same_step(base: Path, snapshot: Path, tmp_path: Path) -> None:
    packed = trained(PACKED, base, snapshot, tmp_path / "packed")
    padded = trained(PADDED, base, snapshot, tmp_path / "padded")
    one = trained(
        {"batch": {"micro": 24, "accumulation": 1}, "data": {"packing": False}}, base, snapshot, tmp_path / "1"
    )
    assert one.losses() == pytest.approx(padded.losses(), rel=1e-5)
    assert packed.losses() == pytest.approx(padded.losses(), rel=1e-5)


@pytest.mark.slow
def test_a_stop_that_one_process_hears_stops_both_at_the_same_step(all_told: Told) -> None:
    folder, told = all_told
    assert [of(events, "step", "step") for events in told["stopped"]] == [[1, 2], [1, 2]]
    assert [path.name for path in (folder / "stopped").iterdir()] == ["checkpoint-000002"]


@pytest.mark.slow
def test_only_the_first_process_writes_checkpoints(all_told: Told) -> None:
    first, second = all_told[1]["fsdp, packed"]
    assert of(first, "checkpoint", "step") == [3, 6]
    assert not [path for path in of(second, "checkpoint", "path") if "rank1" in str(path)]


def test_a_step_with_fewer_sequences_than_processes_leaves_some_idle() -> None:
    assert parallel.share([7], Group(1, 2), 4) == []


def test_neighbours_that_split_layers_see_the_same_rows() -> None:
    parts = [parallel.share(range(8), Group(rank, 4, tensor=2), 8) for rank in range(4)]
    assert [list(part[0]) for part in parts] == [[0, 2, 4, 6], [0, 2, 4, 6], [1, 3, 5, 7], [1, 3, 5, 7]]


def test_one_process_needs_no_store() -> None:
    group = parallel.join(0, 1, None)
    assert (group.first, group.sums([1.0, 2.0]), group.total(2.5), group.told(3)) == (True, [1.0, 2.0], 2.5, 3)
    group.wait()
    parallel.leave(group)


PATIENT = """
import os, sys, threading
from datetime import timedelta
from pathlib import Path
sys.path.insert(0, {root!r})
from core.engine import parallel
parallel.TIMEOUT = timedelta(seconds=1)
rank = int(sys.argv[1])
group = parallel.join(rank, 2, Path({store!r}))
pause = threading.Event()
if rank == 0:
    pause.wait(2)
group.wait()
if rank == 0:
    pause.wait(2)
assert group.told(rank) == 0
if rank == 0:
    pause.wait(4)
    os._exit(0)
try:
    group.total(1.0)
except RuntimeError as error:
    print("given up:", error, flush=True)
os._exit(0)  # gloo's threads may abort a process that ends in the middle of their message
"""


@pytest.mark.slow
def test_the_first_may_be_waited_for_between_steps_but_not_in_one(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[3])
    script = PATIENT.format(root=root, store=str(tmp_path / "store"))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(rank)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    said = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    assert "given up:" in said[1][0]
