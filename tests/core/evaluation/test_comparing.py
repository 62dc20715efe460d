"""Two evaluations side by side: differences, how sure they are, flips, and what is not compared."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.evaluation import results
from core.evaluation.comparing import compare, how_sure, largest_k, mcnemar, sentence, why_not
from core.evaluation.judging import counts
from core.evaluation.likelihood import Likelihood
from core.evaluation.results import Candidate, Evaluation, Origin

ORIGIN = Origin(
    "set",
    "gosmith",
    "abc",
    "fixed",
    "",
    "c0",
    {"seeds": [1]},
    {"seconds": 10.0},
    "go1.27",
    "bubblewrap",
    {"gosmith": "1"},
)


def evaluation(passed: list[list[bool]], **changes: Any) -> Evaluation:
    """Candidates by problem that pass or do not."""
    made = [
        Candidate(f"set/{task}", at, f"text {task}.{at} {good}", "", "pass" if good else "wrong_answer", "", False, 0.1)
        for task, some in enumerate(passed)
        for at, good in enumerate(some)
    ]
    tallies = results.tally(made, {f"set/{task}": ("strings", "easy") for task in range(len(passed))})
    return results.summed(
        replace(ORIGIN, **changes), tallies, counts(one.status for one in made), [1],
        started=1.0, seconds=2.5, missing=["set/99"], references={"set/7": "timeout: slow"}, flaky=["set/1"],
    )  # fmt: skip


def saved(folder: Path, passed: list[list[bool]]) -> Evaluation:
    folder.mkdir()
    with (folder / results.CANDIDATES).open("w") as lines:
        for task, some in enumerate(passed):
            for at, good in enumerate(some):
                status = "pass" if good else "wrong_answer"
                lines.write(results.line(Candidate(f"set/{task}", at, f"text {task}.{at}", "", status, "", False, 0.1)))
    results.write(folder, evaluation(passed))
    return results.read(folder)


def test_an_evaluation_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    made = evaluation([[True, False], [False, False]])
    results.write(tmp_path, made)
    found = results.read(tmp_path)
    assert found == replace(made, folder=tmp_path)
    assert results.read(tmp_path / results.RESULT) == found
    shown = results.as_json(found)
    assert shown["problems"] == 2
    assert shown["pass_at"] == {"1": 0.25}
    assert shown["by_topic"] == {"strings": {"problems": 2, "pass_at_1": 0.25}}
    assert shown["statuses"]["wrong_answer"] == 3


def test_candidates_without_a_verdict_are_not_wrong() -> None:
    made = [
        Candidate("set/0", at, "", "", status, "", False, 0.0)
        for at, status in enumerate(["pass", "sandbox_error", "types"])
    ]
    (one,) = results.tally(made, {})
    assert (one.n, one.compiled, one.correct, one.unjudged) == (2, 1, 1, 1)


def test_what_one_side_did_not_answer_is_lost_there() -> None:
    facts = {f"set/{task}": ("", "") for task in range(2)}
    made = [Candidate(f"set/{task}", 0, "", "", "pass", "", False, 0.0) for task in range(2)]
    whole, half = (
        replace(evaluation([]), tallies=results.tally(some, facts)) for some in (made, made[:1])
    )  # fmt: skip
    found = compare(whole, half)
    assert (found.problems, found.a, found.b, found.method) == (2, 1.0, 0.5, "mcnemar")
    assert [flip.task for flip in found.lost] == ["set/1"]


def test_likelihoods_of_references_are_a_mean_over_tokens_without_those_that_fail(tmp_path: Path) -> None:
    tallies = results.tally([], {f"set/{task}": ("", "") for task in range(4)})
    known = {
        "set/0": Likelihood("set/0", 10, 5.0),
        "set/1": Likelihood("set/1", 30, 45.0),
        "set/2": Likelihood("set/2", 50, 1.0),
        "set/3": Likelihood("set/3", 0, None, "it does not fit"),
    }
    made = results.summed(
        ORIGIN, tallies, counts([]), [1], started=1.0, seconds=1.0, missing=[], references={"set/2": "panic"}, flaky=[],
        likelihoods=known,
    )  # fmt: skip
    assert (made.reference_nll, made.reference_tokens) == (50 / 40, 40)
    assert made.reference_left_out == ("set/2", "set/3")
    assert [(one.reference_nll, one.reference_tokens) for one in made.tallies] == [
        (0.5, 10), (1.5, 30), (None, 0), (None, 0)
    ]  # fmt: skip
    results.write(tmp_path, made)
    assert results.read(tmp_path) == replace(made, folder=tmp_path)


def test_an_older_evaluation_without_likelihoods_reads_as_none(tmp_path: Path) -> None:
    results.write(tmp_path, evaluation([[True], [False]]))
    file = tmp_path / results.RESULT
    value = json.loads(file.read_text())
    for key in ("reference_nll", "reference_tokens", "reference_left_out"):
        del value[key]
    for one in value["tallies"]:
        del one["reference_nll"], one["reference_tokens"]
    file.write_text(json.dumps(value))
    found = results.read(tmp_path)
    assert (found.reference_nll, found.reference_tokens, found.reference_left_out) == (None, 0, ())
    assert found.problems == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"form": 1}', '{"form": 9}', '{"form": 1, "origin": []}'])
def test_what_is_no_evaluation_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / results.RESULT).write_text(text)
    with pytest.raises(UserError, match=r"holds no evaluation|is damaged|another Gosmith"):
        results.read(tmp_path)
    with pytest.raises(UserError, match="holds no evaluation"):
        results.read(tmp_path / "nowhere")


def test_one_candidate_a_problem_is_compared_by_mcnemar() -> None:
    a = evaluation([[True]] * 10 + [[False]] * 10)
    b = evaluation([[True]] * 9 + [[False]] + [[True]] * 9 + [[False]])
    found = compare(a, b)
    assert found.method == "mcnemar"
    assert math.isclose(found.difference, 0.4)
    assert math.isclose(found.p_value, 2 * (1 + 10) / 2**10)
    assert (found.word, len(found.gained), len(found.lost)) == ("better", 9, 1)
    assert compare(b, a).word == "worse"
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(3, 3) == 1.0


def test_many_candidates_are_compared_by_the_differences_of_problems() -> None:
    a = evaluation([[True, False, False, False]] * 8 + [[True, True, False, False]] * 8)
    b = evaluation([[True, True, False, False]] * 12 + [[True, True, True, False]] * 4)
    found = compare(a, b)
    assert found.method == "normal"
    assert math.isclose(found.difference, (8 * 0.25 + 4 * 0 + 4 * 0.25) / 16)
    low, high = found.interval
    assert low < found.difference < high
    assert found.p_value < 0.01
    same = compare(a, a)
    assert (same.difference, same.p_value, same.word, same.gained, same.lost) == (0.0, 1.0, "no evidence", (), ())


def test_pass_at_more_than_one_is_resampled_the_same_way_each_time() -> None:
    rng = random.Random(3)
    a = evaluation([[rng.random() < 0.3 for _ in range(5)] for _ in range(40)])
    b = evaluation([[rng.random() < 0.6 for _ in range(5)] for _ in range(40)])
    found = compare(a, b, 2, seed=5)
    assert found.method == "bootstrap"
    assert found == compare(a, b, 2, seed=5)
    assert found.interval[0] < found.difference < found.interval[1]
    assert 0 < found.p_value < 0.05
    with pytest.raises(UserError, match="pass@6 needs 6"):
        compare(a, b, 6)


def test_flips_come_with_completions_that_show_them(tmp_path: Path) -> None:
    a = saved(tmp_path / "a", [[True, True, False], [False, False, True], [True, True, True]])
    b = saved(tmp_path / "b", [[False, False, True], [True, True, False], [True, True, False]])
    found = compare(a, b)
    (gained,), (lost,) = found.gained, found.lost
    assert (gained.task, gained.a, gained.b) == ("set/1", (1, 3), (2, 3))
    assert (gained.completion_a, gained.completion_b) == ("text 1.0", "text 1.0")
    assert (lost.task, lost.completion_a, lost.completion_b) == ("set/0", "text 0.0", "text 0.0")


@pytest.mark.parametrize(
    ("changes", "what"), [({"sha256": "xyz", "suite": "other"}, r"different suites \(set and other\)"), ({"mode": "paper"}, r"different modes \(fixed and paper\)")]
)  # fmt: skip
def test_what_was_judged_otherwise_is_not_compared(changes: dict[str, str], what: str) -> None:
    with pytest.raises(UserError, match=what):
        compare(evaluation([[True]]), evaluation([[True]], **changes))
    with pytest.raises(UserError, match="different problems"):
        compare(evaluation([[True]]), evaluation([[True], [True]]))


def test_a_comparison_is_a_sentence() -> None:
    a = evaluation([[True]] * 10 + [[False]] * 10)
    b = evaluation([[True]] * 9 + [[False]] + [[True]] * 9 + [[False]])
    found = compare(a, b)
    low, high = (100 * one for one in found.interval)
    assert sentence(found) == (
        f"pass@1 50.0 -> 90.0, +40.0 points, 95 % interval {low:.1f} to {high:.1f}, 9 problems gained, 1 lost"
    )
    assert how_sure(found) == "p = 0.021 (McNemar, exact), 20 problems"
    one = compare(evaluation([[True], [False]]), evaluation([[True], [True]]))
    assert sentence(one).endswith("1 problem gained, 0 lost")


def test_why_two_are_not_compared_is_known_before() -> None:
    a, b = evaluation([[True, True]]), evaluation([[False, True]])
    assert why_not(a, b) == ""
    assert why_not(a, evaluation([[True]], mode="paper")).startswith("These evaluations are in different modes")
    assert why_not(a, evaluation([[True]], sha256="x")).startswith("These evaluations are of different suites")
    assert why_not(a, evaluation([[True], [True]])).startswith("These evaluations have completions of different")
    assert largest_k(a, b) == 2
    assert largest_k(a, evaluation([[True]])) == 1
