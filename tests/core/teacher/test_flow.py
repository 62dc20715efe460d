"""One sample from its draw to its outcome, with a teacher that is good, bad, lazy or unwilling, and the real Go toolchain."""

from __future__ import annotations

import pytest

from core.golang.extract import from_answer
from core.teacher import recipes
from core.teacher.drawing import Seed
from core.teacher.exchange import AskFailedError, PausedError
from core.teacher.flow import parameters
from core.teacher.hygiene import Hygiene
from core.teacher.plan import plan_from
from tests.core.teacher.conftest import Make
from tests.core.teacher.scripted import (
    Scripted,
    answer,
    by_number,
    cheating,
    check_of,
    code,
    good,
    solution,
    task,
    uncompilable,
    wrong,
)


def test_a_good_answer_is_verified_and_becomes_task_notes_code_and_test(run_flow: Make) -> None:
    ask = by_number(lambda number, stage: good(number))
    (one,) = run_flow(ask)
    assert (one.result, one.reason) == ("verified", "")
    (made,) = one.made
    assert made.states == {"parse": "pass", "format": "pass", "types": "pass", "vet": "pass", "test": "pass"}
    assert made.messages[0] == ("user", task(0))
    found = from_answer(made.messages[1][1])
    assert (found.code, found.test) == (code(0), check_of(0))
    assert made.messages[1][1].startswith("It adds them up.\n\n```go\n")
    assert [each.stage for each in one.exchanges] == ["instruction", "solution"]
    assert (one.usage.prompt, one.usage.completion) == (200, 100)
    assert str(one.cost) == "0.0012"
    assert set(one.draw) == {"package", "work", "difficulty", "style"}


def test_what_does_not_compile_goes_back_once_and_the_pair_is_kept(run_flow: Make) -> None:
    ask = by_number(lambda number, stage: good(number) if stage == "repair" else uncompilable(number))
    (one,) = run_flow(ask)
    assert one.result == "verified"
    sample, fix = one.made
    assert (sample.kind, fix.kind) == ("sample", "fix")
    assert (sample.verified, fix.verified) == (True, True)
    prompt = fix.messages[0][1]
    assert task(0) in prompt
    assert "return 1 + a + c" in prompt
    assert "code.go:4:42: undefined: c" in prompt
    assert from_answer(fix.messages[1][1]).code == code(0)
    repair = ask.asked[-1][1].messages
    assert [message["role"] for message in repair] == ["system", "user", "assistant", "user"]
    assert "undefined: c" in repair[-1]["content"]


def test_the_words_of_a_failing_test_go_back_too(run_flow: Make) -> None:
    ask = by_number(lambda number, stage: good(number) if stage == "repair" else wrong(number))
    (one,) = run_flow(ask)
    assert one.result == "verified"
    assert "Add0(2, 3) = 0, want 6" in one.made[1].messages[0][1]


def test_what_stays_broken_is_kept_unverified_with_its_verdict(run_flow: Make) -> None:
    ask = by_number(lambda number, stage: uncompilable(number))
    (one,) = run_flow(ask)
    assert one.result == "unverified"
    assert one.reason == "types: undefined: c"
    (made,) = one.made
    assert made.states["types"] == "fail"
    assert not made.verified
    assert ask.count("repair") == 1


def test_a_test_that_tests_nothing_is_found_out(run_flow: Make) -> None:
    ask = by_number(lambda number, stage: cheating(number))
    (one,) = run_flow(ask)
    assert one.result == "unverified"
    assert one.reason == "The test also passes where every function returns zero values."
    assert one.made[0].states["test"] == "pass"
    assert [made.kind for made in one.made] == ["sample"]
    assert "returns zero values" in ask.asked[-1][1].messages[-1]["content"]


def test_refusals_cut_answers_and_failed_questions_are_failed_and_kept(run_flow: Make) -> None:
    def rule(number: int, stage: str) -> object:
        if number == 0:
            return answer("", finish="refusal", refusal="I cannot help with that.")
        if number == 1:
            return answer(good(1)[:200], finish="length")
        if number == 2:
            raise AskFailedError("The endpoint refused this question.")
        return "I would rather talk about something else."

    found = run_flow(by_number(rule), samples=4)  # type: ignore[arg-type]
    assert [one.result for one in found] == ["failed"] * 4
    assert [one.reason for one in found] == [
        "The teacher refused: I cannot help with that.",
        "The answer was cut off: max_tokens is too small for it.",
        "The endpoint refused this question.",
        "The answer holds no Go code.",
    ]
    assert [len(one.exchanges) for one in found] == [2, 2, 1, 2]
    assert all(one.task for one in found)


def test_a_pause_reaches_whoever_runs_the_job(run_flow: Make) -> None:
    def rule(number: int, stage: str) -> str:
        raise PausedError("The budget is spent.")

    with pytest.raises(PausedError, match="budget"):
        run_flow(by_number(rule))


def test_a_task_like_a_known_one_is_refused_before_the_solution_is_paid_for(run_flow: Make) -> None:
    hygiene = Hygiene()
    hygiene.tasks.add("sample:41", task(0) + " please")
    ask = by_number(lambda number, stage: good(number))
    (one,) = run_flow(ask, hygiene=hygiene)
    assert one.result == "refused"
    assert "near copy of sample 41" in one.reason
    assert ask.count("solution") == 0


def test_the_same_task_twice_in_one_job_is_made_once(run_flow: Make) -> None:
    ask = Scripted(lambda question, stage: task(0) if stage == "instruction" else good(0))
    found = run_flow(ask, samples=3)
    assert sorted(one.result for one in found) == ["refused", "refused", "verified"]
    assert ask.count("solution") == 1


def test_near_copies_of_code_are_marked(run_flow: Make) -> None:
    hygiene = Hygiene()
    hygiene.codes.add("sample:12", code(0))
    (one,) = run_flow(by_number(lambda number, stage: good(number)), hygiene=hygiene)
    assert one.result == "verified"
    assert one.made[0].near is not None
    assert one.made[0].near[0] == "sample:12"


def test_unformatted_code_is_formatted_not_sent_back(run_flow: Make) -> None:
    text = solution(
        code(0).replace("{ return", "{\n  return").replace("b }", "b\n}"), check_of(0).replace("\t", "    ")
    )
    ask = by_number(lambda number, stage: text)
    (one,) = run_flow(ask)
    assert one.result == "verified"
    assert one.made[0].states["format"] == "pass"
    assert "\n\treturn 1 + a + b\n" in one.made[0].messages[1][1]
    assert ask.count("repair") == 0


def test_half_a_character_in_an_answer_stops_nothing(run_flow: Make) -> None:
    ask = by_number(lambda number, stage: uncompilable(number).replace("It adds", "It \ud83d adds"))
    (one,) = run_flow(ask)
    assert one.result == "unverified"
    assert one.made[0].messages[1][1].startswith("It ? adds")
    assert all(question.key for _, question in ask.asked)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"max_tokens": 2048}, {"max_tokens": 900}),
        ({"max_tokens": 500, "temperature": 0.2}, {"max_tokens": 500, "temperature": 0.2}),
        ({"max_completion_tokens": 9000}, {"max_completion_tokens": 9000}),
        ({}, {"max_tokens": 900}),
    ],
)
def test_a_stage_only_lowers_the_plans_limit(given: dict[str, object], sent: dict[str, object]) -> None:
    plan = plan_from({"recipe": "topic-grid", "model": "m", "parameters": given})
    stage = recipes.find("topic-grid").file.instruction
    assert stage is not None
    assert parameters(plan, stage) == sent


BROKEN = "package p0\n\nfunc Add0(a, b int) int { return 1 + a - b }\n"


def test_bug_fix_wants_a_test_that_fails_on_the_broken_code(run_flow: Make) -> None:
    message = f"Sums come out wrong in our ledger, can you find it? Expected 6 for (2, 3).\n\n```go\n{BROKEN}```\n"
    ask = Scripted(lambda question, stage: message if stage == "instruction" else good(0))
    (one,) = run_flow(ask, recipe="bug-fix")
    assert (one.result, one.reason) == ("verified", "")
    assert one.made[0].messages[0][1] == message.strip()
    blind = check_of(0).replace('		{"both", 2, 3, 1 + 5},\n', '		{"one", 5, 0, 6},\n')
    ask = Scripted(lambda question, stage: message if stage == "instruction" else solution(code(0), blind))
    (one,) = run_flow(ask, recipe="bug-fix")
    assert (one.result, one.reason) == ("unverified", "The test also passes on the broken code.")


def test_broken_code_that_does_not_compile_is_refused_before_the_solution(run_flow: Make) -> None:
    message = f"Sums come out wrong in our ledger, can you find it?\n\n```go\n{BROKEN.replace('- b', '- c')}```\n"
    ask = Scripted(lambda question, stage: message if stage == "instruction" else good(0))
    (one,) = run_flow(ask, recipe="bug-fix")
    assert one.result == "refused"
    assert one.reason == "The code in the task does not compile alone: code.go:3:42: undefined: c."
    assert ask.count("solution") == 0


def test_repair_shows_what_go_really_says_and_refuses_code_that_is_not_broken(run_flow: Make) -> None:
    given = (
        "## Task\nPlease help me to get this to work for our ledger.\n\n"
        + solution(BROKEN, check_of(0)).partition("\n\n")[2]
    )
    ask = Scripted(lambda question, stage: given if stage == "instruction" else good(0))
    (one,) = run_flow(ask, recipe="repair")
    assert (one.result, one.reason) == ("verified", "")
    prompt = one.made[0].messages[0][1]
    assert prompt.startswith("Please help me")
    assert "code_test.go:" in prompt
    assert "Add0(2, 3) = 0, want 6" in prompt
    fine = given.replace("a - b", "a + b")
    (one,) = run_flow(Scripted(lambda question, stage: fine), recipe="repair")
    assert one.result == "refused"


def test_test_writing_keeps_the_code_that_is_there(run_flow: Make) -> None:
    seed = Seed("function", "add.go:3", code(0), "Add0", "p0", "algorithms")
    ask = Scripted(lambda question, stage: f"## Notes\nTwo cases.\n\n## Test\n```go\n{check_of(0)}```\n")
    (one,) = run_flow(ask, recipe="test-writing", pool=[seed])
    assert (one.result, one.reason) == ("verified", "")
    found = from_answer(one.made[0].messages[1][1])
    assert (found.code, found.test) == (code(0), check_of(0))
    assert code(0).strip() in one.made[0].messages[0][1]
    assert [each.stage for each in one.exchanges] == ["solution"]
    assert one.origin == "add.go:3"


def test_evolved_samples_name_their_parent(run_flow: Make) -> None:
    seed = Seed("sample", "5f00aa", "Write a function that adds two numbers for a ledger.", "Add", "", "algorithms")
    ask = Scripted(lambda question, stage: task(0) if stage == "instruction" else good(0))
    (one,) = run_flow(ask, recipe="evol-instruct", pool=[seed])
    assert one.parents == ("5f00aa",)
    assert seed.text in ask.asked[0][1].messages[-1]["content"]


def test_of_several_solutions_the_one_that_most_tests_agree_with_is_kept(run_flow: Make) -> None:
    odd = solution(
        code(0).replace("1 + a", "2 + a"), check_of(0).replace("0, 0, 1}", "0, 0, 2}").replace("1 + 5", "2 + 5")
    )

    def rule(question: object, stage: str) -> str:
        if stage == "instruction":
            return task(0)
        index = question.index  # type: ignore[attr-defined]
        return odd if index == 0 else uncompilable(0) if index == 3 else good(0)

    ask = Scripted(rule)
    (one,) = run_flow(ask, recipe="self-consistency")
    assert (one.result, one.reason) == ("verified", "")
    assert one.agreement == "4 of 5"
    assert from_answer(one.made[0].messages[1][1]).code == code(0)
    assert sorted(question.index for stage, question in ask.asked if stage == "solution") == [0, 1, 2, 3, 4]


def test_every_recipe_makes_a_verified_sample_of_a_good_teacher(run_flow: Make) -> None:
    seed = Seed("function", "add.go:3", code(0), "Add0", "p0", "algorithms")
    message = f"What is wrong with our ledger here?\n\n```go\n{BROKEN}```\n"
    checked = "## Task\nPlease help me to get this to work for our ledger.\n\n" + solution(BROKEN, check_of(0))
    for name in recipes.names():
        first = {"bug-fix": message, "code-review": message, "repair": checked}.get(name, task(0))
        ask = Scripted(lambda question, stage, first=first: first if stage == "instruction" else good(0))
        (one,) = run_flow(ask, recipe=name, pool=[seed] if recipes.find(name).file.source != "none" else [])
        assert (name, one.result, one.reason) == (name, "verified", "")
