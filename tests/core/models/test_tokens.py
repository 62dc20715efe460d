"""Counting tokens: as the tokenizer in the folder says, that of the base for an adapter, a sentence where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.models.tokens import counter
from core.paths import resources
from tests.core.models import folders


def test_the_starter_counts_its_own_tokens() -> None:
    count = counter(resources() / "starter")
    short, long = count(["x", "func main() { fmt.Println(1) }"])
    assert short == 1
    assert 5 < long < 30
    assert list(count([])) == []


def test_an_adapter_counts_as_its_base(tmp_path: Path) -> None:
    adapter = folders.adapter(tmp_path / "adapter", resources() / "starter")
    assert list(counter(adapter)(["package main"])) == list(counter(resources() / "starter")(["package main"]))


def test_a_folder_without_a_tokenizer_or_with_a_broken_one_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no tokenizer\.json"):
        counter(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="cannot be read as a tokenizer"):
        counter(tmp_path)
