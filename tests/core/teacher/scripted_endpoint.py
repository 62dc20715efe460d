"""A whole teacher behind the scripted server: tasks, solutions and repairs as `scripted` has them, over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from core.teacher.exchange import Question
from tests.core.teacher import scripted
from tests.core.teacher.asking import scripted_replies
from tests.core.teacher.asking.scripted_replies import Reply, Script, Seen


def teacher(solve: Callable[[int, str], str] = lambda number, _stage: scripted.good(number)) -> Script:
    """Task 0 for the first instruction, task 1 for the second …; solve(number, stage) writes the rest: solution or repair."""
    tasks: dict[str, int] = {}

    def script(seen: Seen) -> Reply:
        asked = seen.json
        question = Question("", asked["model"], tuple(asked["messages"]), {})
        stage = scripted.stage_of(question)
        if stage == "instruction":
            return scripted_replies.answer(scripted.task(tasks.setdefault(seen.hash, len(tasks))))
        return scripted_replies.answer(solve(scripted.number_in(question), stage))

    return script


def sometimes_wrong(number: int, stage: str) -> str:
    """Does not compile at first for every fourth task, and never tests anything for the one after it."""
    if number % 4 == 1 and stage == "solution":
        return scripted.uncompilable(number)
    return scripted.cheating(number) if number % 4 == 2 else scripted.good(number)
