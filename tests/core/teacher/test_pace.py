"""How a job gets on, told from its events: pauses are no work, and a long job stays small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.teacher.pace import MOST, Pace, standing


def teacher(t: float, done: int, **more: object) -> dict[str, object]:
    fields = {
        "requested": 100,
        "done": done,
        "verified": done // 2,
        "prompt_tokens": 10 * done,
        "completion_tokens": 5 * done,
    }
    return {"t": t, "kind": "teacher", **fields, "cost_usd": done / 100, **more}


def write(path: Path, *events: dict[str, object]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_a_job_that_has_said_nothing_has_no_course(events: Path) -> None:
    assert standing(events) is None
    course = Pace(events).poll()
    assert len(course.seconds) == 0
    assert (course.standing.done, course.seconds_left) == (0, None)


def test_the_newest_event_says_where_it_stands(events: Path) -> None:
    write(events, teacher(0, 0), {"t": 1, "kind": "message", "text": "Looking"}, teacher(10, 20))
    found = standing(events)
    assert found is not None
    assert (found.done, found.verified, found.tokens, found.cost_usd) == (20, 10, 300, 0.2)
    assert found.cost_per_verified == pytest.approx(0.02)
    assert Pace(events).poll().message == "Looking"


def test_a_pause_between_two_attempts_is_no_time_at_work(events: Path) -> None:
    pace = Pace(events)
    write(events, {"t": 0, "kind": "attempt", "attempt": 1}, teacher(0, 0), teacher(60, 30))
    assert pace.poll().seconds.tolist() == [0, 60]
    write(events, {"t": 9000, "kind": "attempt", "attempt": 2}, teacher(9005, 30), teacher(9035, 45))
    course = pace.poll()
    assert course.seconds.tolist() == [0, 60, 60, 90]
    assert course.done.tolist() == [0, 30, 30, 45]
    assert course.seconds_left == pytest.approx(110)


def test_throughput_is_per_minute_over_a_window(events: Path) -> None:
    write(events, *(teacher(t, t) for t in range(61)))
    course = Pace(events).poll()
    assert course.per_minute(course.done)[-1] == pytest.approx(60)
    assert course.per_minute(course.verified)[-1] == pytest.approx(30, rel=0.1)


def test_a_long_job_keeps_its_course_in_a_few_thousand_points(events: Path) -> None:
    write(events, *(teacher(t / 2, t) for t in range(3 * MOST)))
    course = Pace(events).poll()
    assert MOST / 2 <= len(course.seconds) <= MOST + 1
    assert (course.done[0], course.done[-1]) == (0, 3 * MOST - 1)
    assert (np.diff(course.seconds) > 0).all()


def test_what_has_no_price_costs_nothing_that_is_known(events: Path) -> None:
    write(events, teacher(0, 10, cost_usd=None))
    course = Pace(events).poll()
    assert course.standing.cost_usd is None
    assert course.standing.cost_per_verified is None
