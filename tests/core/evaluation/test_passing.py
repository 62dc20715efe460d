"""pass@k against its definition, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.evaluation.passing import Tally, around, compile_rate, estimate, pass_at, wilson


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_it_is_the_share_of_draws_in_which_one_passes(case: tuple[int, int, int]) -> None:
    n, correct, k = case
    draws = list(combinations([True] * correct + [False] * (n - correct), k))
    assert math.isclose(pass_at(n, correct, k), sum(map(any, draws)) / len(draws), abs_tol=1e-12)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_it_is_stable_for_many_candidates(case: tuple[int, int, int]) -> None:
    n, correct, k = case
    exact = 1 - Fraction(math.comb(n - correct, k), math.comb(n, k))
    assert math.isclose(pass_at(n, correct, k), float(exact), rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("case", [(3, 1, 4), (3, 4, 1), (3, -1, 1), (3, 1, 0), (0, 0, 1)])
def test_what_cannot_be_estimated_is_an_error(case: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="pass@"):
        pass_at(*case)


def test_a_suite_is_the_mean_of_its_problems() -> None:
    tallies = [Tally("a", 10, 10, 10), Tally("b", 10, 5, 5), Tally("c", 5, 0, 0), Tally("d", 0, 0, 0, unjudged=3)]
    found = estimate(tallies, 1)
    assert found is not None
    assert found.problems == 3
    assert math.isclose(found.value, 0.5)
    assert found.interval == pytest.approx((0.5 - 0.5658, 0.5 + 0.5658), abs=1e-3)
    assert compile_rate(tallies) == pytest.approx(0.5)
    assert estimate([tallies[-1]], 1) is None
    assert compile_rate([tallies[-1]]) is None


def test_fewer_candidates_than_k_are_refused_in_a_sentence() -> None:
    with pytest.raises(
        UserError, match=r"pass@10 needs 10 verdicts a problem, and b has 3, as 1 others have too few"
    ) as caught:
        estimate([Tally("a", 10, 0, 0), Tally("b", 3, 0, 0), Tally("c", 2, 0, 0)], 10)
    assert "-k 2" in caught.value.hint


def test_one_candidate_a_problem_takes_the_interval_of_a_share() -> None:
    assert wilson(82, 164) == pytest.approx((0.424, 0.576), abs=1e-3)  # as in the notes of the field
    assert wilson(0, 10)[0] == 0.0
    found = estimate([Tally(str(at), 1, 1, at % 2) for at in range(164)], 1)
    assert found is not None
    assert found.interval == wilson(82, 164)
    assert around([0.25]) == (0.25, 0.25)


def test_a_problem_without_any_candidate_counts_as_not_solved_and_one_that_the_sandbox_failed_on_does_not_count() -> (
    None
):
    tallies = [Tally("a", 2, 2, 2), Tally("b", 0, 0, 0), Tally("c", 0, 0, 0, unjudged=2)]
    for k in (1, 2):
        found = estimate(tallies, k)
        assert found is not None
        assert (found.value, found.problems) == (0.5, 2)
    assert compile_rate(tallies) == 0.5
    single = estimate([Tally("a", 1, 1, 1), Tally("b", 0, 0, 0)], 1)
    assert single is not None
    assert single.interval == wilson(1, 2)
    assert estimate([Tally("b", 0, 0, 0)], 1) is None, "nothing was judged at all"
