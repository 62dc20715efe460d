"""A judge behind the scripted server: whatever rubric it is asked by, it answers as the request's own schema demands, or wrongly where told.

Nothing of it knows our rubrics: keys and bounds are read from `response_format`, as a model behind a real endpoint would be held to them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

from tests.core.teacher.asking import scripted_replies
from tests.core.teacher.asking.scripted_replies import Reply, Script, Seen


def by_text(text: str, criterion: str, best: int) -> int:
    """Points that any text gets always and every text differently."""
    return 1 + zlib.crc32(f"{criterion} {text}".encode()) % best


def never(_text: str, _again: bool) -> None:
    """No answer is wrong."""


def judge(
    points: Callable[[str, str, int], int] = by_text,
    wrong: Callable[[str, bool], str | Reply | None] = never,
    **reply: Any,
) -> Script:
    """points(question, criterion, best) are given; wrong(question, asked again?) is what is answered instead, None for a good answer.

    question: the text of the first user message. reply: fields of every `scripted_replies.answer`, such as delay or prompt.
    """

    def script(seen: Seen) -> Reply:
        asked = seen.json
        question, again = asked["messages"][1]["content"], len(asked["messages"]) > 2
        instead = wrong(question, again)
        if instead is None:
            instead = judgement(asked["response_format"], question, points)
        return instead if isinstance(instead, Reply) else scripted_replies.answer(instead, **reply)

    return script


def judgement(response_format: dict[str, Any], question: str, points: Callable[[str, str, int], int] = by_text) -> str:
    """A whole answer, as the schema demands it."""
    wanted = response_format["json_schema"]
    assert wanted["strict"] is True
    said: dict[str, Any] = {}
    for name, schema in wanted["schema"]["properties"].items():
        if schema["type"] == "string":
            said[name] = "It will do."
        else:
            best = max(schema["properties"]["points"]["enum"])
            said[name] = {"why": f"What it shows of {name}.", "points": points(question, name, best)}
    return json.dumps(said)
