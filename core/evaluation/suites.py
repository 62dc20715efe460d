"""Suites of Go problems as their authors publish them, read row by row: bad rows are named, good ones are kept.

Reads files and nothing else; what a suite is used for is decided elsewhere. Known are HumanEval-X (Go), HumanEvalPack (Go), MultiPL-E
(Go) and the Python original of HumanEval, whose names and texts leak as well.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError

_LONGEST = 4 << 20
_FUNC = re.compile(r"^func\s+(\w+)\s*\(", re.MULTILINE)
_DEF = re.compile(r"^def\s+(\w+)\s*\(", re.MULTILINE)

FORMATS = ("humaneval-x", "humanevalpack", "multipl-e", "humaneval")
OURS = "gosmith"
"""The format of suites that are folders of Markdown files; see `core.evaluation.ours`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One task. entry_point: the function or type that is asked for; solution: "" where the suite brings none, else what follows the
    prompt, in suites of ours a whole file; record: the whole row. topic, difficulty, signature: "" where the suite does not tell."""

    task: str
    entry_point: str
    prompt: str
    solution: str
    test: str
    record: Mapping[str, Any]
    topic: str = ""
    difficulty: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no problem. line: from 1. file: which of the suite's files, "" where it has but one."""

    line: int
    reason: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """What a file holds. sha256: of the file's content as it is read, unpacked. title, about: "" where nothing says it."""

    format: str
    problems: tuple[Problem, ...]
    bad: tuple[BadRow, ...]
    sha256: str
    title: str = ""
    about: str = ""


def is_suite(record: Mapping[str, Any]) -> str | None:
    """The format of the suite that a row belongs to; None for anything else, such as a sample."""
    keys = record.keys()
    if {"buggy_solution", "prompt", "test"} <= keys:
        return "humanevalpack"
    if {"declaration", "canonical_solution", "test_setup", "prompt"} <= keys:
        return "humaneval-x"
    if {"tests", "stop_tokens", "prompt", "name"} <= keys:
        return "multipl-e"
    if {"task_id", "entry_point", "canonical_solution", "prompt"} <= keys:
        return "humaneval"
    return None


def read(path: Path) -> Suite:
    """Read a suite, JSON lines, packed with gzip or not. Raises UserError when it cannot be read or holds no problem."""
    problems: dict[str, Problem] = {}
    bad: list[BadRow] = []
    found = ""
    digest = hashlib.sha256()
    for number, line in _lines(path):
        digest.update(line)
        if not line.strip():
            continue
        made = _problem(line)
        if isinstance(made, str):
            bad.append(BadRow(number, made))
            continue
        kind, problem = made
        if found and kind != found:
            bad.append(BadRow(number, f"this row is of {kind}, the rows before are of {found}"))
        elif problem.task in problems:
            bad.append(BadRow(number, f"the task “{problem.task[:60]}” comes twice"))
        else:
            found = kind
            problems[problem.task] = problem
    if not problems:
        why = f" Line {bad[0].line}: {bad[0].reason}." if bad else ""
        raise UserError(f"{path.name} holds no problem that Gosmith knows.{why}", f"Known are: {', '.join(FORMATS)}.")
    return Suite(found, tuple(problems.values()), tuple(bad), digest.hexdigest())


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            with gzip.open(plain) if packed else plain as file:
                number = 0
                while line := file.readline(_LONGEST):
                    number += 1
                    yield number, line
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"{path} cannot be read: {reason}.", "Choose a file of problems, one JSON object a line."
        ) from error


def _problem(line: bytes) -> tuple[str, Problem] | str:
    """The problem of a row and its format, or why it is none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return "the text is not UTF-8" if isinstance(error, UnicodeDecodeError) else "this is not JSON"
    if not isinstance(record, dict):
        return "the row is no JSON object"
    kind = is_suite(record)
    if kind is None:
        return "the row is no problem of a known suite"
    texts = {key: value for key, value in record.items() if isinstance(value, str)}
    prompt = texts.get("prompt", "")
    task = texts.get("task_id") or texts.get("name") or ""
    if not prompt.strip() or not task.strip():
        return "task or prompt is empty"
    if not all(_whole(task + prompt + text) for text in texts.values()):
        return "a text holds half of a character (a lone surrogate)"
    entry = _entry(texts.get("entry_point", ""), texts.get("declaration", ""), prompt)
    test = texts.get("test") or texts.get("tests") or ""
    return kind, Problem(task, entry, prompt, texts.get("canonical_solution", ""), test, record)


def _entry(named: str, declaration: str, prompt: str) -> str:
    """The function that is asked for: the last that a prompt opens. A name that it does not declare is that of another language."""
    functions = _FUNC.findall(declaration) or _FUNC.findall(prompt)
    if functions:
        return named if named in functions else functions[-1]
    return named or next(iter(_DEF.findall(prompt)), "")


def _whole(text: str) -> bool:
    """Can the text be written as UTF-8?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
