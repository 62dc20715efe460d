"""Generations of the student, told from what lies on disk, also where some of it is gone."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from core.errors import UserError
from core.jobs.folder import create
from core.teacher import generations, lineage
from core.teacher.generations import Generations
from core.teacher.lineage import Lineage
from tests.core.evaluation.measured import Groups, evaluated
from tests.core.teacher.loops import Loop

WEAK: Groups = {("time", "easy"): (0, 2), ("io", "hard"): (5, 5)}
BETTER: Groups = {("time", "easy"): (6, 8), ("io", "hard"): (5, 6)}
BEST: Groups = {("time", "easy"): (9, 10), ("io", "hard"): (8, 9)}


@pytest.fixture
def loop(tmp_path: Path, connection: sqlite3.Connection) -> Loop:
    (tmp_path / "jobs").mkdir()
    return Loop(tmp_path, connection)


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    (tmp_path / "starter").mkdir()
    return tmp_path / "starter"


def look(loop: Loop, suite: str = "set", mode: str = "fixed") -> Generations:
    return generations.generations(Lineage(loop.jobs, loop.snapshots, loop.connection), suite, mode)


def twice_round(loop: Loop, starter: Path) -> tuple[Path, Path]:
    """Base, first student, second student, both trained from the base itself."""
    first = evaluated(loop.jobs, starter, "starter", WEAK)
    loop.teach(first.id, {"time": 3, "io": 1})
    one = loop.train("first", starter, loop.freeze("gold-1"))
    second = evaluated(loop.jobs, one, "first/step-20", BETTER)
    loop.teach(second.id, {"io": 2})
    two = loop.train("second", starter, loop.freeze("gold-2"))
    evaluated(loop.jobs, two, "second/step-20", BEST)
    return one, two


def test_each_round_of_the_loop_is_a_generation_with_what_it_learnt(loop: Loop, starter: Path) -> None:
    twice_round(loop, starter)
    found = look(loop)
    assert [(row.generation, row.model, row.at_least) for row in found.rows] == [
        (0, "starter", False), (1, "first/step-20", False), (2, "second/step-20", False),
    ]  # fmt: skip
    base, one, two = found.rows
    assert base.run is None
    assert one.run is not None
    assert two.run is not None
    assert (one.run.snapshot, one.run.samples, one.run.new, one.step) == ("gold-1", 4, 4, 20)
    (taught,) = one.run.taught
    assert (taught.samples, dict(taught.topics), taught.there) == (4, {"time": 3, "io": 1}, True)
    assert taught.evaluation == base.evaluation
    assert (two.run.snapshot, two.run.samples, two.run.new) == ("gold-2", 6, 2)
    assert [(each.samples, each.evaluation) for each in two.run.taught] == [(2, one.evaluation)]
    assert two.run.parents == (one.run.id,), "it began with the base, and yet it is the first one's child"
    assert [round(row.passes.value, 3) for row in found.rows] == [0.3, 0.625, 0.9]
    assert base.passes.interval[0] < 0.3 < base.passes.interval[1]


def test_going_on_from_a_checkpoint_is_a_generation_without_any_teacher(loop: Loop, starter: Path) -> None:
    loop.teach("", {"time": 2})
    snapshot = loop.freeze("gold")
    one = loop.train("first", starter, snapshot)
    two = loop.train("second", one, snapshot)
    evaluated(loop.jobs, two, "second/step-20", BETTER)
    (row,) = look(loop).rows
    assert row.run is not None
    assert (row.generation, row.run.new, row.run.taught) == (2, 0, ())


def test_a_student_whose_checkpoint_was_deleted_keeps_its_place(loop: Loop, starter: Path) -> None:
    one, _ = twice_round(loop, starter)
    shutil.rmtree(one)
    rows = look(loop).rows
    assert [(row.generation, row.there) for row in rows] == [(0, True), (1, False), (2, True)]


def test_what_is_gone_is_named_and_the_generation_is_a_least_one(loop: Loop, starter: Path) -> None:
    _, two = twice_round(loop, starter)
    taught = next(loop.jobs.glob("*-teacher-*"))
    shutil.rmtree(taught)  # provenance knows without it
    assert [row.generation for row in look(loop).rows] == [0, 1, 2]
    assert not all(each.there for row in look(loop).rows if row.run for each in row.run.taught)
    first = look(loop).rows[1]
    shutil.rmtree(loop.jobs / first.evaluation)
    found = look(loop)
    last = found.rows[-1]
    assert (last.generation, last.at_least) == (1, True), "nothing tells any more whose failures its samples answer"
    assert last.run is not None
    assert last.run.notes == (f"Samples answer the evaluation {first.evaluation}, which is gone.",)
    assert any("at least" in note for note in found.notes)
    shutil.rmtree(loop.snapshots / "gold-2")
    last = look(loop).rows[-1]
    assert last.run is not None
    assert (last.run.samples, last.run.notes) == (
        None,
        ("The snapshot “gold-2” is gone, so its samples are not known.",),
    )
    shutil.rmtree(two.parents[1])
    last = look(loop).rows[-1]
    assert last.run is not None
    assert (last.generation, last.at_least, last.run.there, last.there) == (1, True, False, False)
    assert "Its run is gone" in last.run.notes[0]


def test_where_an_earlier_snapshot_is_gone_nobody_says_what_is_new(loop: Loop, starter: Path) -> None:
    twice_round(loop, starter)
    shutil.rmtree(loop.snapshots / "gold-1")
    last = look(loop).rows[-1]
    assert last.run is not None
    assert (last.generation, last.run.samples, last.run.new, last.run.taught) == (2, 6, None, ())
    assert last.run.notes == ("What first was trained on is gone, so which samples are new is not known.",)


def test_a_workspace_that_was_moved_is_understood(loop: Loop, starter: Path, tmp_path: Path) -> None:
    twice_round(loop, starter)
    for name in ("jobs", "snapshots"):
        (tmp_path / "moved").mkdir(exist_ok=True)
        shutil.move(tmp_path / name, tmp_path / "moved" / name)
    loop.root = tmp_path / "moved"
    assert [(row.generation, row.run.samples if row.run else None) for row in look(loop).rows] == [
        (0, None), (1, 4), (2, 6),
    ]  # fmt: skip


def test_the_newest_evaluation_of_a_model_counts_and_others_are_counted(loop: Loop, starter: Path) -> None:
    evaluated(loop.jobs, starter, "starter", WEAK)
    newest = evaluated(
        loop.jobs, starter, "starter", BETTER, settings={"samples": 10, "sampling": {"temperature": 0.2}}
    )
    (row,) = look(loop).rows
    assert (row.evaluation, row.evaluations, row.temperature, row.samples) == (newest.id, 2, 0.2, 10)


def test_other_suites_modes_and_texts_are_kept_apart(loop: Loop, starter: Path, tmp_path: Path) -> None:
    evaluated(loop.jobs, starter, "starter", WEAK)
    evaluated(loop.jobs, tmp_path / "b", "b", BETTER, mode="paper")
    evaluated(loop.jobs, tmp_path / "c", "c", BETTER, suite="other")
    evaluated(loop.jobs, tmp_path / "d", "d", BEST, sha256="later")
    found = look(loop)
    assert [row.model for row in found.rows] == ["d"]
    assert "1 evaluation of an earlier text of this suite is left out" in found.notes[0]
    assert [row.model for row in look(loop, "set", "paper").rows] == ["b"]
    assert generations.measured(Lineage(loop.jobs, loop.snapshots, loop.connection)) == [
        ("set", "fixed"), ("other", "fixed"), ("set", "paper"),
    ]  # fmt: skip
    with pytest.raises(UserError, match="No model was evaluated on “none”") as caught:
        look(loop, "none")
    assert "other (fixed)" in caught.value.hint


def test_damaged_folders_and_runs_in_a_circle_harm_nobody(loop: Loop, starter: Path) -> None:
    evaluated(loop.jobs, starter, "starter", WEAK)
    broken = evaluated(loop.jobs, starter, "starter", WEAK)
    (broken.folder.output / "evaluation.json").write_text("{")
    (loop.jobs / "half").mkdir()
    loop.teach("", {"time": 1})
    one = loop.train("round", starter, loop.freeze("gold"))
    again = create(loop.jobs, "train", {"base": str(one), "snapshot": 3}, title="again")
    job = one.parents[1] / "job.json"
    job.write_text(job.read_text().replace(str(starter), str(again.output / "checkpoint-1")))
    evaluated(loop.jobs, one, "round/step-20", BETTER)
    found = look(loop)
    assert [row.model for row in found.rows] == ["starter", "round/step-20"]
    assert found.rows[1].generation == 2
    assert "1 evaluation cannot be read and is left out." in found.notes


def test_the_run_of_a_model_is_told_by_its_place_or_by_its_note(tmp_path: Path) -> None:
    assert lineage.run_of("/gone/jobs/20260101-train-ab/output/checkpoint-15") == "20260101-train-ab"
    assert lineage.run_of(str(tmp_path)) is None
    assert lineage.run_of("") is None
    (tmp_path / "gosmith.json").write_text('{"run": "20260101-train-cd"}')
    assert lineage.run_of(str(tmp_path)) == "20260101-train-cd"
