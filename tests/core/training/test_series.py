"""Curves: as many points as there are pixels, and no extreme is ever lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.training.series import Series


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000), st.integers(10, 400), st.data())
def test_a_window_keeps_the_extremes_and_is_small(values: list[float], pixels: int, data: st.DataObject) -> None:
    series = Series()
    split = data.draw(st.integers(0, len(values)))
    series.extend(np.arange(split, dtype=float), np.array(values[:split]))
    for place in range(split, len(values)):
        series.append(float(place), values[place])
    low = data.draw(st.integers(0, len(values) - 1))
    high = data.draw(st.integers(low, len(values) - 1))
    x, y = series.window(float(low), float(high), pixels)
    inside = np.array(values[low : high + 1])
    assert len(x) == len(y) <= 6 * pixels + 20
    assert y.min() <= inside.min()
    assert y.max() >= inside.max()
    assert np.all(np.diff(x) >= 0)
    assert set(y) <= set(values)


def test_what_a_resumed_run_does_again_replaces_what_it_did() -> None:
    series = Series()
    series.extend(np.arange(100.0), np.arange(100.0))
    series.cut_from(60.0)
    series.append(60.0, -1.0)
    assert len(series) == 61
    assert series.last() == -1.0
    _, y = series.window(0.0, 100.0, 1000)
    assert y.max() == 59.0
