"""How the Teacher page writes numbers, states and results, so that every part of it says the same."""

from __future__ import annotations

from app.widgets.jobs import job_row

STATES = job_row.STATES | {"stopped": "Paused"}
RESULTS = {"failed": "Failed", "refused": "Refused", "unverified": "Unverified"}
RESULT_TONES = {"failed": "bad", "refused": "warn", "unverified": "dim"}


def dollars(amount: float | None) -> str:
    """$0.0012, $0.38, $41.20; a dash where no price is known."""
    if amount is None:
        return "—"
    if amount == 0:
        return "$0"
    return f"${amount:,.4f}" if amount < 0.1 else f"${amount:,.2f}"


def tokens(count: float) -> str:
    """950, 34.5k, 3.45M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.0f}"


def samples(count: int) -> str:
    """So many samples, in words."""
    return f"{count:,} sample{'s' if count != 1 else ''}"


def percent(part: float, whole: float) -> str:
    """A share, without decimals; a dash of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "—"
