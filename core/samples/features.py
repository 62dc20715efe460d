"""What the apprentice sees of a sample: a few named numbers and a hashed bag of words, as a row of floats.

The row is the same in every process and every version of numpy: words are placed by CRC-32, numbers are scaled by fixed rules.
"""

from __future__ import annotations

import json
import math
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from core.golang.checker import CHECKS
from core.samples.language import POLICIES
from core.samples.minhash import words

if TYPE_CHECKING:
    import numpy as np

    Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]

NUMBERS = (
    "length of the answer", "lines of code", "length of the question", "comments in the code", "prose around the code",
    "errors looked at", "a test is there", "no code at all", "long lines", *(f"{check} passes" for check in CHECKS),
    *(f"{check} fails" for check in CHECKS), *(f"policy: {kind}" for kind in POLICIES), "near copy",
)  # fmt: skip
WORDS = 1024
WIDTH = len(NUMBERS) + WORDS
_LONGEST = 20_000
_ROWS = """
    SELECT s.id, s.version_id, t.prompt, t.response, t.code, t.test, s.topic, s.source,
        v.parse, v.format, v.types, v.vet, v.test,
        (SELECT group_concat(kind) FROM policy p WHERE p.version_id = s.version_id),
        EXISTS (SELECT 1 FROM duplicate d WHERE d.sample_id = s.id AND d.keeper <> s.id)
    FROM json_each(?) e JOIN sample s ON s.id = e.value JOIN version t ON t.id = s.version_id
    JOIN verdict v ON v.version_id = s.version_id ORDER BY e.key
"""


def rows(connection: sqlite3.Connection, ids: Sequence[int]) -> tuple[Matrix, list[int]]:
    """(samples, WIDTH), in the order of the ids, and the version of each row."""
    import numpy as np

    matrix = np.zeros((len(ids), WIDTH), dtype=np.float32)
    versions = []
    for place, row in enumerate(connection.execute(_ROWS, (json.dumps(list(ids)),))):
        _, version, prompt, response, code, test, topic, source, *states, kinds, copied = row
        versions.append(version)
        matrix[place, : len(NUMBERS)] = _numbers(prompt, response, code, test, states, kinds or "", copied)
        places = [bucket(word) for word in set(_named(prompt, code or response, topic, source))]
        matrix[place, places] = 1.0 / math.sqrt(max(1, len(places)))
    return matrix, versions


def _numbers(
    prompt: str, response: str, code: str, test: str, states: Sequence[int | None], kinds: str, copied: int
) -> list[float]:
    lines = code.splitlines()
    comments = sum(line.lstrip().startswith("//") for line in lines)
    longest = max(map(len, lines), default=0)
    found = kinds.split(",")
    return [
        math.log1p(len(response)) / 8, math.log1p(len(lines)) / 4, math.log1p(len(prompt)) / 6,
        comments / max(1, len(lines)), 1 - (len(code) + len(test)) / max(1, len(response)),
        min(1.0, code.count("err != nil") / 10), float(bool(test)), float(not code), min(1.0, longest / 200),
        *(float(state == 1) for state in states), *(float(state == 0) for state in states),
        *(float(kind in found) for kind in POLICIES), float(copied),
    ]  # fmt: skip


def _named(prompt: str, code: str, topic: str, source: str) -> Iterator[str]:
    yield f"topic {topic}"
    yield f"source {source}"
    for word in words(prompt[:_LONGEST].lower()):
        yield f"“{word}” in the question"
    previous = ""
    for word in words(code[:_LONGEST]):
        yield f"“{word}” in the code"
        if previous:
            yield f"“{previous} {word}” in the code"
        previous = word


@lru_cache(maxsize=1 << 18)
def bucket(word: str) -> int:
    """The column of a word."""
    return len(NUMBERS) + zlib.crc32(word.encode("utf-8", "replace")) % WORDS


def names(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, str]:
    """For each column of words, the word that stands for it most often in these samples."""
    counts: dict[str, int] = {}
    for row in connection.execute(_ROWS, (json.dumps(list(ids)),)):
        for word in set(_named(row[2], row[4] or row[3], row[6], row[7])):
            counts[word] = counts.get(word, 0) + 1
    best: dict[int, str] = {}
    for word in sorted(counts, key=lambda word: (counts[word], word)):
        best[bucket(word)] = word
    return best
