"""What a plan says, in words."""

from __future__ import annotations

import pytest

from core.training.planned import compute_text


@pytest.mark.parametrize(
    ("flops", "days", "text"),
    [
        (8.3e12, 9.6e-8, "8.3 TFLOP (under 0.001 petaflop/s-days)"),
        (1.2e18, 0.0139, "1.2 EFLOP (0.0139 petaflop/s-days)"),
        (3.1e23, 3588.0, "310 ZFLOP (3.59e+03 petaflop/s-days)"),
        (0.0, 0.0, "0 GFLOP (under 0.001 petaflop/s-days)"),
    ],
)
def test_operations_are_counted_in_units_that_people_know(flops: float, days: float, text: str) -> None:
    assert compute_text(flops, days) == text
