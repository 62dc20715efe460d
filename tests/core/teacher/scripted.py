"""A teacher that answers by rule, without a network: what tests of recipes and jobs ask instead of a model."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

from core.jobs.worker import WorkerContext
from core.teacher.exchange import Answer, AskFailedError, PausedError, Question, Usage
from core.teacher.plan import TeacherPlan

CODE = """package {name}

// {function} adds a and b to {n}.
func {function}(a, b int) int {{ return {n} + a + b }}
"""
TEST = """package {name}

import "testing"

func Test{function}(t *testing.T) {{
	tests := []struct {{
		name       string
		a, b, want int
	}}{{
		{{"zero", 0, 0, {n}}},
		{{"both", 2, 3, {n} + 5}},
	}}
	for _, tc := range tests {{
		t.Run(tc.name, func(t *testing.T) {{
			if got := {function}(tc.a, tc.b); got != tc.want {{
				t.Errorf("{function}(%d, %d) = %d, want %d", tc.a, tc.b, got, tc.want)
			}}
		}})
	}}
}}
"""
WORDS = [
    "ledger",
    "parcel",
    "tariff",
    "beacon",
    "orchard",
    "turbine",
    "quarry",
    "saffron",
    "glacier",
    "pewter",
    "lantern",
    "meadow",
    "harbour",
    "copper",
    "walnut",
    "violin",
]


def task(number: int) -> str:
    """Tasks that do not resemble one another."""
    words = [WORDS[(number * 7 + step * (number + 3)) % len(WORDS)] + str(number * step) for step in range(30)]
    return f"Number {number}: write the function that we need for " + " and ".join(words)


def code(number: int, function: str = "") -> str:
    return CODE.format(name=f"p{number}", function=function or f"Add{number}", n=number + 1)


def check_of(number: int) -> str:
    return TEST.format(name=f"p{number}", function=f"Add{number}", n=number + 1)


def solution(code: str, test: str, notes: str = "It adds them up.") -> str:
    return f"## Notes\n{notes}\n\n## Code\n```go\n{code}```\n\n## Test\n```go\n{test}```\n"


def good(number: int) -> str:
    return solution(code(number), check_of(number))


def uncompilable(number: int) -> str:
    return solution(code(number).replace("+ a + b", "+ a + c"), check_of(number))


def wrong(number: int) -> str:
    return solution(code(number).replace("+ a + b", "+ a - b"), check_of(number))


def cheating(number: int) -> str:
    idle = f'package p{number}\n\nimport "testing"\n\nfunc TestAdd{number}(t *testing.T) {{\n\tAdd{number}(1, 2)\n}}\n'
    return solution(code(number), idle)


def answer(text: str, *, finish: str = "stop", refusal: str = "", model: str = "gpt-4.1-2025-04-14") -> Answer:
    usage = Usage(100, 50)
    return Answer(text, finish, refusal, model, "fp_1", usage, Decimal("0.0006"), "2026-11", 0.25)  # type: ignore[arg-type]


class Scripted:
    """Calls `rule` with each question and its stage; a text is an answer. Remembers what was asked."""

    def __init__(self, rule: Callable[[Question, str], str | Answer]) -> None:
        self.rule = rule
        self.asked: list[tuple[str, Question]] = []

    async def __call__(self, question: Question) -> Answer:
        stage = stage_of(question)
        self.asked.append((stage, question))
        said = self.rule(question, stage)
        return said if isinstance(said, Answer) else answer(said)

    def count(self, stage: str) -> int:
        return sum(one == stage for one, _ in self.asked)


def stage_of(question: Question) -> str:
    if len(question.messages) > 2:
        return "repair"
    return "solution" if "A user asks:" in question.messages[-1]["content"] else "instruction"


def number_in(question: Question) -> int:
    """Which of our tasks a solution is asked for."""
    text = next(one["content"] for one in question.messages if "Number " in one["content"])
    return int(text.partition("Number ")[2].partition(":")[0])


def by_number(answers: Callable[[int, str], str | Answer]) -> Scripted:
    """A teacher whose first task is number 0, its second number 1 …; answers(number, stage) is asked for all other stages."""
    asked: dict[str, int] = {}

    def rule(question: Question, stage: str) -> str | Answer:
        if stage == "instruction":
            return task(asked.setdefault(question.key, len(asked)))
        return answers(number_in(question), stage)

    return Scripted(rule)


@asynccontextmanager
async def from_folder(plan: TeacherPlan, context: WorkerContext) -> AsyncIterator[Scripted]:
    """The teacher of a job under test: good answers, a bad one now and then; out of quota at the number in the file `quota`.

    Every question is a line in the file `asked`, so that a test sees what was asked twice.
    """
    known: dict[str, int] = {}
    folder = context.folder.path

    def rule(question: Question, stage: str) -> str | Answer:
        limit = folder / "quota"
        log = folder / "asked"
        lines = log.read_text().splitlines() if log.exists() else []
        for line in lines:
            key, _, number = line.partition(" ")
            if number:
                known[key] = int(number)
        if limit.exists() and len(lines) >= int(limit.read_text()):
            raise PausedError("The account's quota is used up.")
        number = known.setdefault(question.key, len(known)) if stage == "instruction" else number_in(question)
        with log.open("a") as file:
            file.write(f"{question.key} {number if stage == 'instruction' else ''}\n")
        if stage == "instruction":
            return task(number)
        if number % 5 == 1 and stage == "solution":
            return uncompilable(number)
        if number % 5 == 2:
            return cheating(number)
        if number % 5 == 3:
            raise AskFailedError("The endpoint refused this question.")
        if number % 5 == 4 and os.environ.get("GOSMITH_TEST_REFUSE"):
            return answer("", finish="refusal", refusal="I cannot help with that.")
        return good(number)

    yield Scripted(rule)
