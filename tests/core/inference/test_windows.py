"""Windows over a long text: every token is scored once, with at least half a context before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.inference.windows import Window, windows


@given(st.integers(0, 3000), st.integers(2, 300))
def test_every_token_is_scored_once_with_at_least_half_a_context_before_it(tokens: int, context: int) -> None:
    found = windows(tokens, context)
    scored = [token for one in found for token in range(one.first, one.end)]
    assert scored == list(range(tokens))
    for one in found:
        assert 0 <= one.start <= one.first < one.end <= tokens
        assert one.end - one.start <= context
        assert one.first == 0 or one.first - one.start >= context / 2
        assert (one.first == 0) == (one.start == 0)


def test_a_text_that_fits_is_one_window() -> None:
    assert windows(8, 8) == (Window(0, 0, 8),)
    assert windows(9, 8) == (Window(0, 0, 8), Window(4, 8, 9))
    assert windows(0, 8) == ()


@pytest.mark.parametrize("context", [1, 0, -3])
def test_a_context_in_which_nothing_can_be_predicted_is_refused(context: int) -> None:
    with pytest.raises(UserError, match="nothing can be scored"):
        windows(5, context)
