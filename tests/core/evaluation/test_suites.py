"""Suites are read in the shapes of their authors; what is no problem is named with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.evaluation import suites
from core.evaluation.suites import BadRow
from tests.core.evaluation import problems


@pytest.mark.parametrize(
    ("make", "name", "entry"),
    [
        (problems.humaneval_x, "humaneval-x", "AnyCloseReadings1"), (problems.multipl_e, "multipl-e", "any_close_readings"),
        (problems.humaneval, "humaneval", "any_close_readings"), (problems.humanevalpack, "humanevalpack", "AnyCloseReadings1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("file", ["suite.jsonl", "suite.jsonl.gz"])
def test_each_shape_is_known(
    tmp_path: Path, make: Callable[..., dict[str, Any]], name: str, entry: str, file: str
) -> None:
    suite = suites.read(problems.write(tmp_path / file, [make(n) for n in range(3)]))
    assert (suite.format, len(suite.problems), suite.bad) == (name, 3, ())
    assert suite.problems[1].entry_point == entry
    assert problems.PROSE in suite.problems[0].prompt
    assert suite.sha256 == suites.read(problems.write(tmp_path / "again.jsonl", [make(n) for n in range(3)])).sha256


def test_the_function_asked_for_is_the_one_that_the_prompt_leaves_open(tmp_path: Path) -> None:
    declaration = "func helper(n int) int {\n    return n\n}\n\nfunc Asked(n int) int {\n"
    rows = [
        problems.humanevalpack(0, declaration=declaration, entry_point="asked_in_python"),
        problems.humanevalpack(1, declaration=declaration, entry_point="helper"),
    ]
    suite = suites.read(problems.write(tmp_path / "s.jsonl", rows))
    assert [one.entry_point for one in suite.problems] == ["Asked", "helper"]


def test_bad_rows_are_named_and_good_ones_are_kept(tmp_path: Path) -> None:
    rows = [
        problems.humaneval_x(0), "{", "[]", problems.humaneval_x(0), problems.humaneval_x(1, prompt=" "),
        {"messages": []}, problems.multipl_e(1), "", problems.humaneval_x(2), json.dumps(problems.humaneval_x(3)).replace("Report", "\\ud800"),
    ]  # fmt: skip
    suite = suites.read(problems.write(tmp_path / "s.jsonl", rows))
    assert [problem.task for problem in suite.problems] == ["Go/0", "Go/2"]
    assert suite.bad == (
        BadRow(2, "this is not JSON"),
        BadRow(3, "the row is no JSON object"),
        BadRow(4, "the task “Go/0” comes twice"),
        BadRow(5, "task or prompt is empty"),
        BadRow(6, "the row is no problem of a known suite"),
        BadRow(7, "this row is of multipl-e, the rows before are of humaneval-x"),
        BadRow(10, "a text holds half of a character (a lone surrogate)"),
    )


@pytest.mark.parametrize("content", [b"", b"\n\n", b"{}\n", b"\x1f\x8b\x08rubbish", b"\xff\xfe\n", b"[" * 100_000])
def test_a_file_without_problems_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"holds no problem|cannot be read"):
        suites.read(path)
    with pytest.raises(UserError, match="cannot be read"):
        suites.read(tmp_path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["task_id", "name", "prompt", "tests", "stop_tokens", "declaration", "canonical_solution", "test_setup", "entry_point", "buggy_solution", "test"]),
            st.one_of(st.none(), st.integers(), st.text(max_size=9), st.lists(st.text(max_size=3), max_size=2)),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_any_rows_are_problems_or_are_named(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    good = problems.humaneval_x(77)
    suite = suites.read(problems.write(tmp_path / "s.jsonl", [good, *rows]))
    assert len(suite.problems) + len(suite.bad) == 1 + len(rows)
