"""The axes of a chart: numbers as short as people write them, alike along one axis."""

from __future__ import annotations

import math

import pyqtgraph as pg


class StepAxis(pg.AxisItem):
    """Steps: 800, 1.2k, 30k. Only whole steps get a number."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [step_text(value) if value == int(value) else "" for value in values]


class ValueAxis(pg.AxisItem):
    """Values: 2.94, 0.15, 41.5k, 1.5e-4."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [value_text(value, spacing) for value in values]


def step_text(step: float) -> str:
    """A step number in at most five characters."""
    if abs(step) >= 1e6:
        return f"{step / 1e6:g}M"
    return f"{step / 1e3:g}k" if abs(step) >= 10_000 else f"{step:g}"


def value_text(value: float, spacing: float) -> str:
    """A value on an axis whose ticks are `spacing` apart, with as many digits as tell them apart."""
    if abs(value) < spacing / 1000:
        return "0"
    if spacing < 1e-2:
        exponent = math.floor(math.log10(abs(value)))
        if exponent < -2:
            return f"{value / 10**exponent:.1f}".removesuffix(".0") + f"e{exponent}"
    if spacing >= 500:
        return f"{value / 1000:.{_digits(spacing / 1000)}f}k"
    return f"{value:,.{_digits(spacing)}f}"


def tiny_text(value: float) -> str:
    """A small number in two digits: 1.6e-4."""
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _digits(spacing: float) -> int:
    return max(0, -math.floor(math.log10(spacing) + 1e-9))
