"""A second run on the same rows tokenizes nothing, and gets the very same documents; a cache that is not what it was is no cache."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.engine import documents, token_cache
from core.engine.documents import Document, Refusal
from core.training.sections import DataSection
from tests.core.engine.conftest import conversation, write_snapshot


def section(**changes: Any) -> DataSection:
    return DataSection.model_validate({"snapshot": "s", "max_length": 256, **changes})


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Three good rows, one that is refused, one of two turns."""
    made: list[dict[str, Any]] = [{"sample": f"s{i}", "messages": conversation(i)} for i in range(3)]
    made.insert(1, {"sample": "empty", "messages": []})
    made.append({"sample": "two", "messages": conversation(7) + conversation(8)})
    return write_snapshot(tmp_path / "snapshot", made, []) / "train.jsonl"


def same(one: list[Document | Refusal], two: list[Document | Refusal]) -> bool:
    def plain(item: Document | Refusal) -> object:
        if isinstance(item, Refusal):
            return item
        return item.sample, item.line, item.ids.tolist(), item.trained.tolist(), item.cut

    return [plain(item) for item in one] == [plain(item) for item in two]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been tokenized, row by row."""
    heard: list[str] = []
    plain = documents.encode

    def listen(items: Any, *others: Any) -> Any:
        for item in plain(items, *others):
            heard.append(item.sample)
            yield item

    monkeypatch.setattr(documents, "encode", listen)
    return heard


def caches(rows: Path) -> list[Path]:
    return sorted((rows.parent / "tokens").glob("*.safetensors"))


def test_the_second_time_nothing_is_tokenized(rows: Path, base: Path, tokenizer: Any, encoded: list[str]) -> None:
    first = token_cache.load(rows, base, tokenizer, section())
    assert len(encoded) == 5
    assert same(token_cache.load(rows, base, tokenizer, section()), first)
    assert len(encoded) == 5
    assert [item.sample for item in first] == ["s0", "empty", "s1", "s2", "two"], "refused rows keep their place"


def test_another_length_is_cut_from_the_same_cache(rows: Path, base: Path, tokenizer: Any, encoded: list[str]) -> None:
    token_cache.load(rows, base, tokenizer, section())
    short = token_cache.load(rows, base, tokenizer, section(max_length=64))
    assert len(encoded) == 5
    two = short[-1]
    assert isinstance(two, Document)
    assert (len(two.ids), two.cut > 0) == (64, True)


@pytest.mark.parametrize("change", ["rows", "turns", "objective", "tokenizer", "template"])
def test_what_changes_the_tokens_is_another_cache(
    rows: Path, base: Path, tokenizer: Any, encoded: list[str], change: str, tmp_path: Path
) -> None:
    token_cache.load(rows, base, tokenizer, section())
    wanted, folder = section(), base
    template = tokenizer.chat_template
    if change == "rows":
        with rows.open("a") as file:
            file.write("\n")
    elif change in ("turns", "objective"):
        wanted = section(**{change: {"turns": "last", "objective": "text"}[change]})
    elif change == "tokenizer":
        folder = shutil.copytree(base, tmp_path / "copy")
        (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text() + " ")
    else:
        tokenizer.chat_template = template.replace("<|user|>", "<|user|>") + " "
    try:
        token_cache.load(rows, folder, tokenizer, wanted)
    finally:
        tokenizer.chat_template = template
    assert len(encoded) >= 10


@pytest.mark.parametrize("harm", ["a byte", "half of it", "all of it"])
def test_a_damaged_cache_is_made_again(rows: Path, base: Path, tokenizer: Any, encoded: list[str], harm: str) -> None:
    first = token_cache.load(rows, base, tokenizer, section())
    (cache,) = caches(rows)
    content = bytearray(cache.read_bytes())
    if harm == "a byte":
        content[-3] ^= 1
    cache.write_bytes(
        bytes(content if harm == "a byte" else content[: len(content) // 2] if harm == "half of it" else b"")
    )
    assert same(token_cache.load(rows, base, tokenizer, section()), first)
    assert len(encoded) == 10
    assert same(token_cache.load(rows, base, tokenizer, section()), first)
    assert len(encoded) == 10, "and is whole again"


def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(
    rows: Path, base: Path, tokenizer: Any, encoded: list[str]
) -> None:
    (rows.parent / "tokens").write_text("in the way")
    assert len(token_cache.load(rows, base, tokenizer, section())) == 5
    assert len(token_cache.load(rows, base, tokenizer, section())) == 5
    assert len(encoded) == 10


def test_no_more_caches_are_kept_than_a_few(rows: Path, base: Path, tokenizer: Any) -> None:
    for number in range(12):
        with rows.open("a") as file:
            file.write("\n" * number)
        token_cache.load(rows, base, tokenizer, section())
    assert len(caches(rows)) == 2 * token_cache.KEPT


def test_lengths_and_marks_survive_where_a_byte_holds_eight_of_them(rows: Path, base: Path, tokenizer: Any) -> None:
    first = [item for item in token_cache.load(rows, base, tokenizer, section()) if isinstance(item, Document)]
    again = [item for item in token_cache.load(rows, base, tokenizer, section()) if isinstance(item, Document)]
    assert sum(len(item.ids) for item in first) % 8, "the last byte is not full"
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one.trained, two.trained)
        assert one.targets == two.targets
