"""Files are read in another process as they would be in this one, and an end of it from outside is a sentence."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from core.errors import UserError
from core.samples import reader, sources
from core.samples.sources import BATCH, Batch, Order, Source


def order(path: Path, rows: int, **changes: str) -> Order:
    with path.open("w") as file:
        for n in range(rows):
            chat = [
                {"role": "user", "content": f"Frage {n} ü"},
                {"role": "assistant", "content": f"```go\npackage p{n}\n```\n"},
            ]
            file.write(json.dumps({"messages": chat, "topic": "t"} if n % 7 else {"messages": [], "n": n}) + "\n")
    return Order((Source(path, "openai", True, path.stat().st_size),), changes.get("source", ""), ("imported", "x"))


def children() -> set[int]:
    """Processes that this one has."""
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def test_the_other_process_says_the_same(tmp_path: Path) -> None:
    wanted = order(tmp_path / "a.jsonl", 3000, source="gpt-4")
    here, there = list(sources.batches(wanted)), list(reader.read_ahead(wanted))
    assert there == here
    assert sum(len(batch.new) for batch in there) == 3000 - 429
    assert there[0].new[0].source == "gpt-4"
    assert there[0].new[0].tags == ("imported", "x")
    assert there[0].rejected[0].file == tmp_path / "a.jsonl"
    assert there[-1].position == wanted.size


def test_batches_grow_so_that_the_first_comes_soon(tmp_path: Path) -> None:
    sizes = [len(batch.new) + len(batch.rejected) for batch in sources.batches(order(tmp_path / "a.jsonl", 13_000))]
    assert sizes == [500, 1000, 2000, BATCH, BATCH, 1500]


def test_what_cannot_be_read_is_the_same_sentence(tmp_path: Path) -> None:
    gone = Order((Source(tmp_path / "gone.jsonl", "openai", True, 1),), "", ())
    with pytest.raises(UserError, match="There is no file"):
        list(reader.read_ahead(gone))


def test_leaving_early_ends_the_process(tmp_path: Path) -> None:
    before = children()
    batches = reader.read_ahead(order(tmp_path / "a.jsonl", 20_000))
    assert isinstance(next(batches), Batch)
    assert len(children() - before) == 1
    batches.close()
    assert children() == before


def test_a_killed_process_is_a_sentence(tmp_path: Path) -> None:
    before = children()
    batches = reader.read_ahead(order(tmp_path / "a.jsonl", 60_000))
    next(batches)
    [child] = children() - before
    os.kill(child, signal.SIGKILL)
    with pytest.raises(UserError, match="signal 9") as caught:
        list(batches)
    assert "does not come twice" in caught.value.hint


def test_a_bug_in_the_process_is_a_bug_here(tmp_path: Path) -> None:
    wrong = Order((Source(tmp_path / "a.jsonl", "no such shape", True, 1),), "", ())
    (tmp_path / "a.jsonl").write_text('{"messages": []}\n')
    with pytest.raises(RuntimeError, match="no such shape"):
        list(reader.read_ahead(wrong))
