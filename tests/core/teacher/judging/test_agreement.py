"""How far a judge agrees with people, against figures worked out by hand and by brute force."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from statistics import variance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.samples import edits, store
from core.teacher.judging import agreement as agreeing
from core.teacher.judging.agreement import Agreement, Judge, agreement, disputes, judges
from tests.core.samples.judged import judged

Fill = Callable[..., tuple[int, ...]]
ME = Judge("gpt-4.1", "go-sample", 1, 0)


@pytest.fixture
def decide(connection: sqlite3.Connection, fill: Fill) -> Callable[..., list[int]]:
    """`decide(accepted=[90, 80], rejected=[20])`: samples with these decisions and scores; returns their ids in this order."""

    def make(**scores: Sequence[int]) -> list[int]:
        made = []
        for status, given_scores in scores.items():
            for score in given_scores:
                (key,) = fill(1)
                judged(connection, key, score, points={"idiom": 1 + score // 25, "tests": 3})
                if status != "new":
                    edits.review(connection, [key], status=status)
                made.append(key)
        return made

    return make


def test_nobody_has_scored_anything(connection: sqlite3.Connection, fill: Fill) -> None:
    fill(2)
    assert judges(connection) == []
    nothing = agreement(connection, ME)
    assert nothing == Agreement(ME, 0, 0, None, None, None, None, None, None, {}, {"accepted": (0,) * 10, "rejected": (0,) * 10}, {})  # fmt: skip
    assert disputes(connection, ME) == []


def test_figures_worked_out_by_hand(connection: sqlite3.Connection, decide: Callable[..., list[int]]) -> None:
    decide(accepted=[90, 70, 40], rejected=[60, 30], needs_work=[10], new=[100])
    made = agreement(connection, ME)
    assert (made.accepted, made.rejected) == (3, 3)
    assert made.auc == pytest.approx(8 / 9)  # only 40 against 60 is the wrong way round
    # each accepted one: 3/3, 3/3, 2/3; each rejected one: 2/3, 3/3, 3/3; both have a variance of 1/27
    reach = 1.959964 * math.sqrt(1 / 27 / 3 + 1 / 27 / 3)
    assert made.interval == pytest.approx((8 / 9 - reach, 1.0))
    # 5 of 6 agree from 31 to 40 (60 is wrong) and from 61 to 70 (40 is wrong): 20 thresholds, the tenth is 40
    assert made.threshold == 40
    assert made.agreed == pytest.approx(5 / 6)
    assert made.kappa == pytest.approx(2 / 3)  # (5/6 - 1/2) / (1 - 1/2)
    assert made.baseline == 0.5
    assert made.means == {"accepted": pytest.approx(200 / 3), "rejected": pytest.approx(100 / 3)}
    assert made.histogram == {"accepted": (0, 0, 0, 0, 1, 0, 0, 1, 0, 1), "rejected": (0, 1, 0, 1, 0, 0, 1, 0, 0, 0)}
    # idiom: 4, 3, 2 points against 3, 2, 1, so that of nine pairs six are the right way round and two are tied
    assert made.criteria == {"idiom": pytest.approx(7 / 9), "tests": 0.5}


def test_only_accepted_samples_tell_a_mean_and_no_agreement(
    connection: sqlite3.Connection, decide: Callable[..., list[int]]
) -> None:
    decide(accepted=[90, 100])
    made = agreement(connection, ME)
    assert (made.accepted, made.rejected, made.means) == (2, 0, {"accepted": 95.0})
    assert made.histogram["accepted"] == (0, 0, 0, 0, 0, 0, 0, 0, 0, 2)
    assert (made.auc, made.interval, made.threshold, made.kappa, made.agreed, made.baseline, made.criteria) == (None, None, None, None, None, None, {})  # fmt: skip


def test_all_ties_are_guessing_without_an_interval(
    connection: sqlite3.Connection, decide: Callable[..., list[int]]
) -> None:
    decide(accepted=[50, 50, 50], rejected=[50, 50])
    made = agreement(connection, ME)
    assert (made.auc, made.interval, made.kappa) == (0.5, None, 0.0)
    assert (made.threshold, made.agreed, made.baseline) == (25, 0.6, 0.6)  # accepting all is the best it can do


def test_a_judge_that_tells_all_apart_has_no_interval_to_boast_of(
    connection: sqlite3.Connection, decide: Callable[..., list[int]]
) -> None:
    decide(accepted=[81, 100], rejected=[40])
    made = agreement(connection, ME)
    assert (made.auc, made.interval, made.kappa, made.agreed) == (1.0, None, 1.0, 1.0)
    assert made.threshold == 61  # of 41 to 81 the middle one


def test_what_counts_is_the_newest_score_of_the_present_text(
    connection: sqlite3.Connection, decide: Callable[..., list[int]]
) -> None:
    one, two, three, four = decide(accepted=[10, 20], rejected=[30, 40])
    judged(connection, one, 90)
    judged(connection, one, None)
    judged(connection, two, 70, rubric_version=2)
    edits.edit(connection, three, "package other", base_version=store.sample(connection, three).version)
    edits.delete(connection, [four])
    assert judges(connection) == [Judge("gpt-4.1", "go-sample", 2, 1), Judge("gpt-4.1", "go-sample", 1, 2)]
    made = agreement(connection, ME)
    assert (made.accepted, made.rejected, made.means) == (2, 0, {"accepted": 55.0})


def test_disputes_are_where_the_judge_is_nearer_to_the_other_decision(
    connection: sqlite3.Connection, decide: Callable[..., list[int]]
) -> None:
    low, _, middle, high, work, _ = decide(accepted=[20, 95, 50], rejected=[90], needs_work=[60, 5])
    found = disputes(connection, ME)
    assert [(one.sample, one.decision, one.score) for one in found] == [(high, "rejected", 90), (low, "accepted", 20), (work, "needs_work", 60)]  # fmt: skip
    assert found[0].title == store.sample(connection, high).messages[0].content
    assert found[0].summary == "It will do."
    assert middle not in {one.sample for one in found}
    assert disputes(connection, ME, most=1) == found[:1]


scores = st.lists(st.sampled_from([0, 10, 20, 50, 51, 99, 100]), min_size=2, max_size=12)


@settings(deadline=None)
@given(scores, scores)
def test_the_curve_is_what_counting_all_pairs_gives(accepted: list[int], rejected: list[int]) -> None:
    auc, interval = agreeing._curve(accepted, rejected)
    wins = [[(a > r) + (a == r) / 2 for r in rejected] for a in accepted]
    above = [sum(row) / len(rejected) for row in wins]
    below = [sum(column) / len(accepted) for column in zip(*wins, strict=True)]
    assert auc == pytest.approx(sum(above) / len(accepted))
    spread = variance(above) / len(accepted) + variance(below) / len(rejected)
    if spread < 1e-12:
        assert interval is None or interval == pytest.approx((auc, auc))
    else:
        reach = 1.959964 * math.sqrt(spread)
        assert interval == pytest.approx((max(0, auc - reach), min(1, auc + reach)))


@settings(deadline=None, max_examples=40)
@given(scores, scores)
def test_no_other_threshold_agrees_better(accepted: list[int], rejected: list[int]) -> None:
    def agreed(cut: int) -> int:
        return sum(score >= cut for score in accepted) + sum(score < cut for score in rejected)

    found = agreeing._threshold(accepted, rejected)
    most = max(map(agreed, range(101)))
    best = [cut for cut in range(101) if agreed(cut) == most]
    assert found in best
    assert abs(sum(cut < found for cut in best) - sum(cut > found for cut in best)) <= 1
