"""What of a completion is the answer: a fenced block, a whole file, or what follows the prompt. For the mode `fixed`.

The published harnesses err both ways: they cut answers at words, import ten packages by looking for their names anywhere, and take
an answer that repeats the signature for two functions. Here an answer is read the way it was meant, once for every model; what
makes it a file of its own is left to the Go helper (`resources/gocheck/candidate.go`), which parses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.evaluation.suites import OURS, Problem
from core.golang.extract import Block, blocks, from_answer

_STARTS_FILE = re.compile(r"\s*(?:package\s+\w+|import\s*[(\"]|func\s+(?:\([^)]*\)\s*)?\w+\s*[\[(])")
_ANY_CODE = re.compile(r"[{}]|\breturn\b|:=")


@dataclass(frozen=True, slots=True)
class Answer:
    """Go text that an answer is made from. given: what the prompt declares beside what it asks for, "" where text has it already.
    open: the model was not stopped, so that what does not parse at the end may be cut."""

    text: str
    given: str
    open: bool


def opening(suite_format: str, problem: Problem) -> str:
    """Go text that ends where a model without chat goes on: inside the function that is asked for; "" where a type is."""
    if suite_format != OURS:
        return problem.prompt
    last = problem.signature.split("\n")[-1]
    if not re.match(rf"func\s+{problem.entry_point}\b", last):
        return ""
    given = declared(suite_format, problem).rstrip()
    head = given if given.endswith(last) else f"{given}\n\n{last}" if given else f"package solution\n\n{last}"
    return head + " {\n"


def declared(suite_format: str, problem: Problem) -> str:
    """What Go text the prompt shows."""
    if suite_format != OURS:
        return problem.prompt
    return "\n\n".join(one.text.rstrip() for one in blocks(problem.prompt) if one.language == "go")


def answer(suite_format: str, problem: Problem, completion: str) -> Answer | None:
    """The answer in a completion, None where it holds no code."""
    fenced = _fenced(problem.entry_point, completion)
    text = fenced if fenced is not None else completion.replace("\r\n", "\n")
    if not text.strip():
        return None
    if _declares(problem.entry_point, text) or _STARTS_FILE.match(text):
        return Answer(text, declared(suite_format, problem), fenced is None)
    head = opening(suite_format, problem)
    if not head or not _ANY_CODE.search(text):
        return None
    return Answer(head + text, "", fenced is None)


def _fenced(entry: str, completion: str) -> str | None:
    """The block that declares what is asked for, else the first that is no test; None where there is no Go block."""
    found: list[Block] = [one for one in blocks(completion) if one.language in ("go", "golang")]
    if not found:
        found = [one for one in blocks(completion) if not one.language and _declares(entry, one.text)]
    if not found:
        return None
    return next(
        (one.text for one in found if _declares(entry, one.text)), from_answer(completion).code or found[0].text
    )


def _declares(entry: str, text: str) -> bool:
    return re.search(rf"^(?:func|type)\s+{re.escape(entry)}\b", text, re.MULTILINE) is not None
