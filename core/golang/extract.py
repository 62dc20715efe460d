"""Cut the Go code and its test out of an answer, and put changed code back.

Fences are read as CommonMark reads them, with two concessions to how models write: a fence may be indented as deep as
it likes (lists), and an answer without any fence may be code as a whole. Nothing here judges the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_OPENING = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([^\n]*)")
_TEST = re.compile(
    r"^func (?:Test(?![a-z])\w*\(\s*\w+\s+\*testing\.T|Fuzz(?![a-z])\w*\(\s*\w+\s+\*testing\.F)\s*\)"
    r"|^func Example\w*\(\s*\)(?=[\s\S]*^\s*// (?:Unordered o|O)utput:)",
    re.MULTILINE,
)
_TEST_STARTS = ("func Test", "func Fuzz", "func Example")
_LOOKS_GO = re.compile(r"^(?:package\s+\w+\s*(?://.*)?$|func\s+(?:\([^)\n]*\)\s*)?\w+\s*[\[(])", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language in lower case ("" for none), its text, and the 1-based line of its first text line."""

    language: str
    text: str
    line: int


class GoCode(NamedTuple):
    """The code and the test of an answer, each "" when absent; code_line and test_line are 1-based lines of the
    answer where they begin, 0 when absent."""

    code: str
    test: str
    code_line: int
    test_line: int = 0


class _Place(NamedTuple):
    """Where a block's text lies: lines [start, stop) of the answer; indent is what each line is pushed in by."""

    block: Block
    start: int
    stop: int
    indent: str
    fence: str
    closed: bool


def blocks(markdown: str) -> tuple[Block, ...]:
    """All fenced blocks in order. A block that is never closed goes to the end of the text."""
    return tuple(place.block for place in _places(markdown))


def from_answer(markdown: str) -> GoCode:
    """The first Go block that is no test is the code; the first other Go block with a test function is the test.

    Where nothing is marked as Go, an unmarked block that reads like Go counts, and where there is no block at all the
    whole text does, if it reads like Go.
    """
    code, test = _choose(markdown, _places(markdown))
    if code is None:
        return GoCode("", "", 0)
    return GoCode(
        code.block.text, test.block.text if test else "", code.block.line, test.block.line if test else 0
    )  # fmt: skip


def with_code(markdown: str, new_code: str) -> str:
    """The same answer with another code: `from_answer` of the result gives new_code (with a final newline).

    The fence grows where the new code would close it. An answer without code gets a block at its end.
    """
    body = new_code.replace("\r\n", "\n")
    if body and not body.endswith("\n"):
        body += "\n"
    lines = markdown.split("\n")
    places = _places(markdown)
    place, _ = _choose(markdown, places)
    if place is not None and not place.fence and from_answer(body).code == body:
        return body
    new_lines = body.split("\n")[:-1]
    longest = max((len(run) for line in new_lines for run in re.findall(r"^[ \t]*(`{3,}|~{3,})", line)), default=0)
    if place is None or not place.fence:
        fence = "`" * max(3, longest + 1)
        head = markdown.rstrip("\n").split("\n") if place is None and markdown.strip() else []
        if head and places and not places[-1].closed:
            head.append(places[-1].indent + places[-1].fence)
        return "\n".join([*head, *([""] if head else []), f"{fence}go", *new_lines, fence, ""])
    opening = lines[place.start - 1]
    fence = place.fence
    if longest >= len(fence):
        fence = fence[0] * (longest + 1)
        opening = opening.replace(place.fence, fence, 1)
    if not place.block.language:
        opening = opening.rstrip() + "go"
    pushed = [place.indent + line if line else line for line in new_lines]
    rest = lines[place.stop + 1 :] if place.closed else []
    return "\n".join([*lines[: place.start - 1], opening, *pushed, place.indent + fence, *rest])


def _choose(markdown: str, places: list[_Place]) -> tuple[_Place | None, _Place | None]:
    if len(places) == 1 and places[0].block.language == "go":
        return places[0], None  # nearly every answer
    found = [place for place in places if place.block.language in ("go", "golang")]
    if not found:
        found = [place for place in places if not place.block.language and _LOOKS_GO.search(place.block.text)]
    if not found:
        if places or not _LOOKS_GO.search(markdown):
            return None, None
        whole = Block("", markdown.replace("\r\n", "\n"), 1)
        return _Place(whole, 0, markdown.count("\n") + 1, "", "", False), None
    code = next((place for place in found if not _is_test(place.block.text)), found[0])
    others = (place for place in places if place is not code and (place in found or not place.block.language))
    return code, next((place for place in others if _is_test(place.block.text)), None)


def _is_test(text: str) -> bool:
    """Whether `go test` would find something to run in it."""
    return any(start in text for start in _TEST_STARTS) and _TEST.search(text) is not None


def _places(markdown: str) -> list[_Place]:
    found: list[_Place] = []
    fences = list(_fence_lines(markdown))
    at = 0
    while at < len(fences):
        line, begin, end = fences[at]
        at += 1
        opening = _OPENING.fullmatch(markdown, begin, end - (markdown[end - 1 : end] == "\r"))
        if opening is None or (opening[2][0] == "`" and "`" in opening[3]):
            continue
        indent, fence, info = opening[1], opening[2], opening[3]
        while at < len(fences) and not _closes(markdown[fences[at][1] : fences[at][2]], fence):
            at += 1
        closed = at < len(fences)
        if closed:
            stop = fences[at][0]
            text = markdown[end + 1 : fences[at][1]]
            at += 1
        else:
            text = markdown[end + 1 :]
            if text and not text.endswith("\n"):
                text += "\n"  # what follows the text's own last newline is no line
            stop = line + 1 + text.count("\n")
        if indent:
            text = "\n".join(_pulled(inside, indent) for inside in text.split("\n"))
        block = Block(_language(info), text.replace("\r\n", "\n"), line + 2)
        found.append(_Place(block, line + 1, stop, indent, fence, closed))
    return found


def _fence_lines(markdown: str) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of each line that may be a fence; splitting all of a text into lines would take longer than all the rest."""
    marks = [mark for mark in ("```", "~~~") if mark in markdown]
    at = line = 0
    while places := [place for mark in marks if (place := markdown.find(mark, at)) >= 0]:
        begin = markdown.rfind("\n", at, min(places)) + 1 or at
        end = markdown.find("\n", begin)
        line += markdown.count("\n", at, begin)
        yield line, begin, end if end >= 0 else len(markdown)
        if end < 0:
            return
        at, line = end + 1, line + 1


def _closes(line: str, fence: str) -> bool:
    """Whether the line is nothing but a fence of the same kind, at least as long."""
    mark = line.lstrip(" \t").rstrip(" \t\r")
    return len(mark) >= len(fence) and not mark.strip(fence[0])


def _pulled(line: str, indent: str) -> str:
    """The line without the fence's indentation, as far as it has it."""
    width = 0
    while width < len(indent) and width < len(line) and line[width] == indent[width]:
        width += 1
    return line[width:]


@lru_cache(maxsize=256)
def _language(info: str) -> str:
    """`go`, `Go`, `go title="x"`, `{.go}`, `go:main.go` are all Go."""
    word = info.strip().lower().lstrip("{.").split(None, 1)
    return re.split(r"[:,;{}]", word[0], maxsplit=1)[0] if word else ""
