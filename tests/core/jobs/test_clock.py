"""Times as people write them: the next time it is that late, or a day and a time."""

from __future__ import annotations

from datetime import datetime

import pytest

from core.errors import UserError
from core.jobs.clock import clock_text, next_time

NOON = datetime(2026, 11, 20, 12, 0).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:00", datetime(2026, 11, 20, 22, 0)),
        ("7:30", datetime(2026, 11, 21, 7, 30)),
        ("12:00", datetime(2026, 11, 21, 12, 0)),
        ("2026-11-21T22:00", datetime(2026, 11, 21, 22, 0)),
        ("2026-11-20 12:00:00.5", datetime(2026, 11, 20, 12, 0, 0, 500_000)),
    ],
)
def test_a_time_is_the_next_one_of_that_name(text: str, expected: datetime) -> None:
    assert next_time(text, NOON) == expected.timestamp()


@pytest.mark.parametrize("text", ["", "tonight", "25:00", "22", "2026-13-01T10:00", "2026-11-21T22:00+02:00"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match="no time of day") as caught:
        next_time(text, NOON)
    assert "22:00" in caught.value.hint


def test_a_day_that_has_passed_is_refused() -> None:
    with pytest.raises(UserError, match="has passed"):
        next_time("2026-11-20T11:59", NOON)


def test_a_moment_is_told_as_short_as_it_can_be() -> None:
    assert clock_text(NOON + 3600, NOON) == "13:00"
    assert clock_text(NOON + 86_400, NOON) == "21 Nov 12:00"
    assert clock_text(datetime(2099, 1, 2, 3, 4).timestamp(), NOON) == "2 Jan 2099 03:04"
