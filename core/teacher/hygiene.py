"""What is not worth paying for: near copies of what is known, problems of suites, tasks of no use. Looked at before the solution is asked for.

Whoever starts a job writes what is known into its folder (`write_known`), because a worker never opens the database; signatures,
not texts, so that two hundred thousand samples are a hundred megabytes.
"""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.evaluation.suites import Problem
from core.samples import contamination, minhash
from core.samples.contamination import Place
from core.samples.duplicates import KINDS
from core.teacher import signatures
from core.teacher.recipes import Limits

if TYPE_CHECKING:
    import numpy as np

    from core.teacher.signatures import Signatures

    Signature = np.ndarray[tuple[int], np.dtype[np.uint32]]

MOST_KNOWN = 200_000
"""Samples that new ones are compared with: the newest."""
TASK_SIMILARITY, CODE_SIMILARITY = KINDS["instructions"], KINDS["solutions"]
_FRONT, _FRONT_ALIKE = 16, 5
"""Texts that agree in fewer of the first numbers of their signatures are not looked at: of those that are alike by 0.7, one in three thousand is lost."""
_OUTSIDE = re.compile(
    r"\b(?:github\.com|gitlab\.com|golang\.org/x|google\.golang\.org|gopkg\.in|go\.uber\.org)/\S+|\bgo get\b"
)
_COMMON = frozenset(
    ["a", "an", "and", "are", "as", "be", "but", "by", "can", "do", "for", "from", "has", "have", "i", "if", "in", "is", "it", "its",
     "must", "need", "no", "not", "of", "on", "one", "or", "so", "that", "the", "then", "there", "this", "to", "we", "what", "when",
     "which", "with", "you"]
)  # fmt: skip
_FEWEST_WORDS = 16
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """kind: near-copy, contaminated, length, language or packages. reason: a sentence."""

    kind: str
    reason: str


class Known:
    """Texts that new ones are compared with, by their signatures. Keys are the caller's own."""

    def __init__(self, rows: Signatures | None = None, keys: list[str] | None = None) -> None:
        self._given = _Shelf(keys or [], rows) if rows is not None else None
        self._own = _Shelf([], None)

    def nearest(self, text: str) -> tuple[str, float]:
        """The key of the most similar text and the estimated similarity; ("", 0) where nothing comes near."""
        asked = _signature(text)[0]
        found = [shelf.nearest(asked) for shelf in (self._given, self._own) if shelf is not None]
        return max(found, key=lambda one: one[1])

    def add(self, key: str, text: str) -> None:
        """From now on this text is known too."""
        self._own.add(key, _signature(text)[0])


class _Shelf:
    """Signatures, with their beginnings apart: most texts are told from the one asked about by a few numbers."""

    def __init__(self, keys: list[str], rows: Signatures | None) -> None:
        import numpy as np

        self._keys = keys
        self._rows = np.zeros((64, minhash.PERMUTATIONS), dtype=np.uint32) if rows is None else rows
        self._front = np.ascontiguousarray(self._rows[:, :_FRONT])

    def nearest(self, asked: Signature) -> tuple[str, float]:
        import numpy as np

        places = np.flatnonzero((self._front[: len(self._keys)] == asked[:_FRONT]).sum(axis=1) >= _FRONT_ALIKE)
        if not len(places):
            return "", 0.0
        shares = np.mean(self._rows[places] == asked, axis=1)
        best = int(shares.argmax())
        return self._keys[places[best]], float(shares[best])

    def add(self, key: str, row: Signature) -> None:
        import numpy as np

        if len(self._keys) == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._front = np.concatenate([self._front, np.zeros_like(self._front)])
        self._rows[len(self._keys)], self._front[len(self._keys)] = row, row[:_FRONT]
        self._keys.append(key)


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
        words = re.findall(r"[^\W\d_]+", prose.lower())
        foreign = len(words) >= _FEWEST_WORDS and sum(word in _COMMON for word in words) < 0.08 * len(words)
        if foreign or (letters and sum(letter.isascii() for letter in letters) < 0.9 * len(letters)):
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
    found = signatures.of_samples(connection, MOST_KNOWN)
    coded = found.codes.any(axis=1)
    for name, keys, rows in (("tasks", found.ids, found.tasks), ("codes", found.ids[coded], found.codes[coded])):
        if len(keys):
            np.save(folder / f"{name}.npy", rows)
            np.save(folder / f"{name}-ids.npy", keys)
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
