"""Axes: round values at the right pixels, written as short as people write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.widgets.charts.axes import (
    Axis,
    along_text,
    count_text,
    log_text,
    step_text,
    ticks,
    time_text,
    time_ticks,
    tiny_text,
    value_text,
)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(0, 1))
def test_a_pixel_and_its_value_find_each_other(low: float, size: float, share: float) -> None:
    axis = Axis(low, low + size, 50, 650)
    value = low + share * size
    assert axis.value(axis.pixel(value)) == pytest.approx(value, abs=1e-6 * max(1, abs(low), size))


def test_a_logarithmic_axis_gives_each_decade_the_same_room() -> None:
    axis = Axis(1, 1000, 0, 300, log=True)
    assert axis.pixels(np.array([1.0, 10.0, 100.0, 1000.0])).tolist() == pytest.approx([0, 100, 200, 300])
    assert axis.value(150) == pytest.approx(31.62, rel=1e-3)
    assert np.isnan(axis.pixels(np.array([0.0, -3.0]))).all()


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 20))
def test_ticks_are_few_and_lie_on_the_axis(low: float, size: float, most: int) -> None:
    found, spacing = ticks(Axis(low, low + size, 0, 100), most)
    assert len(found) <= most + 1
    near = spacing * 1e-6 + abs(low) * 1e-9
    assert all(low - near <= one <= low + size + near for one in found)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1, 1000, [1, 10, 100, 1000]), (2, 5000, [10, 100, 1000]), (1e-6, 1e-3, [1e-6, 1e-5, 1e-4, 1e-3]), (3, 50, [5, 10, 20, 50])],
)  # fmt: skip
def test_decades_are_the_ticks_of_a_logarithmic_axis(low: float, high: float, expected: list[float]) -> None:
    assert ticks(Axis(low, high, 0, 400, log=True), 6)[0] == pytest.approx(expected)


def test_time_is_divided_at_whole_minutes_and_hours() -> None:
    assert time_ticks(Axis(0, 3600, 0, 500), 6)[0] == [0, 600, 1200, 1800, 2400, 3000, 3600]
    assert time_ticks(Axis(0, 5 * 86400, 0, 500), 6)[0] == [day * 86400 for day in range(6)]


@pytest.mark.parametrize(("step", "text"), [(0, "0"), (800, "800"), (9_999, "9999"), (12_000, "12k"), (2.5e6, "2.5M")])
def test_steps_are_written_shortly(step: float, text: str) -> None:
    assert step_text(step) == text


@pytest.mark.parametrize(
    ("value", "spacing", "text"),
    [
        (0.00015, 5e-5, "1.5e-4"), (0.0002, 5e-5, "2e-4"), (0.0, 5e-5, "0"), (1e-20, 5e-5, "0"),
        (2.94, 0.02, "2.94"), (3.5, 0.5, "3.5"), (3.0, 0.5, "3.0"), (0.15, 0.05, "0.15"),
        (41500.0, 500.0, "41.5k"), (6000.0, 1000.0, "6k"), (250.0, 50.0, "250"), (0.05, 0.005, "0.050"),
        (2.5e6, 5e5, "2.5M"), (4e30, 2e30, "4.0e30"),
    ],
)  # fmt: skip
def test_values_on_an_axis_have_the_digits_that_tell_them_apart(value: float, spacing: float, text: str) -> None:
    assert value_text(value, spacing) == text


def test_numbers_are_as_short_as_people_write_them() -> None:
    assert [tiny_text(value) for value in (3.7e-8, 2e-4, 0.0)] == ["3.7e-8", "2.0e-4", "0"]
    assert [log_text(value) for value in (1e-4, 0.02, 5, 2000)] == ["1e-4", "0.02", "5", "2k"]
    assert [count_text(value) for value in (950, 34_500, 3_450_000, 1.2e9)] == ["950", "34.5k", "3.45M", "1.2B"]
    assert [time_text(value) for value in (45, 120, 750, 3900, 7200, 183_600)] == [
        "45 s", "2 min", "12:30 min", "1 h 05 min", "2 h", "2 d 3 h",
    ]  # fmt: skip
    assert [along_text(along, 3900) for along in ("step", "tokens", "time")] == ["step 3,900", "3.9k tokens", "1 h 05 min"]  # type: ignore[arg-type]  # fmt: skip
