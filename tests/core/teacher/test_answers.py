"""Reading what a teacher wrote, however it kept to the headings; and writing an answer that is read back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.golang.extract import from_answer
from core.teacher.answers import Solution, read_broken, read_solution, read_task, write_answer

CODE = "package a\n\nfunc F() int { return 1 }\n"
TEST = 'package a\n\nimport "testing"\n\nfunc TestF(t *testing.T) {\n\tif F() != 1 {\n\t\tt.Error("no")\n\t}\n}\n'


@pytest.mark.parametrize(
    "text",
    [
        f"## Notes\nIt counts.\n\n## Code\n```go\n{CODE}```\n\n## Test\n```go\n{TEST}```\n",
        f"# NOTES:\nIt counts.\n\n### 2. Code\n\n```go\n{CODE}```\n\n### **Test**\n\n```go\n{TEST}```",
        f"## Test\n```go\n{TEST}```\n\n## Code\n```go\n{CODE}```\n\n## Notes\nIt counts.",
        f"It counts.\n\n```go\n{CODE}```\n\n```go\n{TEST}```",
        f"Certainly! Here you are.\n\nIt counts.\n\n```golang\n{CODE}```\n\n```go\n{TEST}```",
        f"## Notes\r\nIt counts.\r\n\r\n## Code\r\n```go\r\n{CODE}```\r\n\r\n## Test\r\n```go\r\n{TEST}```",
        f"## Notes\nIt counts.\n\n## Code\n```\n{CODE}```\n\n## Test\n```\n{TEST}```\n",
        f"## Notes\nIt counts.\n\n## Code\n```go\n{CODE}```\n\n## Test\n```go\n{TEST}",
    ],
)
def test_notes_code_and_test_are_found(text: str) -> None:
    assert read_solution(text) == Solution("It counts.", CODE, TEST)


def test_a_snippet_in_the_notes_is_not_taken_for_the_code() -> None:
    text = f"## Notes\nInstead of\n\n```go\nx := 1\n```\n\nit counts.\n\n## Code\n```go\n{CODE}```\n\n## Test\n```go\n{TEST}```\n"
    found = read_solution(text)
    assert (found.code, found.test) == (CODE, TEST)
    assert "x := 1" in found.notes


def test_headings_inside_of_code_are_code() -> None:
    code = "package a\n\n/*\n## Test\n*/\n\nfunc F() int { return 1 }\n"
    found = read_solution(f"## Notes\nN.\n\n## Code\n```go\n{code}```\n\n## Test\n```go\n{TEST}```\n")
    assert found == Solution("N.", code, TEST)


def test_an_answer_without_code_has_none() -> None:
    assert read_solution("I would rather not.") == Solution("I would rather not.", "", "")


def test_a_test_alone_is_no_code() -> None:
    assert read_solution(f"## Test\n```go\n{TEST}```\n").code == ""


@pytest.mark.parametrize(
    "text",
    [
        "Count the beans.",
        "## Task\nCount the beans.\n",
        "Sure, here is a task:\n\nCount the beans.",
        "### Task:\n\nCount the beans.\n\n## Notes\nEasy.",
    ],
)
def test_a_task_is_found_under_its_heading_or_alone(text: str) -> None:
    assert read_task(text) == "Count the beans."


def test_a_task_keeps_its_code_and_its_own_headings() -> None:
    text = f"## What we have\n\n```go\n{CODE}```\n\n## What we want\nMore."
    assert read_task(text) == text


def test_broken_code_comes_with_task_and_test() -> None:
    text = f"## Task\nHelp me.\n\n## Code\n```go\n{CODE}```\n\n## Test\n```go\n{TEST}```\n"
    assert read_broken(text) == ("Help me.", CODE, TEST)


prose = st.text(
    st.characters(exclude_characters="`~#\r", exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.just("\n"), max_size=200
)
body = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]), max_size=200)


@given(prose, body, st.booleans())
def test_what_is_written_is_read_back_the_same(notes: str, more: str, tested: bool) -> None:
    comment = "".join(f"// {line}\n" for line in more.split("\n"))
    code = f"package a\n\n{comment.rstrip()}\nfunc F() int {{ return 1 }}\n"
    test = TEST if tested else ""
    found = from_answer(write_answer(Solution(notes, code, test)))
    assert (found.code, found.test) == (code, test)


@given(st.text(max_size=400))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    found = read_solution(text)
    assert isinstance(found.notes, str)
    read_task(text)
    read_broken(text)
