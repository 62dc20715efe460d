"""Samples out of a Go source tree: a documented function becomes a question and its answer.

The doc comment is what somebody wants, the function is how a good programmer gave it to them. The wording of the question
varies by a hash of the function, so that the same tree always gives the same samples. What cannot be read is named.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core import steps
from core.golang.mining import MinedFunction, Unread
from core.golang.mining import mine as read_tree
from core.samples.adding import Prepared, prepare
from core.samples.conversation import Message, NewSample
from core.samples.importing import ImportResult, take_in
from core.samples.sources import Rejected

SOURCE = "mined"
TAG = "mined"
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class _Wording:
    ask: str
    answer: str


_WORDINGS = (
    _Wording("In package {package}, write {signature}.\n\n{doc}", "{fence}"),
    _Wording(
        "{doc}\n\nImplement this in Go as {signature}, package {package}.", "Here is the implementation:\n\n{fence}"
    ),
    _Wording("I need {signature} for package {package}. It should do this: {doc}", "{fence}"),
    _Wording("Write the Go function {signature} (package {package}) from its documentation:\n\n{doc}", "{fence}"),
    _Wording("Complete this Go function.\n\n```go\n{comment}\n{head}\n```", "The whole file:\n\n{fence}"),
    _Wording("go, package {package}: {doc}\n\nsignature: {signature}", "{fence}"),
)

_TYPE_BRACE = re.compile(r"\b(?:interface|struct)\s*$")


def mine(
    connection: sqlite3.Connection,
    directory: Path,
    *,
    limit: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    cancel: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Add a sample for each documented function below `directory`, at most `limit`.

    Raises UserError when the folder cannot be read or holds no Go. Functions that were mined before count as duplicates.
    """
    rejected: list[Rejected] = []

    def leave_out(file: Unread) -> None:
        rejected.append(Rejected(directory / file.file, 0, file.reason))

    def new() -> Iterator[Prepared]:
        for done, function in enumerate(islice(read_tree(directory, unread=leave_out), limit), start=1):
            if progress is not None:
                progress(done, limit)
            sample = sample_of(function)
            yield prepare(sample.messages, sample.topic, sample.source, sample.tags)

    wanted = new()
    batches = iter(lambda: list(islice(wanted, _BATCH)), [])
    taken = steps.run(take_in(connection, batches, label=f"Mine {directory.name}", author="mine", cancel=cancel))
    return ImportResult(taken.imported, taken.duplicates, tuple(rejected), taken.operation)


def sample_of(function: MinedFunction) -> NewSample:
    """The question and the answer made of one function."""
    digest = hashlib.sha256(f"{function.file}:{function.name}".encode()).digest()
    wording = _WORDINGS[digest[0] % len(_WORDINGS)]
    head = _head(function.code)
    doc = function.doc.strip()
    words = {
        "package": function.package,
        "doc": doc,
        "comment": "\n".join(f"// {line}".rstrip() for line in doc.splitlines()),
        "signature": f"`{_one_line(head)}`",
        "head": head,
        "fence": f"```go\n{function.source().rstrip()}\n```",
    }
    messages = (Message("user", wording.ask.format(**words)), Message("assistant", wording.answer.format(**words)))
    return NewSample(messages, topic=function.package, source=SOURCE, tags=(TAG,))


def _head(code: str) -> str:
    """Everything up to the brace that opens the body, as it is written."""
    depth = 0
    for place, letter in enumerate(code):
        depth += (letter in "([") - (letter in ")]")
        # A brace of a type, such as `interface{}` or `struct{...}`, follows its keyword; the body's follows the signature.
        if letter == "{" and depth == 0 and not _TYPE_BRACE.search(code, max(0, place - 12), place):
            return code[: place + 1]
    return code.split("\n", 1)[0]


def _one_line(head: str) -> str:
    """A signature over several lines on one."""
    line = " ".join(head.removesuffix("{").split())
    return line.replace("( ", "(").replace(", )", ")")
