"""Records out of files of every kind, whole or damaged: what can be read is, what cannot is named with its line."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.samples import formats, jsontext, reading
from core.samples.conversation import Message
from core.samples.jsontext import Bad, Found


def read(path: Path) -> tuple[list[tuple[int, Any]], list[tuple[int, str]]]:
    found = list(reading.read(path))
    return [(item.line, item.value) for item in found if isinstance(item, Found)], [(item.line, item.reason) for item in found if isinstance(item, Bad)]  # fmt: skip


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
records = st.lists(st.dictionaries(st.text(max_size=8), values, max_size=4), min_size=1, max_size=8)


@settings(max_examples=120, deadline=None)
@given(
    rows=records,
    indent=st.sampled_from([None, 0, 2]),
    chunk=st.sampled_from([7, 64, 1 << 20]),
    ascii_only=st.booleans(),
)
def test_an_array_is_read_the_same_in_chunks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], indent: int | None, chunk: int, ascii_only: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "array.json"
    path.write_text(json.dumps(rows, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsontext, "_CHUNK", chunk)
        good, bad = read(path)
    assert ([value for _, value in good], bad) == (rows, [])
    if indent == 2:
        lines = path.read_text(encoding="utf-8").split("\n")
        assert all(lines[line - 1].lstrip().startswith("{") for line, _ in good)


@settings(max_examples=80, deadline=None)
@given(
    rows=records,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    ending=st.sampled_from(["\n", "\r\n"]),
    zipped=st.booleans(),
)
def test_lines_are_read_the_same_in_any_unicode_encoding(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], encoding: str, ending: str, zipped: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.jsonl"
    data = "".join(json.dumps(row, ensure_ascii=False) + ending for row in rows).encode(encoding)
    path.write_bytes(gzip.compress(data) if zipped else data)
    good, bad = read(path)
    assert (good, bad) == (list(enumerate(rows, start=1)), [])


def test_blank_lines_are_no_records(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a", '\n \n{"a": 1}\n\n{"a": 2}')) == ([(3, {"a": 1}), (5, {"a": 2})], [])


def test_after_a_damaged_element_an_array_goes_on_at_the_next(tmp_path: Path) -> None:
    text = '[\n  {"a": 1},\n  {"a": },\n  {"a": 3},\n  {"b": 1, "b": 2},\n  {"a": 5}\n]\n'
    good, bad = read(write(tmp_path / "a.json", text))
    assert good == [(2, {"a": 1}), (4, {"a": 3}), (6, {"a": 5})]
    assert [line for line, _ in bad] == [3, 5]
    assert "“b” comes twice" in bad[1][1]


@pytest.mark.parametrize(
    ("text", "good", "line", "words"),
    [
        ('[{"a": 1}, {"a": 2}', 2, 1, "does not end"),
        ('[{"a": 1},\n{"a": "x', 1, 2, "does not end"),
        ('[{"a": 1}]\n[{"a": 2}]', 1, 2, "left out"),
        ('{"a": 1}\n{"a": 1', 1, 2, "does not end"),
        ('{"a": 1}\n{"a": 1}x\n', 1, 2, "not JSON"),
        ('{"a": 1}\n{"a": ' + "9" * 5000 + "}\n", 1, 2, "too many digits"),
        ('{"a": 1}\n' + "[" * 200_000 + "\n", 1, 2, "nested too deeply"),
        ('[{"a": 1},\n' + "[" * 200_000 + "\n]", 1, 2, "nested too deeply"),
        ('{"a": 1}\n{"a": 1, "a": 2}', 1, 2, "“a” comes twice"),
        ('{\n "a": 1,\n "a": 2\n}', 0, 1, "“a” comes twice"),
        ('{\n "a": 1,\n', 0, 1, "does not end"),
    ],
)
def test_what_is_damaged_is_named_with_line_and_reason(
    tmp_path: Path, text: str, good: int, line: int, words: str
) -> None:
    found, bad = read(write(tmp_path / "a", text))
    assert len(found) == good
    assert [number for number, _ in bad] == [line]
    assert words in bad[0][1]


def test_bytes_that_are_no_utf8_are_named_in_lines_and_in_arrays(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "a", b'{"a": 1}\n{"a": "\xe9"}\n{"a": 3}\n'))
    assert (good, [line for line, _ in bad]) == ([(1, {"a": 1}), (3, {"a": 3})], [2])
    good, bad = read(write(tmp_path / "b", b'[{"a": 1},\n{"a": "\xe9"},\n{"a": 3}]'))
    assert (good, [line for line, _ in bad]) == ([(1, {"a": 1}), (3, {"a": 3})], [2])
    assert "UTF-8" in bad[0][1]


def test_a_gzip_that_is_cut_off_gives_what_came_before(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"n": n, "text": f"{n * 7919 % 10007}" * 9}) + "\n" for n in range(3000))
    data = gzip.compress(lines.encode())
    good, bad = read(write(tmp_path / "a.gz", data[: len(data) // 2]))
    assert 0 < len(good) < 3000
    assert [value["n"] for _, value in good] == list(range(len(good)))
    assert "cut off" in bad[-1][1]


def test_one_object_over_many_lines_is_a_record_or_holds_them(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.json", '{\n  "a": 1\n}\n'))[0] == [(1, {"a": 1})]
    held = read(write(tmp_path / "b.json", json.dumps({"data": [{"a": 1}, {"a": 2}]}, indent=1)))[0]
    assert [value for _, value in held] == [{"a": 1}, {"a": 2}]


def test_a_huge_element_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.write(b'[{"a": "')
        for _ in range(100):
            file.write(b"x" * 2**20)
        file.write(b'"},\n{"a": 2}]')
    tracemalloc.start()
    good, bad = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [value for _, value in good] == [{"a": 2}]
    assert len(bad) == 1
    assert peak < 100 << 20


def test_arrow_files_streams_and_saved_data_sets(tmp_path: Path) -> None:
    import datasets
    import pyarrow as pa

    rows = [{"prompt": f"p{n}", "completion": None if n else "c"} for n in range(3)]
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_file(tmp_path / "file.arrow", table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(tmp_path / "stream.arrow", table.schema) as writer:
        writer.write_table(table)
    features = datasets.Features({"prompt": datasets.Value("string"), "completion": datasets.Value("string")})
    saved = datasets.Dataset.from_list(rows, features=features)
    saved.save_to_disk(tmp_path / "saved")
    datasets.DatasetDict({"train": saved, "test": saved}).save_to_disk(tmp_path / "both")
    for name, times in (("file.arrow", 1), ("stream.arrow", 1), ("saved", 1), ("both", 2)):
        assert [value for _, value in read(tmp_path / name)[0]] == rows * times


@pytest.mark.parametrize("name", ["cut.parquet", "cut.arrow", "broken"])
def test_a_damaged_binary_file_is_a_sentence(tmp_path: Path, name: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([{"prompt": "x" * 1000}] * 50)
    if name == "broken":
        (tmp_path / name).mkdir()
        (tmp_path / name / "dataset_info.json").write_text("{}")
    elif name == "cut.parquet":
        pq.write_table(table, tmp_path / name)
    else:
        with pa.ipc.new_file(tmp_path / name, table.schema) as writer:
            writer.write_table(table)
    if name != "broken":
        write(tmp_path / name, (tmp_path / name).read_bytes()[:-50])
    with pytest.raises(UserError) as caught:
        read(tmp_path / name)
    assert str(tmp_path / name) in caught.value.message


turns = st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=2, max_size=6).filter(
    lambda t: len(t) % 2 == 0
)


@settings(max_examples=150, deadline=None)
@given(
    turns=turns,
    system=st.none() | st.text(min_size=1, max_size=9).filter(str.strip),
    shape=st.sampled_from([shape for shape in formats.SHAPES if shape in formats.WRITTEN]),
)
def test_a_conversation_survives_every_shape(turns: list[str], system: str | None, shape: str) -> None:
    messages = tuple(Message(("user", "assistant")[n % 2], text) for n, text in enumerate(turns))
    if system is not None:
        messages = (Message("system", system), *messages)
    record = json.loads(json.dumps(formats.write(messages, shape)))
    assert formats.shape_of(record) == shape
    assert formats.parse(record, shape).messages == messages


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["messages", "conversations", "instruction", "input", "output", "prompt", "completion", "chosen", "rejected", "label", "history", "system", "tags", "topic"]), values | st.lists(st.dictionaries(st.sampled_from(["role", "from", "content", "value"]), values))), st.sampled_from(formats.SHAPES))  # fmt: skip
def test_any_record_is_a_sample_or_refused_with_a_reason(record: dict[str, Any], shape: str) -> None:
    formats.shape_of(record)
    try:
        parsed = formats.parse(record, shape)
    except formats.NotASampleError as error:
        reason = str(error)
    else:
        reason = "a sample"
        assert parsed.messages[-1].role == "assistant"
    assert reason


@pytest.mark.parametrize(
    ("record", "shape", "words"),
    [
        ({"messages": [{"role": "user", "content": "a"}]}, "openai", "last message"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]}, "openai", "alternate"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": " "}]}, "openai", "empty"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": None}]}, "openai", "no “content”"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "\ud800"}]}, "openai", "half of a character"),
        ({"conversations": [{"from": "human", "value": "a"}, {"from": "observation", "value": "b"}]}, "sharegpt", "observation"),
        ({"instruction": "a"}, "alpaca", "“output” is missing"),
        ({"prompt": "a", "completion": 3}, "prompt-completion", "“completion” is not text"),
        ({}, "openai", "“messages” is missing"),
    ],
)  # fmt: skip
def test_reasons_say_what_is_wrong(record: dict[str, Any], shape: str, words: str) -> None:
    with pytest.raises(formats.NotASampleError, match=words):
        formats.parse(record, shape)
