"""Answers to the problems of a suite: many side by side, each with its own seed, none of it changed by company, stops or crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine import attempts, generate
from core.engine.generate import Chatter
from core.evaluation.assembling import Question
from core.inference.sampling import Sampling

HOT = Sampling(temperature=1.0, top_p=1.0, max_tokens=12, seed=3)
QUESTIONS = [(f"set/p{n}", Question(f"func Sum{n}(", f"Write Sum{n} for {'many ' * n}numbers.", ())) for n in range(5)]


@pytest.fixture
def chatter(base: Path) -> Chatter:
    return generate.load(base, "fp32")


def test_each_question_is_answered_as_often_as_asked_and_no_two_answers_share_a_seed(chatter: Chatter) -> None:
    made = list(attempts.attempts(chatter, QUESTIONS, 4, HOT, chat=True))
    assert {(one.task, one.index) for one in made} == {(task, n) for task, _ in QUESTIONS for n in range(4)}
    assert len({one.seed for one in made}) == len(made) == 20
    assert len({one.text for one in made if one.task == "set/p0"}) > 1
    assert all(0 < one.tokens <= 12 and one.prompt_tokens > 0 for one in made)
    assert not chatter.decoder.busy


@pytest.mark.parametrize("chat", [True, False])
def test_an_attempt_is_the_same_alone_and_in_company(chatter: Chatter, chat: bool) -> None:
    made = {(one.task, one.index): one for one in attempts.attempts(chatter, QUESTIONS, 3, HOT, chat=chat)}
    left = [("set/p1", 2), ("set/p4", 0)]
    again = list(attempts.attempts(chatter, QUESTIONS, 3, HOT, chat=chat, done=made.keys() - set(left)))
    assert sorted(again, key=lambda one: one.task) == [made[key] for key in left]


def test_a_question_that_fills_the_model_is_refused_with_the_reason_and_the_others_are_answered(
    chatter: Chatter,
) -> None:
    long = ("set/long", Question("", "word " * 2000, ()))
    made = list(attempts.attempts(chatter, [QUESTIONS[0], long, QUESTIONS[1]], 1, HOT, chat=True))
    refused = next(one for one in made if one.task == "set/long")
    assert (refused.reason, refused.text, refused.tokens) == ("refused", "", 0)
    assert "reads at most 256" in refused.detail
    assert len(made) == 3


def test_what_a_question_stops_at_ends_its_answers(chatter: Chatter) -> None:
    (free,) = attempts.attempts(chatter, QUESTIONS[:1], 1, HOT, chat=False)
    stop = free.text[2:4]
    asked = [(QUESTIONS[0][0], Question(QUESTIONS[0][1].text, "", (stop,)))]
    (made,) = attempts.attempts(chatter, asked, 1, HOT, chat=False)
    assert made.text == free.text[: free.text.index(stop)]
    assert made.reason == "stop"


def test_asked_to_stop_it_leaves_out_what_was_under_way(chatter: Chatter) -> None:
    heard: list[attempts.Attempt] = []
    for one in attempts.attempts(chatter, QUESTIONS, 8, HOT, chat=True, should_stop=lambda: len(heard) >= 3):
        heard.append(one)
    assert 3 <= len(heard) < 40
    assert all(one.reason in ("stop", "length") for one in heard)


def test_half_a_line_is_cut_off_and_whole_ones_are_read(tmp_path: Path) -> None:
    file = tmp_path / attempts.FILE
    assert attempts.read(file) == []
    one = attempts.Attempt("set/p0", 1, 7, "größer\u2028🙂", "stop", "", 5, 3)
    file.write_text(attempts.to_line(one) + '{"task": "set', encoding="utf-8")
    assert attempts.read(file) == [one]
    assert file.read_text(encoding="utf-8") == attempts.to_line(one)
