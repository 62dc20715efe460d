"""One text from question to judgement: what is of no use is asked once more with the reason, and what was paid for is never lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from core.teacher.exchange import Answer, AskFailedError, PausedError, Question
from core.teacher.judging import rubrics
from core.teacher.judging.flow import Bench, judge
from core.teacher.judging.items import Item
from core.teacher.judging.plan import plan_from
from core.teacher.judging.results import Judged, from_line
from core.teacher.results import cost_of, to_line
from tests.core.teacher.scripted import answer
from tests.core.teacher.scripted_judge import judgement

PLAN = plan_from({"model": "gpt-4.1", "parameters": {"temperature": 0.0}})
ITEM = Item(3, 4, (("user", "Add."),), "```go\npackage a\n```", {"types": "pass"}, ())
RUBRIC = rubrics.find("go-sample")


def ask_for(rule: Callable[[Question], str | Answer]) -> tuple[Judged, list[Question]]:
    asked: list[Question] = []

    async def ask(question: Question) -> Answer:
        asked.append(question)
        said = rule(question)
        return said if isinstance(said, Answer) else answer(said)

    return asyncio.run(judge(ITEM, Bench(PLAN, RUBRIC, ask))), asked


def good(question: Question) -> str:
    return judgement(
        question.parameters["response_format"],
        "t",
        lambda _text, criterion, _best: 5 if criterion == "correctness" else 3,
    )


def test_a_judgement_is_points_reasons_and_a_score() -> None:
    found, asked = ask_for(good)
    assert (found.sample, found.version, found.score, found.reason) == (3, 4, 67, "")
    assert {one.criterion: one.points for one in found.points} == {
        "correctness": 5,
        "task": 3,
        "idiom": 3,
        "tests": 3,
        "explanation": 3,
    }
    assert found.summary == "It will do."
    (question,) = asked
    assert (question.model, question.parameters["temperature"], question.parameters["max_tokens"]) == (
        "gpt-4.1",
        0.0,
        4096,
    )
    assert from_line(to_line(found)) == found


def test_an_answer_of_no_use_is_asked_for_once_more_with_what_was_wrong() -> None:
    found, asked = ask_for(lambda question: good(question) if len(question.messages) > 2 else "Four points.")
    assert (found.score, found.reason) == (67, "")
    assert [one["role"] for one in asked[1].messages] == ["system", "user", "assistant", "user"]
    assert asked[1].messages[2]["content"] == "Four points."
    assert "The answer is no JSON" in asked[1].messages[3]["content"]
    assert [one.stage for one in found.exchanges] == ["judge", "again"]
    assert cost_of(found.exchanges) == Decimal("0.0012")


def test_twice_of_no_use_is_a_failure_that_is_kept_and_paid() -> None:
    found, asked = ask_for(lambda question: json.dumps({"correctness": 4}))
    assert (len(asked), found.score, found.points, found.summary) == (2, None, (), "")
    assert found.reason == "The judge's answer is of no use, also when asked again: The answer has no “task”."
    assert cost_of(found.exchanges) == Decimal("0.0012")
    assert from_line(to_line(found)) == found


@pytest.mark.parametrize(
    ("said", "reason", "paid"),
    [
        (
            answer("", finish="refusal", refusal="I cannot judge people."),
            "The judge refused: I cannot judge people.",
            1,
        ),
        (answer("{", finish="length"), "The answer was cut off: max_tokens is too small for it.", 1),
        (answer("", finish="filter"), "The judge refused.", 1),
        (answer(" \n"), "The judge refused.", 1),
        (AskFailedError("The endpoint refused this question."), "The endpoint refused this question.", 0),
    ],
)
def test_what_cannot_be_read_at_all_is_not_asked_again(said: Answer | Exception, reason: str, paid: int) -> None:
    def rule(_question: Question) -> Answer:
        if isinstance(said, Exception):
            raise said
        return said

    found, asked = ask_for(rule)
    assert (len(asked), found.score, found.reason, len(found.exchanges)) == (1, None, reason, paid)


def test_a_pause_is_no_judgement() -> None:
    def rule(_question: Question) -> str:
        raise PausedError("The account's quota is used up.")

    with pytest.raises(PausedError):
        ask_for(rule)


def test_half_a_character_in_an_answer_can_be_sent_back() -> None:
    _, asked = ask_for(lambda question: "half \ud83d")
    assert asked[1].messages[2]["content"] == "half ?"
