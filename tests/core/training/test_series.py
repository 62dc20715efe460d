"""Curves: as many points as there are pixels, no extreme is ever lost, and a mean is what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.training.series import MOST, Series


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000), st.integers(10, 400), st.data())
def test_a_window_keeps_the_extremes_and_is_small(values: list[float], pixels: int, data: st.DataObject) -> None:
    split = data.draw(st.integers(0, len(values)))
    series = Series(np.array(values[:split]))
    for value in values[split:]:
        series.extend((value,))
    places = np.arange(len(values), dtype=float)
    start = data.draw(st.integers(0, len(values) - 1))
    end = data.draw(st.integers(start + 1, len(values)))
    x, y = series.window(places, start, end, pixels)
    inside = np.array(values[start:end])
    assert len(x) == len(y) <= 6 * pixels + 20
    assert (y.min(), y.max()) == (inside.min(), inside.max())
    assert np.all(np.diff(x) >= 0)
    assert set(y) <= set(values)


def test_what_a_resumed_run_does_again_replaces_what_it_did() -> None:
    series = Series()
    series.extend(np.arange(100.0))
    assert series.mean_at(np.array([99]), 2)[0] == 98.5
    series.cut(60)
    series.extend((-1.0,))
    assert (len(series), series.last()) == (61, -1.0)
    _, y = series.window(np.arange(61.0), 0, 61, 1000)
    assert y.max() == 59.0
    assert series.mean_at(np.array([60]), 2)[0] == 29.0


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.nan)), min_size=1, max_size=300),
    st.integers(1, 60),
    st.data(),
)
def test_the_smooth_curve_is_the_mean_of_the_newest_numbers(
    values: list[float], width: int, data: st.DataObject
) -> None:
    split = data.draw(st.integers(0, len(values)))
    series = Series()
    series.extend(values[:split])
    series.mean_at(np.arange(split), width)
    series.extend(values[split:])
    told = series.mean_at(np.arange(len(values)), width)
    for place in range(len(values)):
        numbers = [one for one in values[max(0, place + 1 - width) : place + 1] if one == one]
        assert told[place] == pytest.approx(np.mean(numbers) if numbers else math.nan, nan_ok=True, abs=1e-9)


def test_the_smooth_curve_stands_still_while_the_window_moves() -> None:
    series, places = Series(np.random.default_rng(7).normal(size=100_000)), np.arange(100_000.0)
    x, y = series.means(places, 10_000, 60_000, 500, 20)
    shifted_x, shifted_y = series.means(places, 10_037, 60_037, 500, 20)
    shared = np.intersect1d(x, shifted_x)
    assert len(shared) > 490
    assert np.array_equal(y[np.isin(x, shared)], shifted_y[np.isin(shifted_x, shared)])


def test_one_exploded_value_does_not_spoil_the_means_after_it() -> None:
    series = Series(np.array([1.0, 2.0, 1e300, *[0.5] * 100]))
    assert series.mean_at(np.array([2]), 3)[0] == pytest.approx((3 + MOST) / 3)
    assert series.mean_at(np.array([60]), 20)[0] == pytest.approx(0.5)
