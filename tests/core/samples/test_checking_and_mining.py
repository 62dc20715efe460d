"""Verdicts from a real check job, taken in exactly once; samples mined from a Go tree."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from core.database import transaction
from core.errors import UserError
from core.jobs import JobFolder, info
from core.jobs.control import wait_for_end
from core.samples import adding, checking, edits, mining, query, store
from core.samples.conversation import Message, NewSample
from core.samples.language import Query, parse

GOOD = "package p\n\n// F adds.\nfunc F(a, b int) int {\n\treturn a + b\n}\n"
BROKEN = "package p\n\nfunc F() int {\n\treturn undefined\n}\n"
TREE = {
    "list/list.go": "// Package list is small.\npackage list\n\nimport \"sort\"\n\n// Sorted returns a sorted copy of the values it is given.\nfunc Sorted(values []int) []int {\n\tout := append([]int(nil), values...)\n\tsort.Ints(out)\n\treturn out\n}\n\nfunc hidden() {}\n",
    "list/list_test.go": "package list\n\n// TestNothing is not mined, because it is a test.\nfunc TestNothing() {\n\t_ = 1\n\t_ = 2\n}\n",
    "bad/bad.go": "package bad\n\nfunc (\n",
}  # fmt: skip


def add_code(connection: sqlite3.Connection, *codes: str) -> tuple[int, ...]:
    new = [
        NewSample((Message("user", f"Prompt {n}"), Message("assistant", f"```go\n{code}```")))
        for n, code in enumerate(codes)
    ]
    with transaction(connection):
        return adding.add(connection, new, author="test").ids


@pytest.mark.slow
def test_verdicts_come_in_exactly_once_and_belong_to_the_text_that_was_checked(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    good, broken = add_code(connection, GOOD, BROKEN)
    folder = checking.start_check(tmp_path / "jobs", connection, Query(), "types")
    assert wait_for_end(folder, 240).state == "done"
    changes = checking.take_in(connection, folder)
    assert changes.verdict
    assert set(changes.ids or ()) == {good, broken}
    assert not checking.take_in(connection, folder)
    assert store.sample(connection, good).verdict.types == "pass"
    found = store.sample(connection, broken)
    assert (found.verdict.parse, found.verdict.types) == ("pass", "fail")
    assert [(d.check, d.line) for d in found.diagnostics] == [("types", 4)]
    assert list(query.ids(connection, parse("verdict:fail check:types"))) == [broken]
    summary = checking.summary(folder)
    assert (summary.checked, summary.passed, summary.failed) == (2, 1, 1)
    # a new text has no verdict; the old one comes back with undo
    edits.edit(connection, broken, f"```go\n{GOOD}```\n\nMended.", base_version=found.version)
    assert store.sample(connection, broken).verdict.types is None
    edits.undo(connection)
    assert store.sample(connection, broken).verdict.types == "fail"


def test_with_nothing_to_check_no_job_is_left_behind(connection: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to check"):
        checking.start_check(tmp_path / "jobs", connection, Query())
    assert list((tmp_path / "jobs").iterdir()) == []


def texts_of(folder: JobFolder) -> list[int]:
    return [json.loads(line)["version"] for line in (folder.path / checking.INPUT).read_text().splitlines()]


@pytest.mark.slow
def test_nothing_is_asked_twice_unless_one_insists(connection: sqlite3.Connection, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"

    def run(query: Query, level: str, *, again: bool = False) -> tuple[checking.Summary, list[int]]:
        folder = checking.start_check(jobs, connection, query, level, again=again)
        asked = [v for v in texts_of(folder) if v not in already(folder)]
        assert wait_for_end(folder, 240).state == "done"
        checking.take_in(connection, folder)
        return checking.summary(folder), asked

    def already(folder: JobFolder) -> set[int]:
        lines = (
            [json.loads(line) for line in (folder.path / checking.SHARED).read_text().splitlines()]
            if (folder.path / checking.SHARED).exists()
            else []
        )
        return {line["version"] for line in lines}

    careless = 'package p\n\nimport "os"\n\nfunc F() {\n\tos.Remove("x")\n\tx := y\n}\n'
    good, twin, bad = add_code(connection, GOOD, GOOD, careless)
    versions = {key: store.sample(connection, key).version for key in (good, twin, bad)}
    summary, asked = run(Query(), "types")
    assert asked == [versions[good], versions[bad]]  # the twin shares
    assert (summary.checked, summary.cached, summary.passed, summary.failed) == (3, 1, 2, 1)
    assert store.sample(connection, twin).verdict == store.sample(connection, good).verdict
    summary, asked = run(Query(), "types")
    assert asked == []
    assert (summary.checked, summary.cached, summary.passed, summary.failed) == (3, 3, 2, 1)
    assert summary.by_check["types"] == {"pass": 2, "fail": 1}
    # an equal text that comes later takes everything over, policy and diagnostics too
    [late] = add_code(connection, "package other\n", careless)[1:]
    summary, asked = run(parse(f"id:{late}"), "types")
    assert (asked, summary.checked, summary.cached, summary.failed) == ([], 1, 1, 1)
    first, copy = store.sample(connection, bad), store.sample(connection, late)
    assert (copy.verdict, copy.diagnostics, copy.policy) == (first.verdict, first.diagnostics, first.policy)
    assert copy.diagnostics
    assert copy.policy
    # a higher level and another toolchain are other questions
    summary, asked = run(parse(f"id:{good}"), "vet")
    assert (asked, summary.cached) == ([versions[good]], 0)
    connection.execute("UPDATE verdict SET toolchain = 'go1.1'")
    summary, asked = run(parse(f"id:{good}"), "types")
    assert (asked, summary.cached) == ([versions[good]], 0)
    assert store.sample(connection, good).verdict.vet is None  # said by the other one
    summary, asked = run(parse(f"id:{good}"), "types", again=True)
    assert (asked, summary.checked, summary.cached) == ([versions[good]], 1, 0)


@pytest.mark.slow
def test_policies_come_in_with_the_verdicts_and_are_found_by_search(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    careless = 'package p\n\nimport "os"\n\nfunc F() {\n\tos.Remove("x")\n}\n'
    good, bad = add_code(connection, GOOD, careless)
    folder = checking.start_check(tmp_path / "jobs", connection, Query(), "test")
    assert wait_for_end(folder, 240).state == "done"
    checking.take_in(connection, folder)
    assert [(d.check, d.line, d.column) for d in store.sample(connection, bad).policy] == [("ignored_error", 6, 2)]
    assert store.sample(connection, good).policy == ()
    assert list(query.ids(connection, parse("policy:ignored_error"))) == [bad]


@pytest.mark.slow
def test_documented_functions_become_samples_and_what_cannot_be_read_is_named(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    for name, text in TREE.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text)
    result = mining.mine(connection, tmp_path / "tree")
    assert result.imported == 1
    assert [row.file.name for row in result.rejected] == ["bad.go"]
    [key] = query.ids(connection, parse("tag:mined"))
    mined = store.sample(connection, key)
    assert mined.code.startswith('package list\n\nimport "sort"\n')
    assert "Sorted" in mined.prompt
    assert mined.topic == "list"
    again = mining.mine(connection, tmp_path / "tree")
    assert (again.imported, again.duplicates) == (0, 1)


def test_the_same_function_always_gives_the_same_sample(connection: sqlite3.Connection) -> None:
    from core.golang.mining import MinedFunction

    function = MinedFunction("a.go", 3, "a", ('"fmt"',), "F", "F prints.", "func F() {\n\tfmt.Println()\n}")
    assert mining.sample_of(function) == mining.sample_of(function)


def test_info_of_a_job_that_never_was_is_a_sentence(tmp_path: Path) -> None:
    from core.jobs import JobFolder

    with pytest.raises(UserError):
        info(JobFolder(tmp_path / "none"))
