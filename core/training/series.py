"""A curve that grows: kept whole in memory, drawn from a pyramid of extremes, so that a million points cost what a
thousand cost.

Level k + 1 holds the smallest and the largest of each 8 entries of level k and is extended as points arrive. No extreme is
ever averaged away; only its place within a pixel is given up. The smooth curve is the mean of the newest points, told from
running sums: any width costs the same, nothing is computed again when the width changes. What x is, others know: a curve
is drawn over several, and they are the same for all curves that were measured together (`core.training.track`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
FAN = 8
MOST = 1e7
"""Values beyond this count as this in means: one exploded loss would otherwise drown all later digits of a running sum."""
_FIRST_CAPACITY = 256


class Growing:
    """A float64 array with room to grow; doubling keeps an append cheap on average."""

    __slots__ = ("_room", "size")

    def __init__(self, values: Floats | None = None) -> None:
        """values: what it begins with; the array is taken over."""
        self._room: Floats = np.empty(_FIRST_CAPACITY) if values is None else values
        self.size = 0 if values is None else len(values)

    @property
    def values(self) -> Floats:
        """A view of what is there; valid until the next `extend`."""
        return self._room[: self.size]

    def extend(self, values: Floats) -> None:
        """Append all of `values`."""
        end = self.size + len(values)
        if end > len(self._room):
            larger = np.empty(max(end, 2 * len(self._room), _FIRST_CAPACITY))
            larger[: self.size] = self.values
            self._room = larger
        self._room[self.size : end] = values
        self.size = end

    def cut(self, size: int) -> None:
        """Forget all but the first `size` values."""
        self.size = min(self.size, size)


class Series:
    """The y of a curve. NaN is no value: extremes and means pass it over, and it is drawn as a gap."""

    __slots__ = ("_counts", "_levels", "_sums", "_y")

    def __init__(self, y: Floats | None = None) -> None:
        """y: what it begins with; the array is taken over."""
        self._y = Growing(y)
        self._levels: list[tuple[Growing, Growing]] = []
        self._sums: Growing | None = None
        self._counts: Growing | None = None
        self._grow()

    def __len__(self) -> int:
        return self._y.size

    @property
    def y(self) -> Floats:
        """All values; a view that the next change makes stale."""
        return self._y.values

    def last(self) -> float:
        """The newest value. Raises IndexError when there is none."""
        return float(self._y.values[-1])

    def extend(self, y: ArrayLike) -> None:
        """Add points in order."""
        self._y.extend(np.asarray(y, dtype=np.float64))
        self._grow()

    def cut(self, size: int) -> None:
        """Forget all but the first `size` points: a resumed run goes over that ground again."""
        for running in (self._sums, self._counts):
            if running is not None:
                running.cut(size + 1)
        self._y.cut(size)
        for low, high in self._levels:
            size //= FAN
            low.cut(size)
            high.cut(size)

    def window(self, x: Floats, start: int, end: int, pixels: int) -> tuple[Floats, Floats]:
        """What to draw of the points [start, end) on so many pixels: at most some 4 points a pixel, every extreme kept.

        x: as long as the series, never falling. Few points come as they are. Many come as pairs (smallest, largest) of
        equal numbers of neighbours, both at the x of the first of them; the newest point keeps its own x.
        O(pixels + log n). The arrays are the caller's own.
        """
        y = self._y.values
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

    def means(self, x: Floats, start: int, end: int, pixels: int, width: int) -> tuple[Floats, Floats]:
        """The smooth curve over the points [start, end): at most some one point a pixel, each the mean of the newest `width`.

        Where a pixel holds more points than `width`, it is the mean of those. The points stay where they are while the
        window moves, so that nothing shimmers.
        """
        stride = max(1, (end - start) // max(1, pixels))
        places = np.arange(-(-start // stride) * stride, end, stride)
        if end > start and (not len(places) or places[-1] != end - 1):
            places = np.append(places, end - 1)
        return x[places], self.mean_at(places, max(width, stride))

    def mean_at(self, places: NDArray[np.intp], width: int) -> Floats:
        """At each place the mean of the `width` points that end there, fewer at the start; NaN where none is a number."""
        sums, counts = self._running()
        after = places + 1
        before = np.maximum(after - width, 0)
        total = sums[after] - sums[before]
        if counts is None:
            return np.asarray(total / (after - before))
        number = counts[after] - counts[before]
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)

    def _entries(self, level: int, first: int, last: int) -> tuple[Floats, Floats]:
        if level == 0:
            return self._y.values[first:last], self._y.values[first:last]
        low, high = self._levels[level - 1]
        return low.values[first:last], high.values[first:last]

    def _running(self) -> tuple[Floats, Floats | None]:
        """Sums of the first n values, n from 0, and how many of them are numbers (None: all), brought up to date."""
        if self._sums is None:
            self._sums = Growing(np.zeros(1))
        known = self._sums.size - 1
        if known < len(self):
            new = self._y.values[known:]
            finite = np.isfinite(new)
            if not finite.all() and self._counts is None:
                self._counts = Growing(np.arange(known + 1, dtype=np.float64))
            counted = np.clip(np.where(finite, new, 0.0), -MOST, MOST)
            self._sums.extend(self._sums.values[-1] + np.cumsum(counted))
            if self._counts is not None:
                self._counts.extend(self._counts.values[-1] + np.cumsum(finite))
        return self._sums.values, None if self._counts is None else self._counts.values

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
                low.extend(_of_eights(np.fmin, below_low.values[start:end]))
                high.extend(_of_eights(np.fmax, below_high.values[start:end]))
            below_low, below_high = low, high


def _of_eights(extreme: np.ufunc, values: Floats) -> Floats:
    """The extreme of each 8 values; halving three times is quicker than a reduction over short rows."""
    for _ in range(3):
        values = extreme(values[::2], values[1::2])
    return values
