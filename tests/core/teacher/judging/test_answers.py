"""What a judge answers, checked again: a judgement is read whole, everything else is one sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.teacher.judging import rubrics
from core.teacher.judging.answers import InvalidError, Said, read, response_format
from core.teacher.judging.judgement import Points
from tests.core.teacher.scripted_judge import judgement

RUBRIC = rubrics.find("go-sample")
NAMES = [one.name for one in RUBRIC.file.criteria]
words = st.text(min_size=1).filter(lambda text: text.strip())


def good(**changed: Any) -> dict[str, Any]:
    return {**{name: {"why": "So.", "points": 3} for name in NAMES}, "summary": "Fine.", **changed}


def test_the_schema_is_strict_all_the_way_down_and_asks_for_the_reason_first() -> None:
    wanted = response_format(RUBRIC)["json_schema"]
    assert (wanted["strict"], wanted["name"]) == (True, "go-sample")
    schema = wanted["schema"]
    assert list(schema["properties"]) == schema["required"] == [*NAMES, "summary"]
    for name in NAMES:
        inner = schema["properties"][name]
        assert list(inner["properties"]) == inner["required"] == ["why", "points"]
        assert inner["properties"]["points"] == {"type": "integer", "enum": [1, 2, 3, 4, 5]}
        assert inner["additionalProperties"] is schema["additionalProperties"] is False


def test_what_follows_the_schema_is_read() -> None:
    said = read(judgement(response_format(RUBRIC), "Anything"), RUBRIC.file)
    assert [one.criterion for one in said.points] == NAMES
    assert all(1 <= one.points <= 5 and one.why for one in said.points)


@settings(deadline=None)
@given(st.lists(st.tuples(words, st.integers(1, 5)), min_size=5, max_size=5), words, st.randoms())
def test_any_judgement_is_read_as_it_was_said_in_whatever_order(
    given_: list[tuple[str, int]], summary: str, chance: Any
) -> None:
    pairs = [(name, {"points": points, "why": why}) for name, (why, points) in zip(NAMES, given_, strict=True)]
    pairs.append(("summary", summary))  # type: ignore[arg-type]
    chance.shuffle(pairs)
    said = read(f" \n{json.dumps(dict(pairs))}\n", RUBRIC.file)
    whole = [Points(name, points, why.strip()) for name, (why, points) in zip(NAMES, given_, strict=True)]
    assert said == Said(tuple(whole), summary.strip())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The answer is no JSON"),
        ("I would give it a four.", "The answer is no JSON"),
        (f"```json\n{json.dumps(good())}\n```", "The answer stands in a fence"),
        (json.dumps(good()) + " I hope this helps.", "The answer is no JSON: Extra data"),
        ("[1, 2]", "The answer is a list; it must be a JSON object."),
        ("true", "The answer is true; it must be a JSON object."),
        (json.dumps({k: v for k, v in good().items() if k != "idiom"}), "The answer has no “idiom”."),
        (json.dumps({k: v for k, v in good().items() if k != "summary"}), "The answer has no “summary”."),
        (json.dumps(good(style=3)), "The answer has a key “style” that was not asked for."),
        (json.dumps(good(idiom=4)), "“idiom” must be an object with “why” and “points”."),
        (json.dumps(good(idiom={"points": 4})), "“idiom” has no “why”."),
        (json.dumps(good(idiom={"why": "So.", "points": 4, "note": 1})), "“idiom” has a key “note”"),
        (json.dumps(good(idiom={"why": "So.", "points": 4.0})), "The points of “idiom” are 4.0; they must be a whole number from 1 to 5."),
        (json.dumps(good(idiom={"why": "So.", "points": "4"})), 'The points of “idiom” are "4"'),
        (json.dumps(good(idiom={"why": "So.", "points": True})), "The points of “idiom” are true"),
        (json.dumps(good(idiom={"why": "So.", "points": None})), "The points of “idiom” are null"),
        (json.dumps(good(idiom={"why": "So.", "points": [4]})), "The points of “idiom” are a list"),
        (json.dumps(good(idiom={"why": "So.", "points": 0})), "The points of “idiom” are 0"),
        (json.dumps(good(idiom={"why": "So.", "points": 6})), "The points of “idiom” are 6"),
        (json.dumps(good(idiom={"why": "So.", "points": float("nan")})), "The answer holds NaN, which is no number"),
        (json.dumps(good(idiom={"why": "So.", "points": float("inf")})), "The answer holds Infinity"),
        (json.dumps(good(idiom={"why": "So.", "points": 1})).replace("1", "9" * 5000), "a number in it is too long"),
        (json.dumps(good(idiom={"why": " ", "points": 4})), "The “why” of “idiom” must be a text that says something."),
        (json.dumps(good(summary=None)), "The “summary” must be a text that says something."),
        (json.dumps(good())[:-1] + ', "idiom": {"why": "So.", "points": 5}}', "The key “idiom” stands there twice."),
        ('{"correctness": {"why": "a", "points": 1, "points": 5}}', "The key “points” stands there twice."),
        ("[" * 200_000, "The answer is nested too deeply."),
        ('{"correctness": ' * 100_000, "The answer is nested too deeply."),
    ],
)  # fmt: skip
def test_everything_else_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read(text, RUBRIC.file)
    assert sentence in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "summary", "why", "points", "x"]), inner, max_size=7),
    max_leaves=12,
)  # fmt: skip


def outcome(text: str) -> Said | str:
    try:
        return read(text, RUBRIC.file)
    except InvalidError as error:
        return str(error)


@settings(deadline=None)
@given(st.one_of(json_values.map(json.dumps), st.text(), json_values.map(lambda one: json.dumps(good(idiom=one)))))
def test_no_answer_is_anything_but_a_judgement_or_a_sentence(text: str) -> None:
    found = outcome(text)
    if isinstance(found, Said):
        assert [one.criterion for one in found.points] == NAMES
        assert all(type(one.points) is int and 1 <= one.points <= 5 for one in found.points)
    else:
        assert found.strip()
        assert "\n" not in found
        assert found == found.encode().decode()


def test_half_a_character_becomes_one_that_can_be_stored() -> None:
    said = read(json.dumps(good(summary="half \ud83d")), RUBRIC.file)
    assert said.summary == "half ?"
