"""Curves over one shared x, whichever it is, drawn with as many points as fit."""

from __future__ import annotations

import numpy as np
import pytest

from core.training.track import Track


@pytest.fixture
def track() -> Track:
    made = Track()
    steps = np.arange(1.0, 100_001.0)
    made.extend(
        {"step": steps, "tokens": steps * 10, "time": steps / 2}, {"loss": np.sin(steps), "never": steps * np.nan}
    )
    return made  # fmt: skip


def test_a_window_reaches_one_point_beyond_its_edges(track: Track) -> None:
    x, _ = track.window("loss", "step", 500.5, 510.5, 600)
    assert (x[0], x[-1]) == (500, 511)
    x, _ = track.means("loss", "tokens", 5005, 5105, 600, 5)
    assert (x[0], x[-1]) == (5000, 5110)


def test_a_logarithmic_axis_gets_its_points_where_its_pixels_are(track: Track) -> None:
    x, y = track.window("loss", "step", 1, 100_000, 600, log=True)
    plain, _ = track.window("loss", "step", 1, 100_000, 600)
    assert (x < 100).sum() > 90 > 10 > (plain < 100).sum()
    assert len(x) < 3000
    assert (np.diff(x) >= 0).all()
    assert y.max() == track.series["loss"].y.max()


def test_the_nearest_moment_is_found(track: Track) -> None:
    assert [track.place("step", x) for x in (-5, 1.4, 1.6, 1e9)] == [0, 0, 1, 99_999]
    assert Track().place("step", 3) is None


def test_steps_do_not_fall(track: Track) -> None:
    early = {"step": np.array([5.0]), "tokens": np.array([5.0]), "time": np.array([5.0])}
    with pytest.raises(ValueError, match="fall"):
        track.extend(early, {"loss": np.array([1.0])})
    track.cut_from(5.0)
    track.extend(early, {"loss": np.array([1.0])})
    assert (len(track), track.last("tokens"), track.series["loss"].last()) == (5, 5.0, 1.0)
