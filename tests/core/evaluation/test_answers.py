"""What of a completion is taken for the answer, and what the published harnesses make of the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.evaluation import paper
from core.evaluation.answers import Answer, answer, opening
from core.evaluation.assembling import check_mode, question
from core.evaluation.hidden import company, hidden_test
from core.evaluation.suites import Problem
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS


def problem(number: int = 0, form: str = "humaneval-x", **changes: str) -> Problem:
    task = TASKS[number]
    row = problems.multipl_row(task, number) if form == "multipl-e" else problems.x_row(task, number)
    row |= changes
    return Problem(f"Go/{number}", task.name, row["prompt"], task.body, str(row.get("test", row.get("tests"))), row)


def mine(signature: str, prompt: str = "Add.") -> Problem:
    return Problem("set/x", "Total", prompt, "", "", {}, signature=signature)


HEAD = problem().prompt
WHOLE = TASKS[0].declaration + TASKS[0].body


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        (TASKS[0].body, Answer(HEAD + TASKS[0].body, "", True)),
        (WHOLE, Answer(WHOLE, HEAD, True)),
        (f"Sure.\n\n```go\n{WHOLE}```\nDone.", Answer(WHOLE, HEAD, False)),
        (f"```go\nfmt.Println(1)\n```\nand\n```go\n{WHOLE}```", Answer(WHOLE, HEAD, False)),
        (f"```\n{WHOLE}```", Answer(WHOLE, HEAD, False)),
        ("```go\n    return 1\n}\n```", Answer(HEAD + "    return 1\n}\n", "", False)),
        (f"{TASKS[0].body}```\n\nwords {{ and\n```\n", Answer(f"{HEAD}{TASKS[0].body}```\n\nwords {{ and\n```\n", "", True)),
        (f"```go\n{WHOLE}", Answer(WHOLE, HEAD, False)),
        ("func Other() {}", Answer("func Other() {}", HEAD, True)),
        ("    return 1\r\n}\r\n", Answer(HEAD + "    return 1\n}\n", "", True)),
        ("", None),
        ("```go\n\n```", None),
        ("I cannot do this (sorry).", None),
    ],
)  # fmt: skip
def test_an_answer_is_read_the_way_it_was_meant(completion: str, expected: Answer | None) -> None:
    assert answer("humaneval-x", problem(), completion) == expected


def test_suites_of_ours_open_the_function_where_they_ask_for_one() -> None:
    shown = "Add.\n\n```go\npackage solution\n\ntype Parcel int\n\nfunc Total(p []Parcel) int\n```"
    signature = "func Total(p []Parcel) int"
    assert opening("gosmith", mine(signature, shown)) == f"package solution\n\ntype Parcel int\n\n{signature} {{\n"
    assert opening("gosmith", mine(signature)) == f"package solution\n\n{signature} {{\n"
    assert opening("gosmith", mine("type Total struct{}")) == ""
    assert answer("gosmith", mine("type Total struct{}"), "\treturn 1\n}\n") is None
    found = answer("gosmith", mine(signature, shown), "```go\nfunc Total(p []Parcel) int { return 0 }\n```")
    assert found is not None
    assert "type Parcel int" in found.given


@given(
    st.lists(
        st.sampled_from(
            ["```", "```go\n", "\n", "func TotalWeight", "(", "{", "}", "return", "package a\n", "é", "\t"]
        ),
        max_size=30,
    )
)
def test_any_completion_is_an_answer_or_none(parts: list[str]) -> None:
    text = "".join(parts)
    found = answer("humaneval-x", problem(), text)
    assert found is None or found.text.strip()
    assert problem().test in paper.program("humaneval-x", problem(), text)


@pytest.mark.parametrize(
    ("form", "completion", "kept"),
    [
        ("humaneval-x", "    return 1\n}\n\nfunc other() {\n}\n", "    return 1\n}"),
        ("humaneval-x", '    s := "}"\n    return s\n}\n', '    s := "}'),
        ("humaneval-x", "    x := 1\n// note\n    return x\n", "    x := 1"),
        ("humaneval-x", "    return 1 }\nfunc main() {}", "    return 1 }"),
        ("humanevalpack", "    type p struct{}\n    return 1\n}\n", "    type p "),
        ("humanevalpack", "    return 1\n}\n\nfunc other() {\n}\n", "    return 1\n}"),
        ("multipl-e", "    return 1\n}\n\nfunc other() {\n}\n", "    return 1\n}\n"),
        ("multipl-e", "    s := T{}\n    return s // }}\n}\n", "    s := T{}\n    return s // }}\n}\n"),
    ],
)
def test_published_harnesses_cut_where_they_cut(form: str, completion: str, kept: str) -> None:
    one = problem(form=form)
    text = paper.program(form, one, completion)
    start = text.index(TASKS[0].declaration) + len(TASKS[0].declaration)
    assert text[start : text.rindex(f"\n{one.test}")] == kept


def test_published_harnesses_import_ten_packages_by_looking_for_names() -> None:
    said = "    // sort. of\n    return rand.Int() + unicode.MaxRune + math.MaxInt8 }"
    text = paper.program("humaneval-x", problem(), said)
    assert [f'"{name}"' in text for name in ("sort", "math/rand", "math", "unicode", "strings")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    setup = problem().record["test_setup"] + 'import "math/rand"\n'
    hidden = paper.program("humaneval-x", problem(test_setup=setup), said)
    assert '"math"' not in hidden, "the name math is in math/rand"
    assert '    "rand"\n' in paper.program("humanevalpack", problem(), said)
    own = problem(1)
    assert own.record["import"] not in paper.program("humaneval-x", own, own.solution), (
        "imports of the prompt go, and come back if used"
    )
    assert '"strings"' in paper.program("humaneval-x", own, own.solution)


def test_the_hidden_test_is_a_file_of_its_own() -> None:
    text = hidden_test("humaneval-x", problem())
    assert text.startswith('package solution\n\nimport (\n\t"testing"\n')
    assert 'stretchr/testify/assert"' not in text
    assert "func (assertingShim) New(" in text
    more = hidden_test(
        "humaneval-x",
        problem(
            test_setup='package main\nimport "testing"\nfunc aid() int { return 1 }\n',
            test="func TestX(t *testing.T) { aid() }",
        ),
    )
    assert "func aid()" in more
    assert "assertingShim" not in more
    other = hidden_test("multipl-e", problem(form="multipl-e"))
    assert "if !sameShim(tc.actual, tc.expected) {" in other
    assert hidden_test("gosmith", mine("")) == ""
    program, beside = company("humaneval-x", paper.program("humaneval-x", problem(), TASKS[0].body))
    assert "testify" not in program
    assert "var assert assertingShim" in beside


def test_a_mode_is_one_of_two_and_never_what_a_suite_does_not_have() -> None:
    for form, mode, what in (
        ("humaneval-x", "best", "no mode “best”"),
        ("gosmith", "paper", "No paper"),
        ("humaneval", "fixed", "in Python"),
    ):
        with pytest.raises(UserError, match=what):
            check_mode(form, mode)
    assert question("multipl-e", problem(form="multipl-e"), "paper").stops == ("\nfunc", "struct", "\n// ")
    assert question("humanevalpack", problem(), "paper").stops == paper.PACK_STOPS
    asked = question("humaneval-x", problem(), "fixed")
    assert (asked.text, asked.stops) == (HEAD, ())
    assert HEAD.rstrip() in asked.chat
