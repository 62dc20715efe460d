"""What is not worth paying for: near copies of what is known, problems of suites, tasks of no use. Looked at before the solution is asked for.

Whoever starts a job writes what is known into its folder (`write_known`), because a worker never opens the database; signatures,
not texts, so that two hundred thousand samples are a hundred megabytes.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.evaluation.suites import Problem
from core.samples import contamination, minhash
from core.samples.contamination import Place
from core.samples.duplicates import KINDS
from core.teacher.recipes import Limits

if TYPE_CHECKING:
    import numpy as np

    Signatures = np.ndarray[tuple[int, int], np.dtype[np.uint32]]

MOST_KNOWN = 200_000
"""Samples that new ones are compared with: the newest."""
TASK_SIMILARITY, CODE_SIMILARITY = KINDS["instructions"], KINDS["solutions"]
_CHUNK = 2_000
_ROWS = 65_536
_OUTSIDE = re.compile(
    r"\b(?:github\.com|gitlab\.com|golang\.org/x|google\.golang\.org|gopkg\.in|go\.uber\.org)/\S+|\bgo get\b"
)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """kind: near-copy, contaminated, length, language or packages. reason: a sentence."""

    kind: str
    reason: str


class Known:
    """Texts that new ones are compared with, by their signatures. Keys are the caller's own."""

    def __init__(self, signatures: Signatures | None = None, keys: list[str] | None = None) -> None:
        self._given = signatures
        self._given_keys = keys or []
        self._own: Signatures | None = None
        self._own_keys: list[str] = []

    def nearest(self, text: str) -> tuple[str, float]:
        """The key of the most similar text and the estimated similarity; ("", 0) where nothing is known."""
        import numpy as np

        asked = _signature(text)
        best, key = 0.0, ""
        own = None if self._own is None else self._own[: len(self._own_keys)]
        for rows, keys in ((self._given, self._given_keys), (own, self._own_keys)):
            for start in range(0, 0 if rows is None else len(rows), _ROWS):
                assert rows is not None
                shares = np.mean(rows[start : start + _ROWS] == asked, axis=1)
                at = int(shares.argmax())
                if shares[at] > best:
                    best, key = float(shares[at]), keys[start + at]
        return key, best

    def add(self, key: str, text: str) -> None:
        """From now on this text is known too."""
        import numpy as np

        if self._own is None:
            self._own = np.zeros((64, minhash.PERMUTATIONS), dtype=np.uint32)
        if len(self._own_keys) == len(self._own):
            self._own = np.concatenate([self._own, np.zeros_like(self._own)])
        self._own[len(self._own_keys)] = _signature(text)[0]
        self._own_keys.append(key)


def _signature(text: str) -> Signatures:
    return minhash.signatures([minhash.shingles(text)], minhash.PERMUTATIONS)


@dataclass(slots=True)
class Hygiene:
    """What a job knows. tasks: of samples by id, and of this job's by number; codes likewise. Read with `read_known`."""

    tasks: Known = field(default_factory=Known)
    codes: Known = field(default_factory=Known)
    problems: contamination.Index | None = None

    def refuse(self, task: str, limits: Limits) -> Refusal | None:
        """Why a solution to this task is not worth paying for; None when it is."""
        fewest, most = limits.task
        if not fewest <= len(task) <= most:
            return Refusal("length", f"The task has {len(task):,} characters; {fewest:,} to {most:,} are wanted.")
        prose = re.sub(r"```.*?(?:```|\Z)", " ", task, flags=re.DOTALL)
        letters = _LETTER.findall(prose)
        if letters and sum(letter.isascii() for letter in letters) < 0.9 * len(letters):
            return Refusal("language", "The task is not in English.")
        if outside := _OUTSIDE.search(task):
            return Refusal("packages", f"The task wants {outside[0]}, which is outside the standard library.")
        if self.problems is not None and (found := next(contamination.places(self.problems, task, "", ""), None)):
            return Refusal("contaminated", f"The task gives away problem {found.problem} of a suite ({found.kind}).")
        key, similarity = self.tasks.nearest(task)
        if similarity >= TASK_SIMILARITY:
            return Refusal("near-copy", f"The task is a near copy of {_name(key)} ({similarity:.0%} alike).")
        return None

    def near(self, code: str) -> tuple[str, float] | None:
        """The key of what this code is a near copy of, with the estimated similarity."""
        key, similarity = self.codes.nearest(code) if code.strip() else ("", 0.0)
        return (key, similarity) if similarity >= CODE_SIMILARITY else None

    def contaminated(self, prompt: str, response: str, code: str) -> list[Place]:
        """What of a finished sample gives away problems of suites."""
        return [] if self.problems is None else list(contamination.places(self.problems, prompt, response, code))


def task_key(number: int) -> str:
    """The key of what this job itself has made, as sample `number` of the plan."""
    return f"job:{number}"


def _name(key: str) -> str:
    kind, _, number = key.partition(":")
    return f"sample {number}" if kind == "sample" else f"number {int(number) + 1} of this job"


def write_known(folder: Path, connection: sqlite3.Connection) -> None:
    """Write what the workspace holds into a job's folder. Raises OSError."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    ids: list[int] = []
    tasks: list[Signatures] = []
    codes: list[Signatures] = []
    coded: list[int] = []
    for rows in _texts(connection):
        ids += [key for key, _, _ in rows]
        tasks.append(minhash.signatures([minhash.shingles(prompt) for _, prompt, _ in rows], minhash.PERMUTATIONS))
        with_code = [(key, code) for key, _, code in rows if code.strip()]
        if with_code:
            coded += [key for key, _ in with_code]
            codes.append(minhash.signatures([minhash.shingles(code) for _, code in with_code], minhash.PERMUTATIONS))
    for name, keys, parts in (("tasks", ids, tasks), ("codes", coded, codes)):
        if parts:
            np.save(folder / f"{name}.npy", np.concatenate(parts))
            np.save(folder / f"{name}-ids.npy", np.array(keys, dtype=np.int64))
    problems = contamination.problems(connection)
    if problems:
        lines = (json.dumps({"id": key, **asdict(one)}) + "\n" for key, one in problems.items())
        (folder / "problems.jsonl").write_text("".join(lines), encoding="utf-8")


def read_known(folder: Path) -> Hygiene:
    """What `write_known` wrote; nothing is known where there is no such folder."""
    problems: dict[int, Problem] = {}
    if (folder / "problems.jsonl").is_file():
        for line in (folder / "problems.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            key = row.pop("id")
            problems[key] = Problem(**row)
    return Hygiene(
        _read(folder, "tasks"), _read(folder, "codes"), contamination.index_of(problems) if problems else None
    )


def _read(folder: Path, name: str) -> Known:
    import numpy as np

    if not (folder / f"{name}.npy").is_file():
        return Known()
    keys = np.load(folder / f"{name}-ids.npy").tolist()
    return Known(np.load(folder / f"{name}.npy", mmap_mode="r"), [f"sample:{key}" for key in keys])


def _texts(connection: sqlite3.Connection) -> Iterator[list[tuple[int, str, str]]]:
    """(id, prompt, code) of living samples, the newest first, some at a time."""
    cursor = connection.execute(
        """
        SELECT s.id, v.prompt, v.code FROM sample s JOIN version v ON v.id = s.version_id JOIN review r ON r.sample_id = s.id
        WHERE r.deleted = 0 ORDER BY s.id DESC LIMIT ?
        """,
        (MOST_KNOWN,),
    )
    while rows := cursor.fetchmany(_CHUNK):
        yield rows
