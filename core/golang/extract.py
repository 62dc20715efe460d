"""Cut the Go code and its test out of an answer, and put changed code back.

Fences are read as CommonMark reads them, with two concessions to how models write: a fence may be indented as deep as
it likes (lists), and an answer without any fence may be code as a whole. Nothing here judges the code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENING = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([^\n]*)")
_TEST = re.compile(
    r"^func (?:Test(?![a-z])\w*\(\s*\w+\s+\*testing\.T|Fuzz(?![a-z])\w*\(\s*\w+\s+\*testing\.F)\s*\)"
    r"|^func Example\w*\(\s*\)(?=[\s\S]*^\s*// (?:Unordered o|O)utput:)",
    re.MULTILINE,
)
_LOOKS_GO = re.compile(r"^(?:package\s+\w+\s*(?://.*)?$|func\s+(?:\([^)\n]*\)\s*)?\w+\s*[\[(])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language in lower case ("" for none), its text, and the 1-based line of its first text line."""

    language: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class GoCode:
    """The code and the test of an answer, each "" when absent; code_line and test_line are 1-based lines of the
    answer where they begin, 0 when absent."""

    code: str
    test: str
    code_line: int
    test_line: int = 0


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block's text lies: lines [start, stop) of the answer; indent is what each line is pushed in by."""

    block: Block
    start: int
    stop: int
    indent: str
    fence: str
    closed: bool


def blocks(markdown: str) -> tuple[Block, ...]:
    """All fenced blocks in order. A block that is never closed goes to the end of the text."""
    return tuple(place.block for place in _places(markdown.split("\n")))


def from_answer(markdown: str) -> GoCode:
    """The first Go block that is no test is the code; the first other Go block with a test function is the test.

    Where nothing is marked as Go, an unmarked block that reads like Go counts, and where there is no block at all the
    whole text does, if it reads like Go.
    """
    lines = markdown.split("\n")
    code, test = _choose(lines, _places(lines))
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
    places = _places(lines)
    place, _ = _choose(lines, places)
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


def _choose(lines: list[str], places: list[_Place]) -> tuple[_Place | None, _Place | None]:
    found = [place for place in places if place.block.language in ("go", "golang")]
    if not found:
        found = [place for place in places if not place.block.language and _LOOKS_GO.search(place.block.text)]
    if not found:
        text = "\n".join(lines)
        if places or not _LOOKS_GO.search(text):
            return None, None
        whole = Block("", text.replace("\r\n", "\n"), 1)
        return _Place(whole, 0, len(lines), "", "", False), None
    code = next((place for place in found if not _TEST.search(place.block.text)), found[0])
    tests = [place for place in places if place in found or not place.block.language]
    test = next((place for place in tests if place is not code and _TEST.search(place.block.text)), None)
    return code, test


def _places(lines: list[str]) -> list[_Place]:
    found: list[_Place] = []
    fences = [number for number, line in enumerate(lines) if "```" in line or "~~~" in line]
    at = 0
    for number in fences:
        if number < at:
            continue
        opening = _OPENING.fullmatch(lines[number].removesuffix("\r"))
        if opening is None or (opening[2][0] == "`" and "`" in opening[3]):
            continue
        indent, fence, info = opening[1], opening[2], opening[3]
        start = number + 1
        closing = re.compile(rf"[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t\r]*")
        stop = next((other for other in fences if other >= start and closing.fullmatch(lines[other])), len(lines))
        closed = stop < len(lines)
        if not closed and stop > start and not lines[-1]:
            stop -= 1  # what follows the text's own last newline is no line
        inside = lines[start:stop]
        if indent:
            inside = [_pulled(line, indent) for line in inside]
        text = "\n".join([*inside, ""]).replace("\r\n", "\n")
        found.append(_Place(Block(_language(info), text, start + 1), start, stop, indent, fence, closed))
        at = stop + 1 if closed else len(lines)
    return found


def _pulled(line: str, indent: str) -> str:
    """The line without the fence's indentation, as far as it has it."""
    width = 0
    while width < len(indent) and width < len(line) and line[width] == indent[width]:
        width += 1
    return line[width:]


def _language(info: str) -> str:
    """`go`, `Go`, `go title="x"`, `{.go}`, `go:main.go` are all Go."""
    word = info.strip().lower().lstrip("{.").split(None, 1)
    return re.split(r"[:,;{}]", word[0], maxsplit=1)[0] if word else ""
