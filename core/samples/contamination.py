"""Samples that give away problems of an evaluation suite: found, shown with the place, and kept out of everything that leaves the workspace.

Five ways to look, none of which asks a model: the name of the function that is asked for; its docstring or prompt, word for word; runs of
words from prompt, solution or test; rare literals of its tests; and code of the same shape as the reference solution. What occurs in
several problems is common property and gives nothing away.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.changes import Changes
from core.database import transaction
from core.errors import UserError
from core.evaluation.suites import Problem, Suite, read
from core.samples import minhash
from core.samples import query as search
from core.samples.language import Query

KINDS = ("name", "docstring", "words", "literal", "code")
PROMPT_GRAM = 13
CODE_GRAM = 18
"""Words and signs in a row of code: as much as thirteen words of prose hold."""
SHARED = 2
"""What occurs in more problems than this is common."""
SIMILAR = 0.5
_FEWEST_SHINGLES = 30
_BATCH = 500
_TOKEN = re.compile(r"\w+|[^\w\s]")
_PROSE = re.compile(r"\w+")
_DECLARED = re.compile(r"\bfunc\s+(?:\([^)]*\)\s*)?(\w+)")
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_STRING = re.compile(r'"((?:\\.|[^"\\\n]){12,})"|`([^`\n]{12,})`')
_NUMBER = re.compile(r"(?<![\w.])\d{7,}(?![\w.])")
_COMMENT = re.compile(r"^\s*//\s?(.*)$", re.MULTILINE)
_DOC = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'', re.DOTALL)

Gram = tuple[str, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hit:
    """What of a version was found in a problem. part: "prompt" or "response"; start, end: characters in it."""

    suite: str
    task: str
    kind: str
    part: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class StoredSuite:
    """problems: how many. contaminated: samples that were found to hold something of it."""

    name: str
    format: str
    problems: int
    contaminated: int


@dataclass(frozen=True, slots=True)
class Place:
    """What of a text was found in the problem of that number: kind, part, start and end as in `Hit`."""

    problem: int
    kind: str
    part: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that gives a problem away, as lookups: what -> problems. Made by `index_of`, asked with `places`."""

    names: dict[str, set[int]]
    prose: dict[Gram, set[int]]
    documents: dict[Gram, list[tuple[int, Gram]]]
    code: dict[Gram, set[int]]
    literals: dict[str, set[int]]
    shapes: dict[int, set[int]]
    shape_sizes: dict[int, int]


def add_suite(connection: sqlite3.Connection, path: Path, name: str = "") -> tuple[str, Suite]:
    """Store a suite under a name, that of the file by default. Raises UserError when the name is taken or the file holds no problem."""
    suite = read(path)
    name = " ".join((name or path.name.split(".")[0]).split())
    with transaction(connection):
        if connection.execute("SELECT 1 FROM suite WHERE name = ?", (name,)).fetchone():
            raise UserError(f"There is a suite “{name}” already.", "Delete it first, or choose another name.")
        key = connection.execute(
            "INSERT INTO suite (name, format, sha256, created) VALUES (?, ?, ?, ?)",
            (name, suite.format, suite.sha256, int(time.time())),
        ).lastrowid
        connection.executemany(
            "INSERT INTO problem (suite_id, task, entry_point, prompt, solution, test, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (key, one.task, one.entry_point, one.prompt, one.solution, one.test, json.dumps(one.record))
                for one in suite.problems
            ],
        )
    return name, suite


def list_suites(connection: sqlite3.Connection) -> list[StoredSuite]:
    """All suites by name."""
    statement = """
        SELECT s.name, s.format, (SELECT count(*) FROM problem p WHERE p.suite_id = s.id),
            (SELECT count(DISTINCT v.sample_id) FROM contamination c JOIN problem p ON p.id = c.problem_id
             JOIN verdict v ON v.version_id = c.version_id AND v.current = 1 WHERE p.suite_id = s.id)
        FROM suite s ORDER BY s.name
    """
    return [StoredSuite(*row) for row in connection.execute(statement)]


def stored_suite(connection: sqlite3.Connection, name: str) -> Suite | None:
    """A suite with its whole problems; None when there is none of that name."""
    found = connection.execute("SELECT id, format, sha256 FROM suite WHERE name = ?", (name,)).fetchone()
    if found is None:
        return None
    columns = "task, entry_point, prompt, solution, test, record"
    rows = connection.execute(f"SELECT {columns} FROM problem WHERE suite_id = ? ORDER BY id", (found[0],))
    problems = tuple(
        Problem(task, entry, prompt, solution, test, json.loads(record))
        for task, entry, prompt, solution, test, record in rows
    )
    return Suite(found[1], problems, (), found[2])


def delete_suite(connection: sqlite3.Connection, name: str) -> None:
    """Forget a suite, its problems and what was found of them. Raises UserError when there is none of that name."""
    with transaction(connection):
        if not connection.execute("DELETE FROM suite WHERE name = ?", (name,)).rowcount:
            known = ", ".join(suite.name for suite in list_suites(connection))
            raise UserError(f"There is no suite “{name}”.", f"There are: {known}." if known else "Add one first.")


def check(
    connection: sqlite3.Connection, query: Query, *, progress: Callable[[int, int], None] | None = None
) -> tuple[int, Changes]:
    """Look for all suites in what `query` finds; what was found before in these samples is replaced. Returns how many are contaminated.

    Raises UserError when there is no suite.
    """
    known = problems(connection)
    if not known:
        raise UserError("There is no suite to look for.", "Add one with `gosmith suites add FILE`.")
    index = index_of(known)
    ids = list(search.ids(connection, query))
    contaminated = 0
    for start in range(0, len(ids), _BATCH):
        part = ids[start : start + _BATCH]
        found = {
            version: list(places(index, prompt, response, code))
            for version, prompt, response, code in _texts(connection, part)
        }
        with transaction(connection):
            connection.executemany("DELETE FROM contamination WHERE version_id = ?", [(version,) for version in found])
            connection.executemany(
                "INSERT OR IGNORE INTO contamination VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (version, one.problem, one.kind, one.part, one.start, one.end)
                    for version, places in found.items()
                    for one in places
                ],
            )
        contaminated += sum(bool(places) for places in found.values())
        if progress is not None:
            progress(min(start + _BATCH, len(ids)), len(ids))
    return contaminated, Changes(membership=True, ids=None)


def hits(connection: sqlite3.Connection, version: int) -> list[Hit]:
    """What was found in a version."""
    statement = """
        SELECT s.name, p.task, c.kind, c.part, c.start, c."end" FROM contamination c
        JOIN problem p ON p.id = c.problem_id JOIN suite s ON s.id = p.suite_id WHERE c.version_id = ?
        ORDER BY s.name, p.id, c.kind
    """
    return [Hit(*row) for row in connection.execute(statement, (version,))]


def _texts(connection: sqlite3.Connection, ids: Sequence[int]) -> Iterator[tuple[int, str, str, str]]:
    statement = """
        SELECT v.id, v.prompt, v.response, v.code FROM json_each(?) e
        JOIN sample s ON s.id = e.value JOIN version v ON v.id = s.version_id
    """
    yield from connection.execute(statement, (json.dumps(list(ids)),))


# --- what gives a problem away -------------------------------------------------------------------------------------


def problems(connection: sqlite3.Connection) -> dict[int, Problem]:
    """The problems of all suites by number, without their records."""
    rows = connection.execute("SELECT id, task, entry_point, prompt, solution, test FROM problem")
    return {key: Problem(task, entry, prompt, solution, test, {}) for key, task, entry, prompt, solution, test in rows}


def index_of(problems: Mapping[int, Problem]) -> Index:
    """What gives these problems away."""
    shapes: dict[int, set[int]] = defaultdict(set)
    sizes: dict[int, int] = {}
    for key, one in problems.items():
        grams = minhash.shingles(one.solution, minhash.go_shape).tolist() if one.solution.strip() else []
        if len(grams) >= _FEWEST_SHINGLES:
            sizes[key] = len(grams)
            for gram in grams:
                shapes[gram].add(key)
    documents: dict[Gram, list[tuple[int, Gram]]] = defaultdict(list)
    for key, one in problems.items():
        for text in _documents(one):
            found = tuple(_PROSE.findall(text.lower()))
            if len(text) >= 40 and len(found) >= 6:
                documents[found[:6]].append((key, found))
    return Index(
        names=_rare((key, _spellings(one.entry_point)) for key, one in problems.items()),
        prose=_rare((key, _grams(_PROSE.findall(one.prompt.lower()), PROMPT_GRAM)) for key, one in problems.items()),
        documents=dict(documents),
        code=_rare(
            (key, [*_grams(_TOKEN.findall(one.solution), CODE_GRAM), *_grams(_TOKEN.findall(one.test), CODE_GRAM)])
            for key, one in problems.items()
        ),
        literals=_rare((key, _literals(one.test)) for key, one in problems.items()),
        shapes=dict(shapes),
        shape_sizes=sizes,
    )


def _rare(given: Iterable[tuple[int, Iterable[T]]]) -> dict[T, set[int]]:
    """What occurs in few problems -> those problems."""
    found: dict[T, set[int]] = defaultdict(set)
    for key, things in given:
        for thing in things:
            found[thing].add(key)
    return {thing: keys for thing, keys in found.items() if len(keys) <= SHARED}


def _spellings(name: str) -> list[str]:
    """The ways in which a name of three words or more may be written; shorter names are anybody's."""
    parts = [part.lower() for piece in name.split("_") for part in _HUMP.findall(piece)]
    if len(parts) < 3:
        return []
    camel = "".join(part.capitalize() for part in parts)
    return ["_".join(parts), camel, camel[0].lower() + camel[1:], name]


def _documents(problem: Problem) -> Iterator[str]:
    """The prose of a prompt: its comments, or the docstring of a Python original."""
    for match in _DOC.finditer(problem.prompt):
        yield (match[1] or match[2]).split(">>>")[0]
    comments = [line for line in _COMMENT.findall(problem.prompt) if line.strip()]
    yield " ".join(comments).split(">>>")[0]


def _grams(tokens: Sequence[str], size: int) -> Iterator[Gram]:
    for start in range(len(tokens) - size + 1):
        yield tuple(tokens[start : start + size])


def _literals(test: str) -> Iterator[str]:
    for match in _STRING.finditer(test):
        text = match[1] or match[2]
        if len(set(text)) >= 8:
            yield text
    for number in _NUMBER.findall(test):
        if len(set(number)) >= 4 and number not in "1234567890123456789":
            yield number


# --- what is found in a sample -------------------------------------------------------------------------------------


def places(index: Index, prompt: str, response: str, code: str) -> Iterator[Place]:
    """What of a sample's texts is found in a problem; the same may be found in several ways."""
    for part, text in (("prompt", prompt), ("response", response)):
        lowered = [(match[0].lower(), match.start(), match.end()) for match in _PROSE.finditer(text)]
        words = [word for word, _, _ in lowered]
        for kind, start, end, problems in _in_prose(index, words):
            for problem in problems:
                yield Place(problem, kind, part, lowered[start][1], lowered[end - 1][2])
        for name in _DECLARED.finditer(text):
            for problem in index.names.get(name[1], ()):
                yield Place(problem, "name", part, name.start(1), name.end(1))
        if part == "prompt":
            for match in _PROSE.finditer(text):
                for problem in index.names.get(match[0], ()) if "_" in match[0] or not match[0].islower() else ():
                    yield Place(problem, "name", part, match.start(), match.end())
        for literal, problems in _literals_in(index, text):
            at = text.find(literal)
            for problem in problems:
                yield Place(problem, "literal", part, at, at + len(literal))
    signs = [(match[0], match.start(), match.end()) for match in _TOKEN.finditer(response)]
    tokens = [sign for sign, _, _ in signs]
    for start, gram in enumerate(_grams(tokens, CODE_GRAM)):
        for problem in index.code.get(gram, ()):
            yield Place(problem, "words", "response", signs[start][1], signs[start + CODE_GRAM - 1][2])
    yield from _same_shape(index, response, code)


def _in_prose(index: Index, words: Sequence[str]) -> Iterator[tuple[str, int, int, Iterable[int]]]:
    for start, gram in enumerate(_grams(words, PROMPT_GRAM)):
        if gram in index.prose:
            yield "words", start, start + PROMPT_GRAM, index.prose[gram]
    for start in range(len(words) - 5):
        for problem, document in index.documents.get(tuple(words[start : start + 6]), ()):
            if tuple(words[start : start + len(document)]) == document:
                yield "docstring", start, start + len(document), (problem,)


def _literals_in(index: Index, text: str) -> Iterator[tuple[str, set[int]]]:
    for literal in {*_literals(text), *(match[0].strip("\"'`") for match in re.finditer(r"\S{12,}", text))}:
        if literal in index.literals:
            yield literal, index.literals[literal]


def _same_shape(index: Index, response: str, code: str) -> Iterator[Place]:
    if not index.shapes or not code:
        return
    grams = minhash.shingles(code, minhash.go_shape).tolist()
    common: Counter[int] = Counter()
    for gram in grams:
        common.update(index.shapes.get(gram, ()))
    for problem, number in common.items():
        if number / (len(grams) + index.shape_sizes[problem] - number) >= SIMILAR:
            at = max(0, response.find(code.rstrip("\n")))
            yield Place(problem, "code", "response", at, at + len(code.rstrip("\n")))
