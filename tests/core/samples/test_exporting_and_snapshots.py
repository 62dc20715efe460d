"""Out again: exports that come back the same, and snapshots that never change."""

from __future__ import annotations

import hashlib
import json
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.database import connect, migrate, transaction
from core.errors import UserError
from core.samples import adding, edits, query, snapshots
from core.samples.conversation import Message, NewSample
from core.samples.exporting import export
from core.samples.formats import WRITTEN
from core.samples.importing import import_files
from core.samples.language import Query, parse
from tests.core.samples.conftest import sample

Fill = Callable[..., tuple[int, ...]]


def hashes(connection: sqlite3.Connection) -> set[bytes]:
    return {row[0] for row in connection.execute("SELECT v.hash FROM sample s JOIN version v ON v.id = s.version_id")}


@pytest.mark.parametrize("format", WRITTEN)
def test_what_is_exported_comes_back_the_same(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path, format: str
) -> None:
    fill(7)
    turns = ("system", "user", "assistant", "user", "assistant")
    with transaction(connection):
        adding.add(
            connection,
            [NewSample(tuple(Message(role, f"{role} {n} ünïcode\n\ttab") for n, role in enumerate(turns)))],
            author="test",
        )
    out = tmp_path / f"out.{format}"
    result = export(connection, Query(), out, format=format)
    assert result.exported == 8
    assert result.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert json.loads(result.manifest.read_text())["samples"] == 8
    with closing(connect(tmp_path / "other.db")) as other:
        migrate(other)
        assert import_files(other, [out]).imported == 8
        assert hashes(other) == hashes(connection)


def test_what_is_deleted_never_leaves_and_nothing_is_no_export(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    ids = fill(3)
    edits.delete(connection, ids[:2])
    assert export(connection, Query(), tmp_path / "a.jsonl", format="openai").exported == 1
    with pytest.raises(UserError, match="nothing was exported"):
        export(connection, parse("status:accepted"), tmp_path / "b.jsonl", format="openai")
    assert not (tmp_path / "b.jsonl").exists()


def test_no_search_gets_at_what_is_deleted(connection: sqlite3.Connection, fill: Fill, tmp_path: Path) -> None:
    edits.delete(connection, fill(2))
    with pytest.raises(UserError, match="nothing was exported"):
        export(connection, parse("deleted:yes"), tmp_path / "a.jsonl", format="openai")
    with pytest.raises(UserError, match="No sample"):
        snapshots.create(tmp_path / "s", connection, "gold", parse("deleted:yes,no"))
    assert not (tmp_path / "s").exists()
    assert list(tmp_path.glob("*a.jsonl*")) == []


def test_an_export_keeps_the_order_of_the_search_and_says_what_it_is(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    fill(1200)
    seen: list[tuple[int, int]] = []
    result = export(
        connection, parse("sort:-id id:>100"), tmp_path / "a.jsonl", format="prompt-completion", progress=lambda *at: seen.append(at)
    )  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["prompt"] for row in rows] == [f"Write function {n}." for n in reversed(range(100, 1200))]
    assert seen[-1] == (1100, 1100)
    manifest = json.loads(result.manifest.read_text())
    assert manifest["query"] == "id:>100 sort:-id"
    assert (manifest["samples"], manifest["format"], manifest["sha256"]) == (1100, "prompt-completion", result.sha256)
    assert manifest["tools"]["sqlite"] == sqlite3.sqlite_version
    assert manifest["bytes"] == (tmp_path / "a.jsonl").stat().st_size


def test_parquet_holds_what_else_is_known_and_other_libraries_read_it(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    import datasets

    ids = fill(3, topic="io", source="gpt-4", tags=("b", "a"))
    edits.review(connection, ids[:1], status="accepted", rating=4)
    export(connection, Query(), tmp_path / "a.parquet", format="parquet")
    rows = list(datasets.Dataset.from_parquet(str(tmp_path / "a.parquet"), cache_dir=str(tmp_path / "cache")))
    assert [(row["status"], row["rating"], row["topic"], row["source"], row["tags"]) for row in rows] == [
        ("accepted", 4, "io", "gpt-4", ["a", "b"]), ("new", None, "io", "gpt-4", ["a", "b"]), ("new", None, "io", "gpt-4", ["a", "b"])
    ]  # fmt: skip
    assert rows[0]["messages"][0] == {"role": "user", "content": "Write function 0."}
    with closing(connect(tmp_path / "other.db")) as other:
        migrate(other)
        import_files(other, [tmp_path / "a.parquet"])
        assert query.count(other, parse("topic:io source:gpt-4 tag:a tag:b")) == 3


@pytest.mark.parametrize("format", WRITTEN)
def test_load_dataset_reads_it_and_what_it_saves_comes_back_the_same(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path, format: str
) -> None:
    import datasets

    fill(6)
    if format in ("openai", "sharegpt", "parquet"):  # elsewhere one column would be of two types
        turns = ("system", "user", "assistant", "user", "assistant")
        with transaction(connection):
            long = NewSample(tuple(Message(role, f"{role} {n} ünïcode\n") for n, role in enumerate(turns)))
            adding.add(connection, [long], author="test")
    out = tmp_path / f"out.{'parquet' if format == 'parquet' else 'jsonl'}"
    exported = export(connection, Query(), out, format=format).exported
    kind, cache = "parquet" if format == "parquet" else "json", str(tmp_path / "cache")
    loaded = datasets.load_dataset(kind, data_files=str(out), split="train", cache_dir=cache)
    assert len(loaded) == exported
    loaded.save_to_disk(tmp_path / "saved")
    with closing(connect(tmp_path / "other.db")) as other:
        migrate(other)
        result = import_files(other, [tmp_path / "saved"])
        assert (result.imported, result.rejected) == (exported, ())
        assert hashes(other) == hashes(connection)


@pytest.mark.parametrize("what", ["openai", "parquet", "snapshot"])
def test_a_full_disk_is_a_sentence_and_leaves_no_half_file(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path, what: str
) -> None:
    """The kernel refuses to let files grow: in a real process of its own."""
    fill(800)
    script = (
        "import sys; from pathlib import Path; from core.database import connect; from core.errors import UserError\n"
        "from core.samples import exporting, snapshots; from core.samples.language import Query\n"
        f"connection = connect(Path({str(tmp_path / 'gosmith.db')!r}), readonly=True); out = Path({str(tmp_path / 'out')!r})\n"
        "try:\n"
        + ("    snapshots.create(out, connection, 'gold', Query())\n" if what == "snapshot" else f"    exporting.export(connection, Query(), out / 'a', format={what!r})\n")
        + "except UserError as error:\n"
        "    print(error.message, error.hint)\n"
    )  # fmt: skip
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)),
    )  # fmt: skip
    assert "cannot be written" in done.stdout
    assert list((tmp_path / "out").iterdir()) == []


def test_an_export_that_fails_leaves_the_old_file_alone(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    fill(3)
    out = tmp_path / "a.jsonl"
    out.write_text("precious")
    with pytest.raises(UserError):
        export(connection, Query(), tmp_path / "no such folder" / "a.jsonl", format="openai")
    with pytest.raises(UserError):
        export(connection, Query(), out, format="csv")
    assert out.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".jsonl") == ["a.jsonl"]


def test_the_split_follows_from_the_texts_not_from_their_ids(tmp_path: Path) -> None:
    made = []
    for name, order in (("one", range(40)), ("two", reversed(range(40)))):
        with closing(connect(tmp_path / f"{name}.db")) as connection:
            migrate(connection)
            with transaction(connection):
                adding.add(connection, [sample(n) for n in order], author="test")
            made.append(snapshots.create(tmp_path / name, connection, "gold", Query(), validation=0.2))
    one, two = made
    rows = [json.loads(line) for line in (one.folder / "train.jsonl").read_text().splitlines()]
    assert (one.train, one.validation) == (32, 8)
    assert len(rows) == 32
    assert set(rows[0]) == {"sample", "version", "hash", "messages"}
    sides = [
        {side: {json.loads(line)["hash"] for line in (s.folder / f"{side}.jsonl").read_text().splitlines()} for side in ("train", "validation")}
        for s in (one, two)
    ]  # fmt: skip
    assert sides[0] == sides[1]


def test_the_manifest_holds_what_identifies_a_snapshot(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    fill(30)
    seen: list[tuple[int, int]] = []
    made = snapshots.create(
        tmp_path / "s", connection, "gold", parse("id:<=20"), validation=0.1, seed=3, progress=lambda *at: seen.append(at)
    )  # fmt: skip
    manifest = json.loads((made.folder / "manifest.json").read_text())
    digests = {
        side: hashlib.sha256((made.folder / side).read_bytes()).hexdigest()
        for side in ("train.jsonl", "validation.jsonl")
    }
    assert manifest["files"] == digests
    assert made.sha256 == manifest["sha256"] == hashlib.sha256("".join(digests.values()).encode()).hexdigest()
    assert (manifest["query"], manifest["seed"], manifest["train"], manifest["validation"]) == ("id:<=20", 3, 18, 2)
    assert seen[-1] == (20, 20)
    assert made == snapshots.show(tmp_path / "s", "gold") == snapshots.list_snapshots(tmp_path / "s")[0]


def test_near_copies_stay_on_one_side(connection: sqlite3.Connection, tmp_path: Path) -> None:
    body = "\n".join(f"\tx{n} := compute(value, {n})\n\tuse(x{n}, other, more)" for n in range(12))
    copies = [
        NewSample(
            (
                Message("user", f"Copy {n}"),
                Message("assistant", f"```go\npackage p\n\nfunc F() {{\n{body}\n\tlog.Print({n})\n}}\n```"),
            )
        )
        for n in range(5)
    ]
    with transaction(connection):
        near = adding.add(connection, copies, author="test").ids
        adding.add(connection, [sample(n) for n in range(20)], author="test")
    for seed in range(6):
        made = snapshots.create(tmp_path / "s", connection, f"seed-{seed}", Query(), validation=0.3, seed=seed)
        uids = {row[0] for row in connection.execute(f"SELECT uid FROM sample WHERE id IN {tuple(near)}")}
        held = {json.loads(line)["sample"] for line in (made.folder / "validation.jsonl").read_text().splitlines()}
        assert not held & uids or uids <= held


def test_a_snapshot_never_changes_and_names_are_plain(
    connection: sqlite3.Connection, fill: Fill, tmp_path: Path
) -> None:
    ids = fill(4)
    first = snapshots.create(tmp_path / "s", connection, "gold", Query(), validation=0)
    edits.delete(connection, ids)
    assert snapshots.show(tmp_path / "s", "gold") == first
    with pytest.raises(UserError, match="already"):
        snapshots.create(tmp_path / "s", connection, "gold", Query())
    for name in ("", "../up", "a/b", ".hidden", "x" * 100):
        with pytest.raises(UserError):
            snapshots.create(tmp_path / "s", connection, name, Query())
    with pytest.raises(UserError, match="No sample"):
        snapshots.create(tmp_path / "s", connection, "none", Query())
    assert [item.name for item in snapshots.list_snapshots(tmp_path / "s")] == ["gold"]
    with pytest.raises(UserError, match="gold"):
        snapshots.show(tmp_path / "s", "golf")


def test_a_draft_is_adopted_whole(connection: sqlite3.Connection, fill: Fill, tmp_path: Path) -> None:
    fill(4)
    draft = snapshots.create(tmp_path / "draft", connection, "gold", Query(), validation=0)
    (tmp_path / "s").mkdir()
    snapshots.adopt(draft.folder, tmp_path / "s" / "gold")
    assert snapshots.show(tmp_path / "s", "gold").sha256 == draft.sha256
    with pytest.raises(UserError, match="already"):
        snapshots.adopt(draft.folder, tmp_path / "s" / "gold")
    assert query.count(connection, Query()) == 4
