"""Samples with a test of their own are found by a search like any other."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from core.errors import UserError
from core.samples import query, store
from core.samples.tested import with_tests
from core.workspace import open_workspace


def test_only_samples_whose_answer_holds_a_test_are_found(tmp_path: Path) -> None:
    with closing(open_workspace(tmp_path / "workspace").connect()) as connection:
        everything = query.ids(connection, query.parse(""))
        expected = [one for one in everything if store.sample(connection, one).test]
        found = with_tests(connection, query.parse(""), 10_000)
        assert [one.id for one in found] == expected
        assert len(with_tests(connection, query.parse(""), 1)) == min(1, len(expected))
        assert with_tests(connection, query.parse("wordsthatnobodywrites"), 10) == ()
        with pytest.raises(UserError):
            query.parse("order:")
