"""Rubrics as data: ours is whole, a workspace's copy wins, a broken one is named with file and line, and the score is the weighted mean."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.teacher.judging import rubrics
from core.teacher.judging.rubrics import AGAIN, JUDGE, SYSTEM, Criterion, RubricFile

HEAD = 'version = 1\ntitle = "M"\nabout = "M."\n'
ONE = '[[criteria]]\nname = "a"\ntitle = "A"\nquestion = "A?"\nworst = "No."\ntop = "Yes."\n'
GIVEN = {
    "conversation": [{"role": "user", "text": "```\nHello.\n```"}],
    "answer": "```\nF\n```",
    "findings": "",
    "verdicts": {"types": "pass"},
}


def file(weights: list[float], best: int = 5) -> RubricFile:
    criteria = tuple(
        Criterion(name=f"c{at}", title="C", weight=weight, question="C?", worst="No.", top="Yes.")
        for at, weight in enumerate(weights)
    )
    return RubricFile(version=1, title="M", about="M.", best=best, criteria=criteria)


def test_ours_asks_for_every_criterion_and_says_what_its_ends_mean() -> None:
    assert rubrics.names() == ["go-sample"]
    rubric = rubrics.find("go-sample")
    asked = rubric.render(JUDGE, **GIVEN)
    assert [one.name for one in rubric.file.criteria] == ["correctness", "task", "idiom", "tests", "explanation"]
    for one in rubric.file.criteria:
        assert f"{one.name} ({one.title}): {one.question}\n- 1: {one.worst}\n- 5: {one.top}\n" in asked
    assert "- types: pass" in asked
    assert "never an instruction" in rubric.render(SYSTEM)
    assert "The answer is no JSON." in rubric.render(AGAIN, words="The answer is no JSON.")


def test_a_copy_in_the_workspace_takes_the_place_of_ours(tmp_path: Path) -> None:
    place = rubrics.copy("go-sample", tmp_path)
    ours, copied = rubrics.find("go-sample"), rubrics.find("go-sample", tmp_path)
    assert (ours.own, copied.own, copied.digest) == (False, True, ours.digest)
    (place / AGAIN).write_text("Once more. {{ words }}\n")
    assert rubrics.find("go-sample", tmp_path).digest != ours.digest
    with pytest.raises(UserError, match="has a rubric “go-sample” already"):
        rubrics.copy("go-sample", tmp_path)
    rubrics.freeze(copied, tmp_path / "frozen")
    frozen = rubrics.load(tmp_path / "frozen", name="go-sample")
    assert (frozen.digest, frozen.file) == (rubrics.find("go-sample", tmp_path).digest, ours.file)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (HEAD + ONE + "wight = 2.0\n", "There is no key “wight”"),
        (HEAD, "mine/rubric.toml: criteria is missing."),
        (HEAD + "criteria = []\n", "criteria is () but must be a list with at least 1 in it"),
        (HEAD + ONE + ONE, "criteria has “a” twice"),
        (HEAD + "best = 1\n" + ONE, "best is 1 but must be at least 2"),
        (HEAD + ONE.replace('"a"', '"summary"'), "criteria.name is “summary”"),
        (HEAD + ONE.replace('"a"', '"A b"'), "criteria.name is “A b” but must be a name of small letters"),
        (HEAD + ONE + "weight = 0.0\n", "criteria.weight is 0.0 but must be at least 0.01"),
        (HEAD + ONE + "weight = inf\n", "criteria.weight is inf"),
    ],
)
def test_a_broken_rubric_file_is_named(tmp_path: Path, toml: str, message: str) -> None:
    folder = tmp_path / "rubrics" / "mine"
    folder.mkdir(parents=True)
    (folder / "rubric.toml").write_text(toml)
    with pytest.raises(UserError) as caught:
        rubrics.find("mine", tmp_path)
    assert message in str(caught.value)


def test_a_broken_or_missing_template_is_named(tmp_path: Path) -> None:
    place = rubrics.copy("go-sample", tmp_path)
    (place / JUDGE).write_text("One\n{{ anwser }}\n")
    with pytest.raises(UserError, match=r"go-sample/judge\.j2, line 2: 'anwser' is undefined\..*teacher rubrics"):
        rubrics.find("go-sample", tmp_path).render(JUDGE, **GIVEN)
    (place / AGAIN).unlink()
    with pytest.raises(UserError, match=r"The rubric “go-sample” has no again\.j2"):
        rubrics.find("go-sample", tmp_path)
    with pytest.raises(UserError, match="There is no rubric “none”"):
        rubrics.find("none", tmp_path)


def test_the_score_is_the_weighted_mean_from_0_to_100() -> None:
    two = file([3.0, 1.0])
    assert two.score({"c0": 5, "c1": 5}) == 100
    assert two.score({"c0": 1, "c1": 1}) == 0
    assert two.score({"c0": 5, "c1": 1}) == 75
    assert two.score({"c0": 2, "c1": 4}) == 38  # 37.5: halves go up
    assert file([0.1, 0.2], best=3).score({"c0": 2, "c1": 3}) == 83


@settings(deadline=None)
@given(st.data(), st.integers(2, 10), st.lists(st.floats(0.01, 1000), min_size=1, max_size=6))
def test_a_score_is_the_nearest_whole_number_to_the_exact_mean(
    data: st.DataObject, best: int, weights: list[float]
) -> None:
    points = {f"c{at}": data.draw(st.integers(1, best)) for at in range(len(weights))}
    score = file(weights, best).score(points)
    exact = sum(Fraction(str(w)) * Fraction(points[f"c{at}"] - 1, best - 1) for at, w in enumerate(weights))
    assert abs(score - 100 * exact / sum(Fraction(str(w)) for w in weights)) <= Fraction(1, 2)
    assert 0 <= score <= 100
