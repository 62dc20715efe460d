"""Suites of ours are read file by file: what is wrong is named with file and line, what is good is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.evaluation import finding, ours
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

GOOD = problems.our_text(TASKS[0])


def reason(folder: Path, text: str) -> tuple[int, str]:
    """What is said of this text, next to a good one."""
    suite = ours.read(problems.write_ours(folder / "set", {"bad": text, "good": GOOD}))
    assert [one.task for one in suite.problems] == ["set/good"]
    (bad,) = suite.bad
    assert bad.file == "parcels/bad.md"
    return bad.line, bad.reason


def test_a_file_is_a_problem(tmp_path: Path) -> None:
    suite = ours.read(problems.write_ours(tmp_path / "set", {"total-weight": GOOD}))
    (one,) = suite.problems
    assert (suite.format, suite.bad) == ("gosmith", ())
    assert (one.task, one.entry_point, one.topic, one.difficulty) == (
        "set/total-weight",
        "TotalWeight",
        "parcels",
        "easy",
    )
    assert one.signature == "func TotalWeight(weights []int, limit int) int"
    assert one.prompt.startswith("TotalWeight adds")
    assert "## Reference" not in one.prompt
    assert one.solution.startswith("package solution\n")
    assert "func TestTotalWeight(t *testing.T)" in one.test


def test_the_hash_is_of_names_and_contents(tmp_path: Path) -> None:
    def sha(folder: str, texts: dict[str, str]) -> str:
        return ours.read(problems.write_ours(tmp_path / folder, texts)).sha256

    first = sha("a", {"x": GOOD, "y": GOOD.replace("6", "7")})
    assert first == sha("b", {"y": GOOD.replace("6", "7"), "x": GOOD})
    assert len({first, sha("c", {"x": GOOD, "z": GOOD.replace("6", "7")}), sha("d", {"x": GOOD, "y": GOOD})}) == 3


def test_a_signature_may_have_several_lines_and_headings_in_code_are_text(tmp_path: Path) -> None:
    text = problems.our_text(
        TASKS[0], signature="type Parcel int\nsignature: func TotalWeight(parcels []Parcel, limit int) int"
    )
    text = text.replace("package solution\n\nfunc", "package solution\n\n/*\n## Test\n*/\nfunc", 1)
    (one,) = ours.read(problems.write_ours(tmp_path / "set", {"x": text})).problems
    assert one.signature == "type Parcel int\nfunc TotalWeight(parcels []Parcel, limit int) int"
    assert "## Test" in one.prompt


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "no front matter"),
        (GOOD.replace("---\n", "", 1), 1, "no front matter"),
        (GOOD.replace("topic: parcels", "topic parcels"), 2, "key: value"),
        (GOOD.replace("topic: parcels", "topik: parcels"), 2, "no field “topik”"),
        (GOOD.replace("topic: parcels", "topic: a\ntopic: b"), 3, "“topic” comes twice"),
        (problems.our_text(TASKS[0], topic=""), 1, "lacks topic"),
        (problems.our_text(TASKS[0], difficulty="brutal"), 1, "none of easy, medium, hard"),
        (problems.our_text(TASKS[0], entry="Total Weight"), 1, "not a Go name"),
        (problems.our_text(TASKS[0], entry="Other"), 17, "does not declare Other"),
        (problems.our_text(TASKS[0], signature="func Other()"), 1, "does not name TotalWeight"),
        (GOOD.replace("## Reference", "## Solution"), 17, "no section “Solution”"),
        (GOOD.replace("## Reference", "## Prompt"), 17, "“Prompt” comes twice"),
        (GOOD.split("## Test")[0], 33, "“Test” is missing"),
        (GOOD.replace("## Test\n\n```go", "## Test\n\n```"), 33, "0 Go blocks"),
        (GOOD + "\n```go\npackage solution\n```\n", 33, "2 Go blocks"),
        (GOOD.replace("package solution", "package main"), 20, "not “solution”"),
        (GOOD.replace("func Test", "func test"), 33, "no function Test"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    at, said = reason(tmp_path, text)
    assert what in said
    assert at == line


def test_no_text_is_read_twice_under_one_name(tmp_path: Path) -> None:
    folder = problems.write_ours(tmp_path / "set", {"x": GOOD})
    (folder / "strings").mkdir()
    (folder / "strings/x.md").write_text(GOOD)
    (folder / "strings/y.md").write_bytes(b"---\n\xff")
    (folder / "README.md").write_text("Not a problem.")
    suite = ours.read(folder)
    assert [(one.file, one.reason) for one in suite.bad] == [
        ("strings/x.md", "the task “set/x” comes twice"), ("strings/y.md", "the text is not UTF-8"),
    ]  # fmt: skip


def test_a_folder_without_problems_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no problem"):
        ours.read(tmp_path)
    with pytest.raises(UserError, match=r"holds no problem. parcels/x.md:1: there is no front matter"):
        ours.read(problems.write_ours(tmp_path / "set", {"x": "words"}))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([*GOOD.splitlines(keepends=True), "---\n", "## Test\n", "```go\n", "x", "\r\n"]), max_size=45
    )
)
def test_any_text_is_a_problem_or_is_named(tmp_path: Path, lines: list[str]) -> None:
    folder = tmp_path / "set" / "parcels"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "good.md").write_text(GOOD)
    (folder / "any.md").write_text("".join(lines), newline="")
    suite = ours.read(folder.parent)
    assert len(suite.problems) + len(suite.bad) == 2


def test_suites_are_found_by_name_folder_or_file(tmp_path: Path) -> None:
    private = tmp_path / "suites"
    problems.write_ours(private / "mine", {"x": GOOD})
    file = problems.write(tmp_path / "published.jsonl", [problems.x_row(TASKS[0], 0)])
    assert ("mine", "private", private / "mine") in finding.available(private)
    assert finding.open_suite("mine", private).origin == "private"
    assert finding.open_suite(str(private / "mine"), None).suite == finding.open_suite("mine", private).suite
    assert finding.open_suite(str(file), private).suite.format == "humaneval-x"
    with pytest.raises(UserError, match="no suite “yours”") as caught:
        finding.open_suite("yours", private)
    assert "mine" in caught.value.hint
    suite = finding.open_suite("mine", private).suite
    assert finding.problem_of(suite, "x") is finding.problem_of(suite, "mine/x")
    with pytest.raises(UserError, match="no problem “z”"):
        finding.problem_of(suite, "z")
