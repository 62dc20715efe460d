"""Two hundred files as they come from a broken disk, a careless script or a spiteful neighbour: each is a result or a sentence."""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from core.samples import edits, query
from core.samples.importing import ImportResult, import_files
from core.samples.language import Query

CODE = "```go\npackage p\n\nfunc F() {}\n```"
GOOD = 12


def rows(shape: str, rng: random.Random) -> list[dict[str, object]]:
    """Good rows of a shape, different in each file."""
    made: list[dict[str, object]] = []
    for n in range(GOOD):
        prompt = f"Prompt {n} of {rng.random()} é✓"
        made.append(
            {
                "openai": {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": CODE}]},
                "alpaca": {"instruction": prompt, "input": "", "output": CODE},
                "sharegpt": {"conversations": [{"from": "human", "value": prompt}, {"from": "gpt", "value": CODE}]},
                "prompt-completion": {"prompt": prompt, "completion": CODE},
            }[shape]
        )
    return made


def torn(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data))]


def flipped(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.randrange(1, 20)):
        found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def with_rubbish(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + rng.randbytes(rng.randrange(1, 300)) + data[place:]


def with_zeros(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes(rng.randrange(1, 5000)) + data[place:]


def shuffled(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    cut = [line[rng.randrange(len(line) + 1) :] for line in lines]
    rng.shuffle(cut)
    return b"\n".join(cut)


def other_values(data: bytes, rng: random.Random) -> bytes:
    odd = [b"null", b"NaN", b"1e999", b"[]", b"{}", b'"\\ud800"', b"-", b"\xff\xfe", b"[" * 3000, b'{"a":' * 400]
    parts = data.split(b'"')
    parts[rng.randrange(len(parts))] = rng.choice(odd)
    return b'"'.join(parts)


def wrapped(data: bytes, rng: random.Random) -> bytes:
    return rng.choice(
        [b"[" + data, b"\xef\xbb\xbf" * 3 + data, data + b"]", b'{"data": ' + data, gzip.compress(data)[:-9]]
    )


def recoded(data: bytes, rng: random.Random) -> bytes:
    return data.decode().encode(rng.choice(["utf-16", "utf-16-be", "utf-32", "latin-1", "utf-7"]), "replace")


DAMAGE: list[Callable[[bytes, random.Random], bytes]] = [
    torn, flipped, with_rubbish, with_zeros, shuffled, other_values, wrapped, recoded,
]  # fmt: skip
NAMES = ("a.jsonl", "a.json", "a.jsonl.gz", "a.parquet", "a.txt")


def corpus() -> list[tuple[str, bytes]]:
    """(name, content) of two hundred files, the same each time."""
    rng = random.Random(2026)
    made = []
    for number in range(200):
        shape = rng.choice(["openai", "alpaca", "sharegpt", "prompt-completion"])
        lines = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows(shape, rng))
        damaged = DAMAGE[number % len(DAMAGE)](lines, rng)
        name = NAMES[0] if number % 3 else rng.choice(NAMES)
        made.append((f"{number:03}-{name}", gzip.compress(damaged) if name.endswith("gz") and number % 2 else damaged))
    return made


def outcome(connection: sqlite3.Connection, path: Path) -> ImportResult | UserError:
    try:
        return import_files(connection, [path])
    except UserError as error:
        return error


@pytest.mark.timeout(120)
def test_two_hundred_malformed_files_are_results_or_sentences_and_the_workspace_stays_whole(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    imported = refused = sentences = 0
    for name, content in corpus():
        path = tmp_path / name
        path.write_bytes(content)
        before = query.count(connection, Query())
        result = outcome(connection, path)
        if isinstance(result, UserError):
            assert result.message, name
            assert "Traceback" not in str(result), name
            assert query.count(connection, Query()) == before, name
            sentences += 1
            continue
        assert query.count(connection, Query()) == before + result.imported, name
        assert all(one.reason and one.line >= 0 and one.file == path for one in result.rejected), name
        imported += result.imported
        refused += len(result.rejected)
    assert imported > 500, "what is good around the damage goes in"
    assert refused > 100
    assert sentences > 10
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    while edits.undo(connection):
        pass
    assert query.count(connection, Query()) == 0
