"""What became of one sample of a plan, as a value and as a line of the job's output; nothing that was paid for is missing in it.

A line is whole or absent: who reads stops before half a line, who goes on writing cuts it off.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from core.golang.checker import Diagnostic
from core.golang.extract import from_answer
from core.samples.contamination import Place
from core.teacher.exchange import Answer, Usage

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FILE = "samples.jsonl"
T = TypeVar("T")
Result = Literal["verified", "unverified", "refused", "failed"]
RESULTS: tuple[Result, ...] = ("verified", "unverified", "refused", "failed")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what came back. stage: instruction, solution or repair. messages: (role, content) each. parameters: as they were sent."""

    stage: str
    messages: tuple[tuple[str, str], ...]
    answer: Answer
    index: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """A sample for the workspace. kind: "sample", or "fix" for what did not pass, the toolchain's words, and the mended answer.

    near: key and similarity of what its code is a near copy of. contamination: what of it gives problems of suites away.
    """

    kind: str
    messages: tuple[tuple[str, str], ...]
    verified: bool
    states: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]
    policy: tuple[Diagnostic, ...]
    toolchain: str
    near: tuple[str, float] | None = None
    contamination: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """verified and unverified have a sample; refused: hygiene did, before the solution was paid for; failed: there is nothing to keep.

    reason: why it is not verified, a sentence. draw: axis -> value. origin: of the code or sample it started from. task: as the sample asks
    it, "" where there was none. parents: uids of samples. agreement: of several solutions, how many tests the kept one passes.
    """

    number: int
    result: Result
    reason: str
    topic: str
    draw: dict[str, str]
    origin: str = ""
    task: str = ""
    parents: tuple[str, ...] = ()
    agreement: str = ""
    made: tuple[Made, ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    @property
    def usage(self) -> Usage:
        """Tokens of all exchanges together."""
        return usage_of(self.exchanges)

    @property
    def cost(self) -> Decimal | None:
        """Dollars of all exchanges whose price is known; None where none is."""
        return cost_of(self.exchanges)


def usage_of(exchanges: Sequence[Exchange]) -> Usage:
    """Tokens of all of them together."""
    used = [one.answer.usage for one in exchanges]
    return Usage(*(sum(getattr(one, name) for one in used) for name in ("prompt", "completion", "cached", "reasoning")))


def cost_of(exchanges: Sequence[Exchange]) -> Decimal | None:
    """Dollars of all whose price is known; None where none is."""
    known = [one.answer.cost_usd for one in exchanges if one.answer.cost_usd is not None]
    return sum(known, Decimal(0)) if known else None


def code_of(made: Made) -> str:
    """The Go code of a sample."""
    return from_answer(made.messages[-1][1]).code


def to_line(value: DataclassInstance) -> bytes:
    """A line of output: of an outcome, or of what another job makes."""
    return (json.dumps(asdict(value), default=str, separators=(",", ":")) + "\n").encode()


def from_line(line: bytes) -> Outcome:
    """What `to_line` was given."""
    row = json.loads(line)
    row["made"] = tuple(_made(one) for one in row["made"])
    row["exchanges"] = tuple(exchange_from(one) for one in row["exchanges"])
    row["parents"] = tuple(row["parents"])
    return Outcome(**row)


def read(path: Path, offset: int = 0, most: int | None = None) -> tuple[list[Outcome], int]:
    """Outcomes from `offset` on, at most so many, and where the next ones begin."""
    return read_lines(path, from_line, offset, most)


def each(path: Path) -> Iterator[Outcome]:
    """All outcomes, one at a time: a large job's conversations are more than fits into memory."""
    return map(from_line, whole_lines(path))


def read_lines(
    path: Path, read_line: Callable[[bytes], T], offset: int = 0, most: int | None = None
) -> tuple[list[T], int]:
    """What the whole lines from `offset` on say, at most so many, and where the next ones begin."""
    found: list[T] = []
    for line in whole_lines(path, offset):
        if most is not None and len(found) >= most:
            break
        found.append(read_line(line))
        offset += len(line)
    return found, offset


def cut(path: Path) -> None:
    """Take half a line that a crash left from the end of the file."""
    whole = sum(len(line) for line in whole_lines(path))
    with suppress(FileNotFoundError), path.open("rb+") as file:
        file.truncate(whole)


def whole_lines(path: Path, offset: int = 0) -> Iterator[bytes]:
    """The lines from `offset` on that are there with their ends; none where there is no file."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield line


def _made(row: dict[str, Any]) -> Made:
    row["messages"] = _pairs(row["messages"])
    for name in ("diagnostics", "policy"):
        row[name] = tuple(Diagnostic(**one) for one in row[name])
    row["near"] = None if row["near"] is None else (row["near"][0], row["near"][1])
    row["contamination"] = tuple(Place(**one) for one in row["contamination"])
    return Made(**row)


def exchange_from(row: dict[str, Any]) -> Exchange:
    """An exchange from the plain data that a line holds of it."""
    answer = row["answer"]
    answer["usage"] = Usage(**answer["usage"])
    answer["cost_usd"] = None if answer["cost_usd"] is None else Decimal(answer["cost_usd"])
    return Exchange(row["stage"], _pairs(row["messages"]), Answer(**answer), row["index"], row["parameters"])


def _pairs(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((role, content) for role, content in rows)
