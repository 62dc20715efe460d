"""How a judge's job gets on, told from its events; what all jobs have in common is tested beside the teacher's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.teacher.judging.pace import JudgePace, JudgeStanding, standing


def judge(t: float, done: int, **more: object) -> dict[str, object]:
    fields = {
        "requested": 100,
        "done": done,
        "judged": done - done // 10,
        "failed": done // 10,
        "asked": done,
        "prompt_tokens": 10 * done,
    }
    return {
        "t": t,
        "kind": "judge",
        **fields,
        "completion_tokens": 5 * done,
        "cost_usd": done / 100,
        "mean": 60.0 if done else None,
        **more,
    }


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def write(path: Path, *events: dict[str, object]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)


def test_a_job_that_has_said_nothing_stands_nowhere(events: Path) -> None:
    assert standing(events) is None
    course = JudgePace(events).poll()
    assert (course.standing, len(course.seconds), course.seconds_left) == (JudgeStanding(), 0, None)


def test_the_newest_event_says_where_it_stands(events: Path) -> None:
    write(
        events,
        judge(0, 0),
        {"t": 1, "kind": "teacher", "done": 7},
        {"t": 2, "kind": "message", "text": "Waiting"},
        judge(10, 20),
    )
    found = standing(events)
    assert found == JudgeStanding(100, 20, 18, 2, 20, 200, 100, 0.2, 60.0)
    assert (found.tokens, found.cost_per_judgement) == (300, pytest.approx(0.2 / 18))
    course = JudgePace(events).poll()
    assert (course.standing, course.message) == (found, "Waiting")


def test_its_course_leaves_pauses_out(events: Path) -> None:
    write(events, {"t": 0, "kind": "attempt"}, judge(0, 0, cost_usd=None), judge(60, 30))
    write(events, {"t": 9000, "kind": "attempt"}, judge(9005, 30), judge(9035, 45))
    course = JudgePace(events).poll()
    assert course.seconds.tolist() == [0, 60, 60, 90]
    assert course.judged.tolist() == [0, 27, 27, 41]
    assert course.mean.tolist() == [0, 60, 60, 60]
    assert course.cost.tolist() == [0, 0.3, 0.3, 0.45]
    assert course.per_minute(course.done)[-1] == pytest.approx(30)
    assert course.seconds_left == pytest.approx(110)
