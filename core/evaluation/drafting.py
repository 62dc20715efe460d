"""A problem of a private suite while a person writes it: its parts, what is wrong with them, and the file that they make.

A file is made only of what reads back the same; whatever the format cannot hold is named with the part and its line. Nothing is
compiled here (`core.evaluation.trying`), and nothing is written (`core.evaluation.private`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from core.errors import UserError
from core.evaluation.ours import DIFFICULTIES, SECTIONS, Wrong, fenced, parse
from core.evaluation.suites import Problem

_DECLARED = re.compile(r"^(func|type|var|const)\s+(?:\([^)]*\)\s*)?([A-Za-z_]\w*)")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Draft:
    """name: that of its file, without .md. entry: what is asked for; "" for what the signature declares."""

    name: str = ""
    topic: str = ""
    difficulty: str = "easy"
    entry: str = ""
    signature: str = ""
    prompt: str = ""
    reference: str = ""
    test: str = ""


PARTS = tuple(one.name for one in fields(Draft))


@dataclass(frozen=True, slots=True)
class Complaint:
    """part: of PARTS. line: of it, from 1; 0 where no line is meant. text: the end of a sentence about it, or one of its own."""

    part: str
    line: int
    text: str


def draft_of(problem: Problem) -> Draft:
    """The parts of a problem of ours."""
    return Draft(
        problem.task.rpartition("/")[2], problem.topic, problem.difficulty, problem.entry_point, problem.signature, problem.prompt,
        problem.solution, problem.test,
    )  # fmt: skip


def normal(draft: Draft) -> Draft:
    """The same as its file says it: no spaces around, no empty lines in the signature, code that ends with a line."""
    made = {part: re.sub(r"\r\n?", "\n", getattr(draft, part)) for part in PARTS}
    made |= {part: made[part].strip() for part in ("name", "topic", "difficulty", "entry", "prompt")}
    made["signature"] = "\n".join(line.strip() for line in made["signature"].split("\n") if line.strip())
    for part in ("reference", "test"):
        if made[part] and not made[part].endswith("\n"):
            made[part] += "\n"
    made["entry"] = made["entry"] or entry_of(made["signature"])
    return Draft(**made)


def entry_of(signature: str) -> str:
    """What a signature asks for: its last function, or else the last thing that it declares; "" for none."""
    found = [match for line in signature.split("\n") if (match := _DECLARED.match(line.strip()))]
    functions = [match for match in found if match[1] == "func"]
    return (functions or found)[-1][2] if found else ""


def complaints(draft: Draft) -> list[Complaint]:
    """What keeps a draft from being a file; none for one that can be saved."""
    draft = normal(draft)
    found = list(_parts(draft))
    return found or list(_whole(draft))


def markdown(draft: Draft) -> str:
    """The file of a draft. Raises UserError with the first complaint."""
    draft = normal(draft)
    for one in complaints(draft):
        line = f", line {one.line}" if one.line else ""
        raise UserError(
            f"The problem cannot be saved so ({one.part}{line}): {one.text}.", "Change that and save again."
        )
    return "\n".join(line for _, _, line in _lines(draft)) + "\n"


def problem_of(suite: str, draft: Draft) -> Problem:
    """The problem that a draft is. Raises UserError as `markdown`."""
    return parse(suite, normal(draft).name, markdown(draft))


def as_problem(suite: str, draft: Draft) -> Problem:
    """The same of a draft that is known to be one, such as `draft_of` made; nothing is looked at."""
    return Problem(
        f"{suite}/{draft.name}", draft.entry, draft.prompt, draft.reference, draft.test, {}, draft.topic, draft.difficulty, draft.signature,
    )  # fmt: skip


def name_complaint(name: str) -> str:
    """Why this cannot be the name of a file or a folder of a suite, as the end of a sentence; "" for one that can."""
    if not name:
        return "it needs a name"
    if name.startswith((".", "-")) or name.endswith("."):
        return "a name begins with a letter or a digit"
    if not re.fullmatch(r"[\w.+-]+", name):
        return "a name holds letters, digits and . + - _ alone"
    if len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        return f"a name has at most {_LONGEST_NAME} bytes"
    return ""


# --- what is wrong -------------------------------------------------------------------------------------------------


def _parts(draft: Draft) -> Iterator[Complaint]:
    """What can be said of each part by itself."""
    if why := name_complaint(draft.name):
        yield Complaint("name", 0, why)
    elif draft.name == "README":
        yield Complaint("name", 0, "README.md is no problem of a suite")
    for part in PARTS:
        text = getattr(draft, part)
        if not text.strip() and part not in ("name", "entry"):
            yield Complaint(part, 0, f"the {part} is empty")
        elif any("\ud800" <= sign <= "\udfff" for sign in text):
            yield Complaint(part, 0, "it holds half of a character")
    if "\n" in draft.topic:
        yield Complaint("topic", 0, "a topic is one line")
    if draft.difficulty and draft.difficulty not in DIFFICULTIES:
        yield Complaint("difficulty", 0, f"it is none of {', '.join(DIFFICULTIES)}")
    if draft.signature and not draft.entry:
        yield Complaint(
            "signature",
            0,
            "it declares nothing: write what an answer must declare, such as func Reverse(s string) string",
        )
    yield from _prompt(draft.prompt)


def _prompt(text: str) -> Iterator[Complaint]:
    opened, by = 0, ""
    for number, line, fence in fenced(text.split("\n")):
        if not fence:
            if line.startswith("## "):
                yield Complaint("prompt", number, "## is the heading of a part of the file; take ### or none")
        elif not opened:
            opened, by = number, fence
        elif not line.strip(fence[0]) and len(line) >= len(fence):
            opened = 0
    if opened:
        yield Complaint("prompt", opened, f"the block that {by} opens is never closed")


def _whole(draft: Draft) -> Iterator[Complaint]:
    """What the reader says of the file."""
    lines = _lines(draft)
    try:
        read = draft_of(parse("suite", draft.name, "\n".join(line for _, _, line in lines) + "\n"))
    except Wrong as wrong:
        yield _placed(lines, wrong)
        return
    for part in PARTS:
        if getattr(read, part) != getattr(draft, part):
            yield Complaint(
                part, 0, "a file cannot hold it so that it reads the same; look for unusual spaces and signs"
            )


def _placed(lines: list[tuple[str, int, str]], wrong: Wrong) -> Complaint:
    """The complaint about a line of the file as one about the part that stands there."""
    part, line, _ = lines[min(wrong.line, len(lines)) - 1]
    if not part:  # said of the front matter as a whole
        part = next((one for one in ("entry", "signature", "difficulty") if f"the {one}" in wrong.reason), "topic")
    return Complaint(part, line, wrong.reason)


# --- the file ------------------------------------------------------------------------------------------------------


def _lines(draft: Draft) -> list[tuple[str, int, str]]:
    """The lines of its file, each with the part and the part's line that it is; 0 for what only stands around it."""
    found = [("", 0, "---")]
    found += [(part, 1, f"{part}: {getattr(draft, part)}") for part in ("topic", "difficulty", "entry")]
    found += _numbered("signature", draft.signature, "signature: ")
    found += [("", 0, "---")]
    for section in SECTIONS:
        part = section.lower()
        text = getattr(draft, part)
        found += [(part, 0, f"## {section}"), (part, 0, "")]
        if part == "prompt":
            found += _numbered(part, text)
        else:
            fence = _fence(text)
            found += [(part, 0, f"{fence}go"), *_numbered(part, text.removesuffix("\n")), (part, 0, fence)]
        found += [("", 0, "")]
    return found[:-1]


def _numbered(part: str, text: str, before: str = "") -> list[tuple[str, int, str]]:
    return [(part, number, before + line) for number, line in enumerate(text.split("\n"), start=1)]


def _fence(text: str) -> str:
    """One that nothing in the text closes."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    return "`" * (longest + 1)
