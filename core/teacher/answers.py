"""How an answer of the teacher is read, and how the sample's answer is written: notes, one Go block of code, one Go block of test.

The headings that are asked for help but are not needed: models forget them more often than they forget the blocks. Judges nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.golang.extract import Block, blocks, from_answer

_HEADING = re.compile(
    r"^#{1,4}[ \t]*(?:\d+[.)][ \t]*)?\**(task|notes|code|test|tests|solution|explanation|answer)\**:?\**[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_LEAD = re.compile(r"^(?:(?:sure|certainly|of course|absolutely|great)\b[^\n]{0,80}[!:.][ \t]*\n+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Solution:
    """notes: the prose. code, test: "" where there is none."""

    notes: str
    code: str
    test: str


def read_task(text: str) -> str:
    """The task that the teacher wrote: what stands below the heading "Task" up to the next of ours, else all of it."""
    sections = _sections(text)
    task = sections.get("task")
    if task is None:
        task = _HEADING.sub("", text) if not sections else sections.get("", "") or text
    return _LEAD.sub("", task.strip()).strip()


def read_broken(text: str) -> tuple[str, str, str]:
    """Task, code and test of an answer that holds all three below headings of their own."""
    sections = _sections(text)
    found = from_answer("\n".join(part for name, part in sections.items() if name != "task") if sections else text)
    return read_task(text), found.code, found.test


def read_solution(text: str) -> Solution:
    """Notes, code and test of an answer."""
    text = text.replace("\r\n", "\n")
    found = from_answer(text)
    sections = _sections(text)
    code, test = found.code, found.test
    named = [block for block in blocks(sections.get("code", sections.get("solution", ""))) if _is_go(block)]
    if named and not from_answer(sections.get("code", "")).test:
        code = named[0].text
    named = [block for block in blocks(sections.get("test", sections.get("tests", ""))) if _is_go(block)]
    if named:
        test = named[0].text
    if code == test:  # a test alone
        code = ""
    return Solution(_notes(text, code, test), code, test)


def write_answer(solution: Solution) -> str:
    """The sample's answer. `from_answer` of it gives the same code and test."""
    parts = [solution.notes.strip()] if solution.notes.strip() else []
    parts += [fenced(text, "go") for text in (solution.code, solution.test) if text.strip()]
    return "\n\n".join(parts)


def fenced(text: str, language: str = "") -> str:
    """A block that holds the text and that nothing in the text can end: its fence is longer than any run that could be one."""
    longest = max((len(run) for run in re.findall(r"`{3,}|~{3,}", text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _is_go(block: Block) -> bool:
    return block.language in ("go", "golang", "")


def _sections(text: str) -> dict[str, str]:
    """Heading in lower case -> what stands below it, outside of code; "" -> what stands before the first."""
    inside = _inside(text)
    marks = [match for match in _HEADING.finditer(text) if not any(a <= match.start() < b for a, b in inside)]
    if not marks:
        return {}
    found = {"": text[: marks[0].start()]}
    for match, following in zip(marks, [*marks[1:], None], strict=True):
        found.setdefault(
            match[1].lower(), text[match.end() : following.start() if following else len(text)].strip("\n")
        )
    return found


def _inside(text: str) -> list[tuple[int, int]]:
    """Where fenced blocks lie, their fences included."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = []
    for block in blocks(text):
        first = block.line - 2
        last = min(block.line - 1 + block.text.count("\n") + 1, len(starts) - 1)
        found.append((starts[first], starts[last]))
    return found


def _notes(text: str, code: str, test: str) -> str:
    """The prose: all but headings of ours and the two blocks."""
    inside = _inside(text)
    kept, at = [], 0
    for block, (start, end) in zip(blocks(text), inside, strict=True):
        kept.append(_HEADING.sub("", text[at:start]))
        if block.text not in (code, test):
            kept.append(text[start:end])
        at = end
    kept.append(_HEADING.sub("", text[at:]))
    if not inside and code and text.replace("\r\n", "\n") == code:
        return ""
    return re.sub(r"\n{3,}", "\n\n", _LEAD.sub("", "".join(kept).strip())).strip()
