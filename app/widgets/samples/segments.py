"""A sample cut into what is read one after another: turns, prose, the code, its test, other blocks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from core.golang import extract
from core.samples.store import Sample

Kind = Literal["text", "code", "test", "block"]
_ROLES = {"system": "System", "user": "Prompt", "assistant": "Earlier answer", "tool": "Tool"}


@dataclass(frozen=True, slots=True)
class Segment:
    """caption: a word above it, "" for none. language: of a block that is neither the code nor its test."""

    kind: Kind
    text: str
    caption: str = ""
    language: str = ""


def segments(sample: Sample) -> list[Segment]:
    """All messages before the last answer as text, then the answer with its blocks in their order."""
    found = [
        Segment("text", message.content.strip("\n"), _ROLES.get(message.role, message.role.capitalize()))
        for message in sample.messages[:-1]
    ]
    return found + answer_segments(sample.response)


def answer_segments(response: str) -> list[Segment]:
    """An answer alone: prose, the code, its test and other blocks in their order, the first one with a caption."""
    answer = _parts(response)
    if answer and not answer[0].caption:
        answer[0] = replace(answer[0], caption="Answer")
    return answer


def _parts(response: str) -> list[Segment]:
    go = extract.from_answer(response)
    blocks = extract.blocks(response)
    if not blocks:
        if go.code:
            return [Segment("code", go.code, "Code")]
        return [Segment("text", response.strip("\n"), "Answer")]
    lines = response.split("\n")
    found: list[Segment] = []
    reached = 0
    for block in blocks:
        prose = "\n".join(lines[reached : block.line - 2]).strip("\n")
        if prose.strip():
            found.append(Segment("text", prose))
        text = block.text.removesuffix("\n")
        if block.line == go.code_line:
            found.append(Segment("code", text, "Code"))
        elif block.line == go.test_line:
            found.append(Segment("test", text, "Test"))
        else:
            found.append(Segment("block", text, block.language or "Text", block.language))
        reached = block.line + block.text.count("\n")
    rest = "\n".join(lines[reached:]).strip("\n")
    if rest.strip():
        found.append(Segment("text", rest))
    return found
