"""What fails becomes quotas and shares of a plan, and nothing else of the suite goes along."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.evaluation.results import Evaluation
from core.teacher import recipes, shortfall, starting
from core.teacher.forecast import forecast
from core.teacher.plan import parse_plan
from core.teacher.terms import to_mapping
from tests.core.evaluation.measured import Groups, evaluation

GRID = recipes.find("topic-grid")
MIXED: Groups = {
    ("strings", "easy"): (10, 10, 9, 10),
    ("strings", "hard"): (0, 2),
    ("time", "medium"): (0, 0, 5),
    ("io", "easy"): (10, 10),
    ("context", "hard"): (0,),
}


def refusal(made: Evaluation, recipe: str = "topic-grid") -> UserError:
    with pytest.raises(UserError) as caught:
        shortfall.answer(made, "job", recipes.find(recipe), 100)
    return caught.value


def test_quotas_follow_what_is_missing_and_add_up() -> None:
    found = shortfall.answer(evaluation(MIXED), "an-evaluation", GRID, 100)
    assert sum(found.quotas.values()) == 100
    assert found.quotas.keys() == set(GRID.file.topics())
    assert found.quotas["time"] > found.quotas["context"] > found.quotas["io"] > 0
    assert found.quotas["algorithms"] == 0, "of which the suite knows nothing"
    strings = next(one for one in found.topics if one.name == "strings")
    assert (strings.problems, round(strings.passed, 6), round(strings.missing, 6)) == (6, 4.1, 1.9)


def test_a_small_topic_that_fails_as_a_whole_is_drawn_towards_the_suite() -> None:
    # twelve problems, 4 of them missing: r = 1/3; two that fail: 2·(2 + 2/3) / 4; ten of which two fail: 10·(2 + 2/3) / 12
    groups: Groups = {("time", "easy"): (0, 0), ("io", "easy"): (0, 0, *[10] * 8)}
    weights = {one.name: one.weight for one in shortfall.needs(evaluation(groups), "topic")}
    assert weights == {"time": pytest.approx(4 / 3), "io": pytest.approx(20 / 9)}


def test_two_problems_do_not_take_all_where_nothing_else_fails() -> None:
    groups: Groups = {("time", "easy"): (0, 0), **{(name, "easy"): (10,) * 7 for name in ("io", "http", "strings")}}
    quotas = shortfall.answer(evaluation(groups), "job", GRID, 100).quotas
    assert 50 < quotas["time"] < 90
    assert quotas["io"] > 0


def test_difficulties_steer_a_recipe_that_has_such_an_axis_and_are_left_to_one_that_has_not() -> None:
    found = shortfall.answer(evaluation(MIXED), "job", GRID, 50)
    (shares,) = found.shares.values()
    assert sum(shares.values()) == 100
    assert shares["hard"] > shares["easy"] > 0
    starting.checked(found.plan("gpt-4.1"), None)
    other = shortfall.answer(evaluation(MIXED), "job", recipes.find("bug-fix"), 50)
    assert other.shares == {}
    assert any("has no axis “difficulty”" in note for note in other.notes)


def test_topics_that_the_recipe_does_not_know_are_named_and_their_share_goes_to_the_others() -> None:
    groups: Groups = {("parcels", "easy"): (0, 0, 3), ("time", "easy"): (5, 0)}
    found = shortfall.answer(evaluation(groups), "job", GRID, 40)
    assert (found.quotas["time"], "parcels" in found.quotas) == (40, False)
    (note,) = found.notes
    assert "no topic “parcels”" in note
    assert "2.7 of 3 problems" in note
    error = refusal(evaluation({("parcels", "easy"): (0,)}))
    assert "What fails is about parcels" in error.message
    assert "algorithms" in error.hint


def test_every_topic_of_the_bundled_suite_is_one_of_the_grid() -> None:
    from core.evaluation.finding import open_suite

    topics = {one.topic for one in open_suite("workshop", None).suite.problems}
    assert topics <= set(GRID.file.topics())
    made = evaluation({(topic, "hard"): (0,) for topic in topics})
    assert shortfall.answer(made, "job", GRID, 110).notes == ()


def test_where_nothing_can_be_asked_for_a_sentence_says_why_and_what_to_do() -> None:
    assert "Nothing of set fails" in refusal(evaluation({("time", "easy"): (10,)})).message
    error = refusal(evaluation({("", ""): (0, 10)}, suite="humaneval-x"))
    assert error.message.startswith("The problems of humaneval-x tell no topics")
    assert "workshop" in error.hint
    assert "Only problems without a topic fail" in refusal(evaluation({("", ""): (0,), ("io", "easy"): (10,)})).message
    assert "no verdict" in refusal(evaluation({})).message
    assert "takes its topics from what it starts from" in refusal(evaluation(MIXED), "evol-instruct").message


def test_problems_whose_own_answer_fails_tell_nothing_of_the_student() -> None:
    made = evaluation({("time", "easy"): (0,), ("io", "easy"): (0, 5)}, references={"set/secret-0": "timeout: slow"})
    found = shortfall.answer(made, "job", GRID, 30)
    assert (found.quotas["time"], found.quotas["io"]) == (0, 30)
    assert [one.name for one in found.topics] == ["io"]
    assert "1 problem whose own answer does not pass is left out." in found.notes


def test_what_is_no_job_of_the_workspace_is_said() -> None:
    found = shortfall.answer(evaluation(MIXED), "", GRID, 30)
    assert found.plan("gpt-4.1").evaluation == ""
    assert "no job of the workspace" in found.notes[-1]


def test_nothing_of_the_problems_reaches_plan_or_teacher() -> None:
    import tomli_w

    found = shortfall.answer(evaluation(MIXED), "20261122-evaluate-ab12", GRID, 20)
    plan = parse_plan(tomli_w.dumps(to_mapping(found.plan("gpt-4.1", seed=3))))
    assert plan == found.plan("gpt-4.1", seed=3)
    told = json.dumps(to_mapping(plan)) + " ".join(found.notes)
    asked = [text for one in forecast(plan, GRID, "1.27").examples for _, text in one.messages]
    assert asked
    for text in (told, *asked):
        assert "secret" not in text
    assert not any("set/" in text or plan.evaluation in text for text in asked)


topics = st.sampled_from([*GRID.file.topics(), "parcels", ""])
problems = st.dictionaries(
    st.tuples(topics, st.sampled_from(["easy", "medium", "hard"])),
    st.lists(st.integers(0, 10), min_size=1, max_size=5).map(tuple),
    max_size=12,
)


@given(problems, st.integers(1, 5000))
def test_whatever_fails_the_quotas_add_up_or_a_sentence_says_why_not(groups: Groups, samples: int) -> None:
    if not any(topic in GRID.file.topics() and min(each) < 10 for (topic, _), each in groups.items()):
        assert refusal(evaluation(groups)).hint
        return
    found = shortfall.answer(evaluation(groups), "job", GRID, samples)
    assert sum(found.quotas.values()) == samples
    assert all(quota >= 0 for quota in found.quotas.values())
    assert all(sum(weights.values()) == 100 for weights in found.shares.values())
    starting.checked(found.plan("gpt-4.1"), None)
