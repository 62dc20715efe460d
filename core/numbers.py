"""Numbers as people write them. No unit, no rounding: what is shown reads back as the same number."""

from __future__ import annotations


def number_text(value: float) -> str:
    """The shortest text that reads back as this number: 2e-4, 0.03, 16."""
    if value and not 1e-3 <= abs(value) < 1e9:
        shortest = next(shown for width in range(18) if float(shown := f"{value:.{width}e}") == value)
        digits, _, power = shortest.partition("e")
        return f"{digits}e{int(power)}"
    return repr(float(value)).removesuffix(".0")
