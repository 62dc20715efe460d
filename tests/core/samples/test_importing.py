"""Import: good rows in, bad rows named with file, line and reason, whatever the file is like."""

from __future__ import annotations

import gzip
import json
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.database import connect
from core.errors import UserError
from core.samples import edits, query, store
from core.samples.importing import detect, import_files, import_in_steps, preview
from core.samples.language import Query
from core.steps import run
from tests.core.rights import no_privileges

CODE = "```go\npackage p\n\nfunc F() {}\n```"


def chat(prompt: str, answer: str = CODE) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]}


ROWS: dict[str, Callable[[str], dict[str, Any]]] = {
    "openai": chat,
    "alpaca": lambda prompt: {"instruction": prompt, "input": "", "output": CODE},
    "sharegpt": lambda prompt: {"conversations": [{"from": "human", "value": prompt}, {"from": "gpt", "value": CODE}]},
    "prompt-completion": lambda prompt: {"prompt": prompt, "completion": CODE},
    "preference": lambda prompt: {"prompt": prompt, "chosen": CODE, "rejected": "I cannot."},
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


def test_a_file_that_may_not_be_read_is_a_sentence(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = lines(tmp_path / "secret.jsonl", [chat("x")])
    path.chmod(0)
    with no_privileges(), pytest.raises(UserError, match="permission") as caught:
        import_files(connection, [path])
    assert str(path) in caught.value.message
    assert count(connection) == 0


def test_rows_of_several_shapes_in_one_file_all_go_in(connection: sqlite3.Connection, tmp_path: Path) -> None:
    rows = [ROWS[shape](f"{shape} {n}") for n in range(3) for shape in sorted(ROWS)]
    path = lines(
        tmp_path / "mixed.jsonl", [*rows, {"foo": 1}, {"messages": []}, *[chat(f"more {n}") for n in range(3)]]
    )
    assert detect(path) == "openai"
    result = import_files(connection, [path])
    assert result.imported == len(rows) + 3
    assert [(row.line, row.reason) for row in result.rejected] == [
        (len(rows) + 1, "“messages” is missing"),
        (len(rows) + 2, "there are no messages"),
    ]


def test_a_named_format_is_held_to(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", [chat("one"), ROWS["alpaca"]("two")])
    result = import_files(connection, [path], format="alpaca")
    assert (result.imported, [row.line for row in result.rejected]) == (1, [1])
    with pytest.raises(UserError, match="csv"):
        import_files(connection, [path], format="csv")


def test_among_several_files_those_that_cannot_be_read_are_named_and_the_rest_goes_in(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    good = lines(tmp_path / "good.jsonl", [chat("one")])
    (tmp_path / "empty.jsonl").touch()
    paths = [tmp_path / "empty.jsonl", good, tmp_path / "missing.jsonl", tmp_path]
    shown = preview(paths)
    result = import_files(connection, paths)
    assert (result.imported, result.operation and result.operation.label) == (1, "Import 4 files")
    assert [(row.file, row.line) for row in result.rejected] == [(path, 0) for path in paths if path != good]
    assert "empty" in result.rejected[0].reason
    assert (len(shown.samples), shown.rejected) == (1, result.rejected)


def test_topic_source_and_tags_of_a_row_are_kept(connection: sqlite3.Connection, tmp_path: Path) -> None:
    rows = [{**chat("one"), "topic": "errors", "source": "gpt-4", "tags": ["a", " b  c ", "a"]}, chat("two")]
    import_files(connection, [lines(tmp_path / "a.jsonl", rows)], tags=["new"])
    one, two = (store.sample(connection, key) for key in query.ids(connection, Query()))
    assert (one.topic, one.source, one.tags) == ("errors", "gpt-4", ("a", "b c", "new"))
    assert (two.topic, two.source, two.tags) == ("", "imported", ("new",))


def test_a_sample_that_was_edited_is_not_imported_again_but_a_deleted_one_is(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    path = lines(tmp_path / "a.jsonl", [chat("one"), chat("two")])
    import_files(connection, [path])
    one, two = query.ids(connection, Query())
    edits.edit(connection, one, "```go\npackage better\n```", base_version=store.sample(connection, one).version)
    edits.delete(connection, [two])
    result = import_files(connection, [path])
    assert (result.imported, result.duplicates) == (1, 1)


def test_a_cancelled_import_keeps_what_went_in_as_one_operation(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = lines(tmp_path / "many.jsonl", [chat(f"prompt {n}") for n in range(2500)])
    seen: list[tuple[int, int]] = []
    result = import_files(
        connection,
        [path],
        progress=lambda done, total: seen.append((done, total)),
        cancel=lambda: count(connection) >= 1500,
    )
    assert result.imported == count(connection) == 1500
    assert all(0 <= done <= total == path.stat().st_size for done, total in seen)
    edits.undo(connection)
    assert count(connection) == 0


def test_undo_while_an_import_runs_takes_all_of_it_back(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = lines(tmp_path / "many.jsonl", [chat(f"prompt {n}") for n in range(3500)])

    def undo_in_the_middle() -> bool:
        if count(connection) == 1500:
            edits.undo(connection)
        return False

    assert import_files(connection, [path], cancel=undo_in_the_middle).imported == 1500
    assert count(connection) == 0
    assert edits.undo(connection) is None


def test_reviewing_goes_on_while_an_import_runs(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = lines(tmp_path / "many.jsonl", [chat(f"prompt {n}") for n in range(2500)])
    with closing(connect(tmp_path / "gosmith.db")) as window:

        def review() -> bool:
            if count(window):
                edits.review(window, [1], rating=1 + count(window) % 5)
            return False

        import_files(connection, [path], cancel=review)
    assert (count(connection), store.sample(connection, 1).rating) == (2500, 1)
    labels = []
    while (undone := edits.undo(connection)) is not None:
        labels.append(undone.label)
    assert labels == ["Rate 1: sample 1", "Import many.jsonl"]
    assert count(connection) == 0


def test_of_a_preference_the_chosen_answer_becomes_the_sample(connection: sqlite3.Connection, tmp_path: Path) -> None:
    whole, question, answer = chat("a")["messages"], [{"role": "user", "content": "b"}], chat("b")["messages"][1:]
    rows = [
        {"chosen": whole, "rejected": [*whole[:1], {"role": "assistant", "content": "no"}]},
        {"prompt": question, "chosen": answer, "rejected": [{"role": "assistant", "content": "no"}]},
        {"chosen": "text alone", "rejected": "other text"},
    ]
    result = import_files(connection, [lines(tmp_path / "a.jsonl", rows)])
    assert result.imported == 2
    assert [store.sample(connection, key).messages[0].content for key in (1, 2)] == ["a", "b"]
    assert [store.sample(connection, key).response for key in (1, 2)] == [CODE, CODE]
    assert [(one.line, one.reason) for one in result.rejected] == [
        (3, "“chosen” is text, and there is no “prompt” beside it")
    ]


def test_labels_of_unpaired_preferences_become_tags(connection: sqlite3.Connection, tmp_path: Path) -> None:
    rows = [{"prompt": f"q {n}", "completion": CODE, "label": n == 0, "tags": ["x"]} for n in range(2)]
    assert import_files(connection, [lines(tmp_path / "a.jsonl", rows)]).imported == 2
    assert store.sample(connection, 1).tags == ("labelled-good", "x")
    assert store.sample(connection, 2).tags == ("labelled-bad", "x")


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ({"text": "package p"}, "continued pre-training"),
        ({"content": "package p", "lang": "Go"}, "mine"),
        ({"custom_id": "1", "method": "POST", "url": "/v1/x", "body": {}}, "without answers"),
        ({"id": "b", "custom_id": "1", "response": {"status_code": 200}, "error": None}, "join the two by custom_id"),
    ],
)
def test_what_cannot_be_samples_says_what_it_is(tmp_path: Path, row: dict[str, Any], hint: str) -> None:
    with pytest.raises(UserError, match="in no format") as caught:
        detect(lines(tmp_path / "a.jsonl", [row]))
    assert hint in caught.value.hint


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


def test_between_two_batches_others_may_write(connection: sqlite3.Connection, tmp_path: Path) -> None:
    steps = import_in_steps(connection, [lines(tmp_path / "many.jsonl", [chat(f"prompt {n}") for n in range(2000)])])
    next(steps)
    edits.review(connection, [1], status="accepted")
    assert run(steps).imported == 2000
    assert count(connection) == 2000
    assert store.sample(connection, 1).status == "accepted"
    edits.undo(connection)
    assert store.sample(connection, 1).status == "new"
    assert count(connection) == 2000
    edits.undo(connection)
    assert count(connection) == 0


def test_a_full_disk_is_a_sentence_and_what_was_counted_before_stays(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    rows = [chat(f"prompt {n} " + "x" * 2000) for n in range(3000)]
    path = lines(tmp_path / "many.jsonl", rows)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 375}")
    with pytest.raises(UserError) as caught:
        import_files(connection, [path])
    assert "full" in str(caught.value).lower() or "space" in str(caught.value).lower()
    kept = count(connection)
    assert kept in (500, 1500)
    assert f"{kept:,} samples are in" in caught.value.message
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.execute("PRAGMA max_page_count = 1000000")
    assert import_files(connection, [path]).imported == 3000 - kept


def test_a_file_that_may_not_grow_is_a_sentence_and_the_workspace_stays_whole(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """The kernel refuses the write, as it does on a full disk or over a quota: in a real process of its own."""
    path = lines(tmp_path / "many.jsonl", [chat(f"prompt {n} " + "x" * 3000) for n in range(3000)])
    script = (
        "import sys; from pathlib import Path; from core.database import connect; from core.errors import UserError\n"
        "from core.samples.importing import import_files\n"
        f"connection = connect(Path({str(tmp_path / 'gosmith.db')!r}))\n"
        "try:\n"
        f"    import_files(connection, [Path({str(path)!r})])\n"
        "except UserError as error:\n"
        "    print(error.message, error.hint)\n"
    )
    limit = 6 << 20
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert "disk" in done.stdout
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    kept = count(connection)
    assert import_files(connection, [path]).imported == 3000 - kept
