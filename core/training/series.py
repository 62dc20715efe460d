"""A curve that grows: kept whole in memory, drawn from a pyramid of extremes, so that a million points cost what a
thousand cost.

Level k + 1 holds the smallest and the largest of each 8 entries of level k and is extended as points arrive. No extreme is
ever averaged away; only its place within a pixel is given up. It knows nothing of files and of what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
FAN = 8
_FIRST_CAPACITY = 256


class Growing:
    """A float64 array with room to grow; doubling keeps an append cheap on average."""

    __slots__ = ("_room", "size")

    def __init__(self) -> None:
        self._room: Floats = np.empty(_FIRST_CAPACITY)
        self.size = 0

    @property
    def values(self) -> Floats:
        """A view of what is there; valid until the next `extend`."""
        return self._room[: self.size]

    def extend(self, values: Floats) -> None:
        """Append all of `values`."""
        end = self.size + len(values)
        if end > len(self._room):
            larger = np.empty(max(end, 2 * len(self._room)))
            larger[: self.size] = self.values
            self._room = larger
        self._room[self.size : end] = values
        self.size = end

    def cut(self, size: int) -> None:
        """Forget all but the first `size` values."""
        self.size = min(self.size, size)


class Series:
    """Points with x never falling. y may be NaN: extremes pass it over, and it is drawn as a gap."""

    __slots__ = ("_levels", "_x", "_y")

    def __init__(self) -> None:
        self._x = Growing()
        self._y = Growing()
        self._levels: list[tuple[Growing, Growing]] = []

    def __len__(self) -> int:
        return self._y.size

    @property
    def x(self) -> Floats:
        """All x; a view that the next change makes stale."""
        return self._x.values

    @property
    def y(self) -> Floats:
        """All y; a view that the next change makes stale."""
        return self._y.values

    def last(self) -> float:
        """The newest y. Raises IndexError when there is none."""
        return float(self._y.values[-1])

    def append(self, x: float, y: float) -> None:
        """Add one point. x may not lie before the last one."""
        self.extend((x,), (y,))

    def extend(self, x: ArrayLike, y: ArrayLike) -> None:
        """Add points in order. Raises ValueError when x falls or the lengths differ."""
        new_x, new_y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        if len(new_x) != len(new_y):
            raise ValueError(f"{len(new_x)} x for {len(new_y)} y")
        if (len(new_x) and self._x.size and new_x[0] < self._x.values[-1]) or np.any(new_x[1:] < new_x[:-1]):
            raise ValueError("x may not fall")
        self._x.extend(new_x)
        self._y.extend(new_y)
        self._grow()

    def cut_from(self, x: float) -> None:
        """Forget all points at `x` and after it: a resumed run goes over that ground again."""
        size = int(np.searchsorted(self._x.values, x, side="left"))
        self._x.cut(size)
        self._y.cut(size)
        for low, high in self._levels:
            size //= FAN
            low.cut(size)
            high.cut(size)

    def window(self, x0: float, x1: float, pixels: int) -> tuple[Floats, Floats]:
        """What to draw of x0 <= x <= x1 on so many pixels: at most 4 points a pixel, every extreme kept.

        Few points come as they are. Many come as pairs (smallest, largest) of equal numbers of neighbours, both at the
        x of the first of them; the newest point keeps its own x. O(pixels + log n). The arrays are the caller's own.
        """
        x, y = self._x.values, self._y.values
        start = int(np.searchsorted(x, x0, side="left"))
        end = int(np.searchsorted(x, x1, side="right"))
        pixels = max(1, pixels)
        if end - start <= 4 * pixels:
            return x[start:end].copy(), y[start:end].copy()
        level, block = 0, 1
        while level < len(self._levels) and (end - start) // (block * FAN) >= 2 * pixels:
            level, block = level + 1, block * FAN
        first, last = -(-start // block), end // block
        low, high = self._entries(level, first, last)
        stride = -(-len(low) // pixels)
        heads = np.arange(0, len(low), stride)
        parts_low = [np.fmin.reduceat(low, heads)]
        parts_high = [np.fmax.reduceat(high, heads)]
        parts_x = [x[(first + heads) * block]]
        if first * block > start:
            edge = y[start : first * block]
            parts_low.insert(0, np.fmin.reduce(edge, keepdims=True))
            parts_high.insert(0, np.fmax.reduce(edge, keepdims=True))
            parts_x.insert(0, x[start : start + 1])
        if last * block < end:
            edge = y[last * block : end]
            parts_low.append(np.fmin.reduce(edge, keepdims=True))
            parts_high.append(np.fmax.reduce(edge, keepdims=True))
            parts_x.append(x[end - 1 : end])
        both = np.stack((np.concatenate(parts_low), np.concatenate(parts_high)), axis=1).ravel()
        return np.repeat(np.concatenate(parts_x), 2), both

    def _entries(self, level: int, first: int, last: int) -> tuple[Floats, Floats]:
        if level == 0:
            return self._y.values[first:last], self._y.values[first:last]
        low, high = self._levels[level - 1]
        return low.values[first:last], high.values[first:last]

    def _grow(self) -> None:
        """Bring every level up to date with the one below it."""
        below_low = below_high = self._y
        for level in range(64):
            if below_low.size < FAN:
                return
            if level == len(self._levels):
                self._levels.append((Growing(), Growing()))
            low, high = self._levels[level]
            start, end = low.size * FAN, below_low.size // FAN * FAN
            if end > start:
                low.extend(np.fmin.reduce(below_low.values[start:end].reshape(-1, FAN), axis=1))
                high.extend(np.fmax.reduce(below_high.values[start:end].reshape(-1, FAN), axis=1))
            below_low, below_high = low, high


class Smooth:
    """An exponential moving average that grows with its series and can be cut back like it.

    weight: how much of the average each new point leaves standing; 0.95 halves a point's influence in 13 points.
    The start is corrected for (as in Adam), so the first value is the first point. NaN changes nothing.
    """

    __slots__ = ("_shares", "series", "weight")

    def __init__(self, weight: float = 0.95) -> None:
        self.weight = weight
        self.series = Series()
        self._shares = Growing()

    def extend(self, x: Sequence[float], y: Sequence[float]) -> None:
        """Add points, as to the series they smooth."""
        share = float(self._shares.values[-1]) if self._shares.size else 0.0
        value = self.series.last() if len(self.series) else float("nan")
        total = value * share if share else 0.0
        keep, take = self.weight, 1.0 - self.weight
        values, shares = [], []
        for point in y:
            if point - point == 0.0:  # finite
                total, share = keep * total + take * point, keep * share + take
                value = total / share
            values.append(value)
            shares.append(share)
        self.series.extend(x, values)
        self._shares.extend(np.asarray(shares, dtype=np.float64))

    def cut_from(self, x: float) -> None:
        """Forget all points at `x` and after it."""
        self.series.cut_from(x)
        self._shares.cut(len(self.series))
