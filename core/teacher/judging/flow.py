"""One text from question to judgement: asked, checked, asked once more with what was wrong, and then told as failed with the reason.

Knows neither how a question travels nor where results are kept. What was paid for is in the result, whatever becomes of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.teacher.exchange import Answer, Ask, AskFailedError, Question, refusal_in
from core.teacher.judging.answers import InvalidError, Said, read, response_format
from core.teacher.judging.items import Item
from core.teacher.judging.plan import JudgePlan
from core.teacher.judging.results import Judged
from core.teacher.judging.rubrics import AGAIN, JUDGE, SYSTEM, Rubric
from core.teacher.results import Exchange

STAGES = ("judge", "again")


def question(item: Item, rubric: Rubric) -> tuple[dict[str, str], ...]:
    """The messages that ask for a judgement. Raises UserError with file and line for a template that cannot be rendered."""
    return (
        {"role": "system", "content": rubric.render(SYSTEM)},
        {"role": "user", "content": rubric.render(JUDGE, **item.given())},
    )


@dataclass(frozen=True, slots=True)
class Bench:
    """What all judgements of a job share."""

    plan: JudgePlan
    rubric: Rubric
    ask: Ask

    def parameters(self) -> dict[str, Any]:
        """The fields of every request."""
        return {**self.plan.parameters, "response_format": response_format(self.rubric)}


async def judge(item: Item, bench: Bench) -> Judged:
    """Judge one text. Raises PausedError when nothing more is sent for now, and UserError where a template fails."""
    messages: tuple[Mapping[str, str], ...] = question(item, bench.rubric)
    exchanges: list[Exchange] = []
    said: Said | None = None
    reason = ""
    for stage in STAGES:
        try:
            answer = await _ask(stage, messages, bench, exchanges)
            said = read(answer.text, bench.rubric.file)
            break
        except AskFailedError as error:
            reason = str(error)
            break
        except InvalidError as error:
            reason = f"The judge's answer is of no use, also when asked again: {error}"
            again = {"role": "user", "content": bench.rubric.render(AGAIN, words=str(error))}
            messages = (*messages, {"role": "assistant", "content": answer.text}, again)
    failed = Judged(item.sample, item.version, None, (), "", reason, int(time.time()), tuple(exchanges))
    if said is None:
        return failed
    score = bench.rubric.file.score({one.criterion: one.points for one in said.points})
    return replace(failed, score=score, points=said.points, summary=said.summary, reason="")


async def _ask(stage: str, messages: tuple[Mapping[str, str], ...], bench: Bench, kept: list[Exchange]) -> Answer:
    """Ask and keep what comes back. Raises AskFailedError where it is nothing to read."""
    plan = bench.plan
    asked = Question(plan.base_url, plan.model, messages, bench.parameters())
    answer = await bench.ask(asked)
    text = answer.text.encode("utf-8", "replace").decode()  # half a character can be sent to nobody
    sent = tuple((one["role"], one["content"]) for one in messages)
    kept.append(Exchange(stage, sent, answer, 0, dict(asked.parameters)))
    if reason := refusal_in(answer, "judge"):
        raise AskFailedError(reason)
    return replace(answer, text=text)
