"""Numbers in fields and in the table of keys: short, and the same when read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.numbers import number_text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_from_its_text(value: float) -> None:
    assert float(number_text(value)) == value


def test_numbers_are_written_as_people_write_them() -> None:
    assert [number_text(value) for value in (2e-4, 0.03, 16.0, 100.0, 1e-5)] == ["2e-4", "0.03", "16", "100", "1e-5"]
