"""Import: good rows in, bad rows named with file, line and reason, whatever the file is like."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.samples import edits, query, store
from core.samples.importing import detect, import_files, preview
from core.samples.language import Query

CODE = "```go\npackage p\n\nfunc F() {}\n```"


def chat(prompt: str, answer: str = CODE) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]}


ROWS: dict[str, Callable[[str], dict[str, Any]]] = {
    "openai": chat,
    "alpaca": lambda prompt: {"instruction": prompt, "input": "", "output": CODE},
    "sharegpt": lambda prompt: {"conversations": [{"from": "human", "value": prompt}, {"from": "gpt", "value": CODE}]},
    "prompt-completion": lambda prompt: {"prompt": prompt, "completion": CODE},
}


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def count(connection: sqlite3.Connection) -> int:
    return query.count(connection, Query())


@pytest.mark.parametrize("shape", sorted(ROWS))
def test_each_format_is_detected_and_read(connection: sqlite3.Connection, tmp_path: Path, shape: str) -> None:
    path = lines(tmp_path / "a.jsonl", [ROWS[shape](f"Prompt {n}") for n in range(3)])
    assert detect(path) == shape
    assert preview([path]).samples[0].prompt == "Prompt 0"
    assert count(connection) == 0
    result = import_files(connection, [path], source="gpt-4")
    assert (result.imported, result.duplicates, result.rejected) == (3, 0, ())
    found = store.sample(connection, query.ids(connection, Query())[0])
    assert (found.prompt, found.source) == ("Prompt 0", "gpt-4")
    assert found.code == "package p\n\nfunc F() {}\n"


def test_parquet_with_null_columns(connection: sqlite3.Connection, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {"prompt": ["a", None, "c"], "completion": [CODE, CODE, None], "nothing": pa.nulls(3)},
    )
    pq.write_table(table, tmp_path / "a.parquet")
    result = import_files(connection, [tmp_path / "a.parquet"], format="prompt-completion")
    assert result.imported == 1
    assert [row.line for row in result.rejected] == [2, 3]
    assert all("missing" in row.reason for row in result.rejected)


def test_a_json_array_and_a_gzipped_file(connection: sqlite3.Connection, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([chat("one"), chat("two")], indent=2))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps(chat("three")).encode()))
    assert import_files(connection, [tmp_path / "a.json", tmp_path / "b.jsonl.gz"]).imported == 3


def test_bad_rows_are_named_and_do_not_stop_the_good_ones(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    good = [json.dumps(chat(f"good {n}")) for n in range(40)]
    bad = [
        '{"messages": [',
        '{"messages": []}',
        json.dumps({"messages": [{"role": "user", "content": "no answer"}]}),
        json.dumps({"messages": [{"role": "robot", "content": "x"}, {"role": "assistant", "content": "y"}]}),
        "42",
    ]
    path.write_text("\n".join([*good[:20], *bad, *good[20:]]) + "\n", encoding="utf-8")
    result = import_files(connection, [path], format="openai")
    assert result.imported == 40
    assert [row.line for row in result.rejected] == [21, 22, 23, 24, 25]
    assert all(row.reason and row.file == path for row in result.rejected)


def test_a_truncated_last_line_loses_only_itself(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text(json.dumps(chat("whole")) + "\n" + json.dumps(chat("cut"))[:-20], encoding="utf-8")
    result = import_files(connection, [path])
    assert result.imported == 1
    assert [row.line for row in result.rejected] == [2]


def test_a_byte_order_mark_is_no_part_of_the_data(connection: sqlite3.Connection, tmp_path: Path) -> None:
    (tmp_path / "bom.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps(chat("x")).encode() + b"\n")
    assert import_files(connection, [tmp_path / "bom.jsonl"]).imported == 1


def test_another_encoding_is_named_with_its_line(connection: sqlite3.Connection, tmp_path: Path) -> None:
    latin = json.dumps(chat("naïve"), ensure_ascii=False).encode("latin-1")
    (tmp_path / "latin.jsonl").write_bytes(json.dumps(chat("plain")).encode() + b"\n" + latin + b"\n")
    result = import_files(connection, [tmp_path / "latin.jsonl"])
    assert result.imported == 1
    assert [row.line for row in result.rejected] == [2]
    assert "UTF-8" in result.rejected[0].reason


def test_a_line_of_a_hundred_megabytes_is_refused_without_being_held(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(json.dumps(chat("before")).encode() + b"\n")
        for _ in range(100):
            file.write(b"x" * 2**20)
        file.write(b"\n" + json.dumps(chat("after")).encode() + b"\n")
    result = import_files(connection, [path])
    assert result.imported == 2
    assert [row.line for row in result.rejected] == [2]


def test_a_key_that_stands_twice_is_refused(connection: sqlite3.Connection, tmp_path: Path) -> None:
    twice = '{"prompt": "a", "prompt": "b", "completion": "c"}'
    (tmp_path / "twice.jsonl").write_text(json.dumps(ROWS["prompt-completion"]("x")) + "\n" + twice + "\n")
    result = import_files(connection, [tmp_path / "twice.jsonl"])
    assert (result.imported, len(result.rejected)) == (1, 1)
    assert "prompt" in result.rejected[0].reason


@pytest.mark.parametrize("kind", ["missing", "empty", "folder", "text"])
def test_what_is_no_file_of_samples_is_a_sentence(connection: sqlite3.Connection, tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("just some words\nand more\n")
    with pytest.raises(UserError) as caught:
        import_files(connection, [path])
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert count(connection) == 0


def test_a_copy_of_what_is_there_stays_out(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", [chat("one"), chat("two"), chat("one")])
    assert (import_files(connection, [path]).imported, import_files(connection, [path]).imported) == (2, 0)
    assert count(connection) == 2


def test_an_import_is_one_operation_that_can_be_undone_and_done_again(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    path = lines(tmp_path / "many.jsonl", [chat(f"prompt {n}") for n in range(2500)])
    result = import_files(connection, [path])
    assert result.operation is not None
    assert (result.imported, result.operation.changed) == (2500, 2500)
    edits.undo(connection)
    assert count(connection) == 0
    edits.redo(connection)
    assert count(connection) == 2500


def test_a_full_disk_is_a_sentence_and_what_was_counted_before_stays(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    rows = [chat(f"prompt {n} " + "x" * 2000) for n in range(3000)]
    path = lines(tmp_path / "many.jsonl", rows)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1500}")
    with pytest.raises(UserError) as caught:
        import_files(connection, [path])
    assert "full" in str(caught.value).lower() or "space" in str(caught.value).lower()
    kept = count(connection)
    assert kept % 1000 == 0
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.execute("PRAGMA max_page_count = 1000000")
    assert import_files(connection, [path]).imported == 3000 - kept
