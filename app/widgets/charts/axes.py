"""The axes of a chart: where values lie in pixels, which of them get a number, and numbers as short as people write them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.training.series import Floats
from core.training.track import Along

STEP_TITLE: dict[Along, str] = {"step": "Step", "tokens": "Tokens seen", "time": "Time worked"}
_TIME_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values low..high on pixels start..end, evenly or by their logarithm (then low is above 0)."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def pixels(self, values: Floats) -> Floats:
        """Where values lie; those that a logarithmic axis cannot show are NaN."""
        low, high = self.low, self.high
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.where(values > 0, np.log10(values), np.nan)
            low, high = math.log10(low), math.log10(high)
        return np.asarray(self.start + (values - low) * ((self.end - self.start) / (high - low)))

    def pixel(self, value: float) -> float:
        """Where one value lies."""
        return float(self.pixels(np.array([value]))[0])

    def value(self, pixel: float) -> float:
        """What lies at a pixel."""
        share = (pixel - self.start) / (self.end - self.start)
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + share * (self.high - self.low)


def ticks(axis: Axis, most: int) -> tuple[list[float], float]:
    """At most so many round values along an axis, and how far the closest lie apart."""
    if axis.log and axis.high / axis.low >= 10:
        first, last = math.ceil(math.log10(axis.low) - 1e-9), math.floor(math.log10(axis.high) + 1e-9)
        stride = max(1, math.ceil((last - first + 1) / max(1, most)))
        found = [10.0**power for power in range(first, last + 1, stride)]
        if len(found) == 1 and most > 2:
            found = [one * found[0] for one in (0.2, 0.5, 1, 2, 5) if axis.low <= one * found[0] <= axis.high]
        return found, found[0] if found else axis.low
    spacing = _round_spacing((axis.high - axis.low) / max(1, most))
    return _multiples(axis.low, axis.high, spacing), spacing


def time_ticks(axis: Axis, most: int) -> tuple[list[float], float]:
    """The same for seconds, at whole minutes, hours and days."""
    if axis.log:
        return ticks(axis, most)
    wanted = (axis.high - axis.low) / max(1, most)
    if wanted <= 1:
        return ticks(axis, most)
    spacing = next((float(one) for one in _TIME_STEPS if one >= wanted), 86400 * _round_spacing(wanted / 86400))
    return _multiples(axis.low, axis.high, spacing), spacing


def y_axis(low: float, high: float, bottom: float, top: float, log: bool) -> Axis:
    """An axis over these values with a little room at both ends, 0 included where it is near."""
    if log:
        room = max((high / low) ** 0.06, 1.05)
        return Axis(low / room, high * room, bottom, top, log=True)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    if low >= 0:
        return Axis(max(low - margin, 0.0 if low < 2 * margin else low - margin), high + margin, bottom, top)
    return Axis(low - margin, high + margin, bottom, top)


def y_ticks(axis: Axis) -> tuple[tuple[float, str], ...]:
    """Values and texts for an upright axis."""
    found, spacing = ticks(axis, max(2, int(abs(axis.end - axis.start) / 26)))
    if axis.log and axis.high / axis.low >= 10:
        return tuple((value, log_text(value)) for value in found)
    return tuple((value, value_text(value, spacing)) for value in found)


def _multiples(low: float, high: float, spacing: float) -> list[float]:
    first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
    return [number * spacing for number in range(first, last + 1)]


def _round_spacing(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(one * power for one in (1.0, 2.0, 5.0, 10.0) if one * power >= least * (1 - 1e-9))


def along_text(along: Along, value: float) -> str:
    """A place on the x axis in full: step 1,240; 3.4M tokens; 1 h 05 min."""
    if along == "step":
        return f"step {round(value):,}"
    if along == "tokens":
        return f"{count_text(value)} tokens"
    return time_text(value)


def step_text(step: float) -> str:
    """A step number in at most five characters."""
    if abs(step) >= 1e6:
        return f"{step / 1e6:g}M"
    return f"{step / 1e3:g}k" if abs(step) >= 10_000 else f"{step:g}"


def count_text(count: float) -> str:
    """A large count in three digits: 950, 34.5k, 3.45M, 1.2B."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g}{letter}" if abs(count) < 1000 * size else f"{count / size:,.0f}{letter}"
    return f"{count:.3g}"


def time_text(seconds: float) -> str:
    """A span of time in two units: 45 s, 12:30 min, 1 h 05 min, 2 d 3 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.3g} s"
    if whole < 3600:
        return f"{whole // 60} min" if whole % 60 == 0 else f"{whole // 60}:{whole % 60:02} min"
    if whole < 86400:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h {minutes:02} min" if minutes else f"{whole // 3600} h"
    hours = whole % 86400 // 3600
    return f"{whole // 86400} d {hours} h" if hours else f"{whole // 86400} d"


def value_text(value: float, spacing: float) -> str:
    """A value on an axis whose ticks are `spacing` apart, with as many digits as tell them apart."""
    if abs(value) < spacing / 1000:
        return "0"
    if spacing < 1e-2:
        exponent = math.floor(math.log10(abs(value)))
        if exponent < -2:
            return f"{value / 10**exponent:.1f}".removesuffix(".0") + f"e{exponent}"
    if spacing >= 1e9:
        return tiny_text(value)
    if spacing >= 5e5:
        return f"{value / 1e6:,.{_digits(spacing / 1e6)}f}M"
    if spacing >= 500:
        return f"{value / 1000:.{_digits(spacing / 1000)}f}k"
    return f"{value:,.{_digits(spacing)}f}"


def log_text(value: float) -> str:
    """A round value on a logarithmic axis: 1e-4, 0.02, 5, 2k."""
    if value < 1e-2:
        return tiny_text(value).replace(".0e", "e")
    return count_text(value) if value >= 1000 else f"{value:g}"


def tiny_text(value: float) -> str:
    """A small number in two digits: 1.6e-4."""
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _digits(spacing: float) -> int:
    return max(0, -math.floor(math.log10(spacing) + 1e-9))
