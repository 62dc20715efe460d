"""What a run's curves are told from: its log alone, however often it was resumed, and a cache that is never trusted further than the log."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.training import metrics, metrics_cache
from core.training.metrics import RunMetrics, sparkline


def step(number: int, **more: object) -> dict[str, object]:
    return {"t": 100.0 + number, "kind": "step", "step": number, "loss": 10.0 - number, "tokens": 10, "tokens_per_second": 5.0, **more}  # fmt: skip


def write(path: Path, *events: dict[str, object], mode: str = "a") -> Path:
    with path.open(mode) as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    return path


def read(path: Path) -> RunMetrics:
    found = RunMetrics(path)
    found.poll()
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "events.jsonl", {"kind": "attempt", "attempt": 1}, *(step(n) for n in range(1, 9)))


def test_x_is_the_step_the_tokens_seen_or_the_seconds_worked(log: Path) -> None:
    steps = read(log).steps
    assert steps.x("step").tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert steps.x("tokens").tolist() == [10, 20, 30, 40, 50, 60, 70, 80]
    assert steps.x("time").tolist() == [2, 3, 4, 5, 6, 7, 8, 9]  # the first took 10 tokens at 5 a second


def test_a_resumed_run_does_its_steps_again_and_the_pause_does_not_count(log: Path) -> None:
    write(log, {"kind": "validation", "step": 8, "loss": 2.0}, {"kind": "attempt", "attempt": 2})
    write(log, *({**step(n), "t": 5000.0 + n, "loss": 0.5} for n in (6, 7)))
    found = read(log)
    assert found.attempt == 2
    assert found.steps.x("step").tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert found.steps.x("tokens").tolist() == [10, 20, 30, 40, 50, 60, 70]
    assert found.steps.x("time").tolist() == [2, 3, 4, 5, 6, 8, 9]
    assert found.steps.series["loss"].y.tolist() == [9, 8, 7, 6, 5, 0.5, 0.5]
    assert len(found.tracks["validation"]) == 0


def test_what_is_measured_now_and_then_lies_where_the_run_was(log: Path) -> None:
    write(log, {"kind": "validation", "step": 8, "loss": 2.0})
    write(log, {"kind": "answers", "step": 8, "parsed": 0.75, "compiled": 0.5, "count": 16})
    found = read(log)
    validation, answers = found.tracks["validation"], found.tracks["answers"]
    assert [validation.last(along) for along in ("step", "tokens", "time")] == [8, 80, 9]
    assert (answers.series["parsed"].last(), answers.series["compiled"].last()) == (0.75, 0.5)


def test_a_point_whose_verdicts_come_late_lies_at_the_step_of_its_answers(log: Path) -> None:
    told = {"kind": "evaluation", "pass_at_1": 0.25, "interval": [0.1, 0.5], "compile_rate": 0.75, "problems": 20}
    write(log, {**told, "step": 0}, {**told, "step": 6, "pass_at_1": None, "interval": None}, {**told, "step": 7})
    found = read(log).tracks["evaluation"]
    assert [found.x(along).tolist() for along in ("step", "tokens", "time")] == [[0, 6, 7], [0, 60, 70], [0, 7, 8]]
    assert (found.series["low"].last(), found.series["high"].last(), found.series["compile_rate"].last()) == (
        0.1,
        0.5,
        0.75,
    )
    assert found.series["pass_at_1"].y.tolist() == [0.25, pytest.approx(float("nan"), nan_ok=True), 0.25]
    write(log, step(7, loss=1.0))
    assert read(log).tracks["evaluation"].x("step").tolist() == [0, 6], "that step is done again"


def test_a_cache_from_before_there_were_evaluations_is_valid(log: Path) -> None:
    found = read(log)
    older = {name: track for name, track in found.tracks.items() if name != "evaluation"}
    metrics_cache.save(log, found._tail.offset, found._notes(), older)
    write(log, {"kind": "evaluation", "step": 7, "pass_at_1": 0.5, "interval": [0.25, 0.75], "compile_rate": 1.0})
    cached = RunMetrics(log)
    cached.load()
    assert cached.steps.x("step").tolist() == found.steps.x("step").tolist()
    assert cached.tracks["evaluation"].series["pass_at_1"].y.tolist() == [0.5]


def test_what_a_log_never_tells_is_no_curve_and_what_it_tells_later_begins_there(log: Path) -> None:
    found = read(log)
    assert sorted(found.steps.series) == ["loss", "tokens_per_second"]
    write(log, step(9, gpu=97.0, memory=None))
    assert found.poll()
    gpu = found.steps.series["gpu"]
    assert (len(gpu), gpu.last(), found.newest("gpu", 5)) == (9, 97.0, 97.0)
    assert "memory" not in found.steps.series


def test_a_log_that_became_shorter_is_another_log(log: Path) -> None:
    found = read(log)
    write(log, step(1, loss=3.5), mode="w")
    assert found.poll()
    assert found.generation == 1
    assert found.steps.series["loss"].y.tolist() == [3.5]
    assert found.last_step == 1


def test_time_left_is_told_from_the_newest_steps(log: Path) -> None:
    assert read(log).seconds_left(20) == 12.0
    assert read(log).seconds_left(None) is None


def curves(found: RunMetrics) -> str:
    return repr(
        {
            name: (track.x("step").tolist(), track.x("time").tolist(), {k: s.y.tolist() for k, s in track.series.items()})
            for name, track in found.tracks.items()
        }
    )  # fmt: skip


@pytest.fixture
def kept(log: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log with its cache."""
    monkeypatch.setattr(metrics, "_WORTH_KEEPING", 1)
    write(log, {"kind": "validation", "step": 8, "loss": 2.0}, {"kind": "checkpoint", "step": 8, "path": "c8"})
    write(log, {"kind": "message", "text": "warming up"})
    RunMetrics(log).load()
    assert metrics_cache.path_for(log).exists()
    return log


def test_a_cache_says_what_the_log_says(kept: Path) -> None:
    fresh, cached = read(kept), RunMetrics(kept)
    found = metrics_cache.load(kept)
    assert found is not None
    assert found.offset == kept.stat().st_size
    cached.load()
    assert curves(cached) == curves(fresh)
    assert (cached.last_step, cached.message, cached.checkpoints) == (8, "warming up", {8: "c8"})
    assert cached.seconds_left(20) == fresh.seconds_left(20)


def test_what_the_log_got_since_is_read_on_top_also_when_it_goes_back(kept: Path) -> None:
    write(kept, step(9), {"kind": "attempt", "attempt": 2}, step(5, loss=0.25), step(6, loss=0.25))
    cached = RunMetrics(kept)
    cached.load()
    assert curves(cached) == curves(read(kept))
    assert cached.last_step == 6
    again = metrics_cache.load(kept)
    assert again is not None
    assert again.offset == kept.stat().st_size


@pytest.mark.parametrize("damage", ["empty", "half", "bit", "other magic"])
def test_a_damaged_cache_is_passed_over(kept: Path, damage: str) -> None:
    path = metrics_cache.path_for(kept)
    data = bytearray(path.read_bytes())
    if damage == "bit":
        data[-5] ^= 1
    path.write_bytes({"empty": b"", "half": data[: len(data) // 2], "other magic": b"x" + data[1:]}.get(damage, data))
    assert metrics_cache.load(kept) is None
    cached = RunMetrics(kept)
    cached.load()
    assert curves(cached) == curves(read(kept))


@pytest.mark.parametrize("change", ["shrank", "rewritten", "replaced", "gone"])
def test_a_cache_of_another_log_is_not_believed(kept: Path, change: str, tmp_path: Path) -> None:
    text = kept.read_text()
    if change == "shrank":
        kept.write_text(text[: text.rindex("\n", 0, -1) + 1])
    elif change == "rewritten":
        kept.write_text(text.replace('"loss": 9.0', '"loss": 8.5'))
    elif change == "replaced":
        (tmp_path / "new").write_text(text)
        os.replace(tmp_path / "new", kept)
    else:
        kept.unlink()
    assert metrics_cache.load(kept) is None


def test_where_no_cache_can_be_written_the_run_is_read_all_the_same(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_WORTH_KEEPING", 1)
    metrics_cache.path_for(log).mkdir()
    found = RunMetrics(log)
    found.load()
    assert found.last_step == 8
    assert [path.name for path in log.parent.iterdir() if path.name.startswith(".")] == []


def test_a_course_in_miniature_is_told_from_a_few_pieces(tmp_path: Path) -> None:
    path = write(tmp_path / "long.jsonl", *(step(n) for n in range(1, 3001)))
    course = sparkline(path)
    assert 35 <= len(course) <= 45
    assert (course[0] > course[-1], course[-1]) == (True, -2990.0)
    assert sparkline(tmp_path / "none") == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["steps", "validation", "attempt"]), st.integers(0, 12)), max_size=20))
def test_read_at_once_or_line_by_line_a_log_says_the_same(course: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, now = Path(folder) / "events.jsonl", 0
        path.touch()
        line_by_line = RunMetrics(path)
        for kind, count in course:
            if kind == "attempt":
                now = max(0, now - count)
                write(path, {"kind": "attempt", "attempt": 2})
            elif kind == "validation":
                write(path, {"kind": "validation", "step": now, "loss": 1.0 + count})
            for _ in range(count if kind == "steps" else 0):
                now += 1
                write(path, step(now, t=50.0 + 3 * now))
                line_by_line.poll()
            line_by_line.poll()
        assert curves(read(path)) == curves(line_by_line)
