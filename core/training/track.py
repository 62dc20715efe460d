"""Curves that were measured at the same moments: the steps of a run, or its validations.

They share their x, of which there are three: the step, the tokens seen so far, and the seconds worked so far. A curve
that never had a number is not there, so that what an older log does not tell costs nothing and is not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from core.training.series import Floats, Growing, Series

Along = Literal["step", "tokens", "time"]
ALONG: Final[tuple[Along, ...]] = ("step", "tokens", "time")
_LOG_PARTS: Final = 12
"""A logarithmic axis is cut into so many pieces of equal length, each decimated for itself: its left holds few points a pixel, its right many."""


class Track:
    """series: the curves by name, all as long as the track. len(): number of moments."""

    def __init__(self) -> None:
        self._x: dict[Along, Growing] = {along: Growing() for along in ALONG}
        self.series: dict[str, Series] = {}

    def __len__(self) -> int:
        return self._x["step"].size

    def x(self, along: Along) -> Floats:
        """All x of one kind, never falling; a view that the next change makes stale."""
        return self._x[along].values

    def last(self, along: Along) -> float:
        """The newest x; 0 before the first."""
        return float(self._x[along].values[-1]) if len(self) else 0.0

    def restore(self, x: Mapping[Along, Floats], series: Mapping[str, Floats]) -> None:
        """Take these arrays, all of one length, over as the whole track."""
        self._x = {along: Growing(x[along]) for along in ALONG}
        self.series = {name: Series(y) for name, y in series.items()}

    def extend(self, x: Mapping[Along, Floats], series: Mapping[str, Floats]) -> None:
        """Add moments in order. Raises ValueError when a step lies before the one before it."""
        steps, before = x["step"], len(self)
        if (len(steps) and before and steps[0] < self.last("step")) or np.any(steps[1:] < steps[:-1]):
            raise ValueError("steps may not fall")
        for along in ALONG:
            self._x[along].extend(x[along])
        for name, y in series.items():
            if name not in self.series and np.isfinite(y).any():
                self.series[name] = Series(np.full(before, np.nan))
        for name, one in self.series.items():
            one.extend(series[name] if name in series else np.full(len(steps), np.nan))

    def cut_from(self, step: float) -> None:
        """Forget all moments at `step` and after it."""
        size = int(np.searchsorted(self.x("step"), step, side="left"))
        for growing in self._x.values():
            growing.cut(size)
        for one in self.series.values():
            one.cut(size)

    def place(self, along: Along, x: float) -> int | None:
        """The number of the moment nearest to x; None when there is none."""
        if not len(self):
            return None
        xs = self.x(along)
        after = int(np.searchsorted(xs, x))
        if after == len(xs):
            return after - 1
        return after - 1 if after and x - xs[after - 1] <= xs[after] - x else after

    def window(
        self, name: str, along: Along, x0: float, x1: float, pixels: int, *, log: bool = False
    ) -> tuple[Floats, Floats]:
        """What to draw of a curve between x0 and x1, with the next point on either side, so that lines reach the edges."""
        series, xs = self.series[name], self.x(along)
        parts = [series.window(xs, start, end, share) for start, end, share in self._parts(along, x0, x1, pixels, log)]
        return _joined(parts)

    def means(
        self, name: str, along: Along, x0: float, x1: float, pixels: int, width: int, *, log: bool = False
    ) -> tuple[Floats, Floats]:
        """The same of the smooth curve; width: of how many points the mean is."""
        series, xs = self.series[name], self.x(along)
        parts = self._parts(along, x0, x1, pixels, log)
        return _joined([series.means(xs, start, end, share, width) for start, end, share in parts])

    def _parts(self, along: Along, x0: float, x1: float, pixels: int, log: bool) -> list[tuple[int, int, int]]:
        xs = self.x(along)
        start = max(0, int(np.searchsorted(xs, x0, side="left")) - 1)
        end = min(len(xs), int(np.searchsorted(xs, x1, side="right")) + 1)
        if not log or x0 <= 0 or x1 <= x0:
            return [(start, end, pixels)]
        edges = np.geomspace(x0, x1, _LOG_PARTS + 1)[1:-1]
        cuts = [start, *np.clip(np.searchsorted(xs, edges), start, end).tolist(), end]
        share = max(1, pixels // _LOG_PARTS)
        return [(one, other, share) for one, other in pairwise(cuts) if other > one]


def _joined(parts: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return np.empty(0), np.empty(0)
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])
