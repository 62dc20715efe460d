"""Samples that give problems away are found where they do it, honest ones are left alone, and nothing contaminated leaves."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from core.database import transaction
from core.errors import UserError
from core.paths import resources
from core.samples import bundle, contamination, edits, exporting, query, snapshots, store
from core.samples.adding import add
from core.samples.conversation import Message, NewSample
from core.samples.importing import import_files
from core.samples.language import Query, parse
from tests.core.evaluation import problems

HONEST = "package p\n\nfunc Reverse(s []int) {\n\tfor i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {\n\t\ts[i], s[j] = s[j], s[i]\n\t}\n}\n"
RENAMED = (
    problems.SOLUTION.replace("sorted", "ordered")
    .replace("readings", "values")
    .replace("gap", "distance")
    .replace("tolerance", "limit")
    .replace("widest", "largest")
)


def put(connection: sqlite3.Connection, prompt: str, answer: str) -> int:
    with transaction(connection):
        return add(connection, [NewSample((Message("user", prompt), Message("assistant", answer)))], author="test").ids[
            0
        ]


@pytest.fixture
def suite(connection: sqlite3.Connection, tmp_path: Path) -> Path:
    path = problems.write(tmp_path / "humaneval_go.jsonl", [problems.humaneval_x(0)])
    contamination.add_suite(connection, path)
    return path


CASES = [
    ("name", "prompt", "Write AnyCloseReadings0 for me.", HONEST, "AnyCloseReadings0"),
    ("name", "response", "Do it.", HONEST.replace("Reverse", "anyCloseReadings0"), "anyCloseReadings0"),
    ("docstring", "prompt", f"please: {problems.PROSE.upper()}  in\nround 0!", HONEST, f"{problems.PROSE.upper()}  in\nround 0"),
    ("words", "prompt", "Say whether " + problems.PROSE.removeprefix("Report whether "), HONEST, "whether any two sensor readings of the station lie closer together than the"),
    ("words", "response", "Do it.", f"package p\n\nfunc G(readings []float64, tolerance float64) (int, bool) {{\n{problems.SOLUTION}", "sorted := append"),
    ("literal", "response", "Do it.", HONEST.replace("package p", 'package p\n\nconst sum = "3e25960a79dbc69b674cd4ec67a72c62"'), "3e25960a79dbc69b674cd4ec67a72c62"),
    ("literal", "prompt", "What is 8675309421?", HONEST, "8675309421"),
    ("code", "response", "Do it.", f"package q\n\nfunc G(values []float64, limit float64) (int, bool) {{\n{RENAMED}", "package q"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "part", "prompt", "code", "span"), CASES)
def test_what_gives_a_problem_away_is_found_with_its_place(
    connection: sqlite3.Connection, suite: Path, kind: str, part: str, prompt: str, code: str, span: str
) -> None:
    honest = put(connection, "How do I reverse a slice?", f"```go\n{HONEST}```\n")
    key = put(connection, prompt, f"Here:\n\n```go\n{code}```\n")
    contaminated, _ = contamination.check(connection, Query())
    assert contaminated == 1
    sample = store.sample(connection, key)
    found = [hit for hit in contamination.hits(connection, sample.version) if (hit.kind, hit.part) == (kind, part)]
    assert found, contamination.hits(connection, sample.version)
    [hit] = found
    assert (hit.suite, hit.task) == ("humaneval_go", "Go/0")
    assert {"prompt": sample.prompt, "response": sample.response}[part][hit.start : hit.end].startswith(span)
    assert list(query.ids(connection, parse("contaminated:yes"))) == [key]
    assert list(query.ids(connection, parse("contaminated:no"))) == [honest]


def test_honest_samples_are_left_alone(connection: sqlite3.Connection, tmp_path: Path) -> None:
    rows = [problems.humaneval_x(n) for n in range(2)]
    rows.append(problems.humaneval_x(5, declaration="func IsPrime(n int) bool {\n", prompt="// Return true if a given number is prime, and false otherwise.\nfunc IsPrime(n int) bool {\n",
        canonical_solution="    if n <= 1 {\n        return false\n    }\n    for i := 2; i*i <= n; i++ {\n        if n%i == 0 {\n            return false\n        }\n    }\n    return true\n}\n"))  # fmt: skip
    contamination.add_suite(connection, problems.write(tmp_path / "s.jsonl", rows))
    with transaction(connection):
        bundle.add_bundle(connection, resources() / "samples")
    put(
        connection,
        "Is there a way to see if a number is prime?",
        "```go\npackage p\n\n// IsPrime says so.\nfunc IsPrime(n int) bool { return big.NewInt(int64(n)).ProbablyPrime(0) }\n```",
    )
    contaminated, _ = contamination.check(connection, Query())
    assert contaminated == 0, [
        contamination.hits(connection, store.sample(connection, key).version)
        for key in query.ids(connection, parse("contaminated:yes"))
    ]


def test_nothing_contaminated_leaves_the_workspace(connection: sqlite3.Connection, suite: Path, tmp_path: Path) -> None:
    good = [put(connection, f"Reverse {n} slices.", f"```go\n{HONEST}```\n{n}") for n in range(3)]
    bad = put(connection, "Write AnyCloseReadings0.", "```go\npackage p\n```")
    contamination.check(connection, Query())
    out = tmp_path / "out.jsonl"
    result = exporting.export(connection, Query(), out, format="openai")
    assert (result.exported, result.contaminated) == (3, 1)
    assert "AnyCloseReadings0" not in out.read_text()
    assert json.loads(result.manifest.read_text())["contaminated_left_out"] == 1
    made = snapshots.create(tmp_path / "snapshots", connection, "s", Query(), validation=0)
    assert (made.samples, made.contaminated) == (3, 1)
    for text in ("contaminated:yes", f"id:{bad}"):
        with pytest.raises(UserError, match="give away problems"):
            exporting.export(connection, parse(text), out, format="openai")
        with pytest.raises(UserError, match="give away problems"):
            snapshots.create(tmp_path / "snapshots", connection, "t", parse(text))
    edits.edit(connection, bad, f"```go\n{HONEST}```", base_version=store.sample(connection, bad).version)
    assert exporting.export(connection, Query(), out, format="openai").exported == 4, "another text, not looked at yet"
    contamination.check(connection, Query())
    assert exporting.export(connection, Query(), out, format="openai").exported == len(good), "its prompt still tells"


def test_a_suite_is_named_once_listed_and_forgotten(connection: sqlite3.Connection, suite: Path) -> None:
    put(connection, "Write AnyCloseReadings0.", "```go\npackage p\n```")
    contamination.check(connection, Query())
    assert contamination.list_suites(connection) == [contamination.StoredSuite("humaneval_go", "humaneval-x", 1, 1)]
    with pytest.raises(UserError, match="already"):
        contamination.add_suite(connection, suite)
    contamination.add_suite(connection, suite, "other")
    contamination.delete_suite(connection, "humaneval_go")
    assert query.count(connection, parse("contaminated:yes")) == 0
    with pytest.raises(UserError, match="no suite “humaneval_go”"):
        contamination.delete_suite(connection, "humaneval_go")
    contamination.delete_suite(connection, "other")
    with pytest.raises(UserError, match="no suite to look for"):
        contamination.check(connection, Query())


def test_a_suite_is_never_imported_as_samples(connection: sqlite3.Connection, suite: Path) -> None:
    with pytest.raises(UserError, match="never to train on") as caught:
        import_files(connection, [suite])
    assert "gosmith suites add" in caught.value.hint
    assert query.count(connection, Query()) == 0
