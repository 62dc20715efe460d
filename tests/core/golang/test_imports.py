"""Imports put right: with the real checker, and never at the cost of anything else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.golang.checker import Checker, CheckItem, Diagnostic
from core.golang.imports import mended


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as made:
        yield made


def rounds(checker: Checker, code: str) -> str:
    """Mended until nothing is left to mend."""
    for _ in range(4):
        [result] = checker.check([CheckItem(0, code)])
        better = mended(code, result.diagnostics)
        if better is None:
            break
        code = better
    [result] = checker.check([CheckItem(0, code)])
    assert result.states["types"] == "pass", result.diagnostics
    return result.formatted or code


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('package p\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc F() { fmt.Println(strings.ToUpper("x")) }\n',
         'package p\n\nimport (\n\t"fmt"\n\t"strings"\n)\n\nfunc F() { fmt.Println(strings.ToUpper("x")) }\n'),
        ('package p\n\nimport "os"\n\nfunc F() {}\n', 'package p\n\nfunc F() {}\n'),
        ('package p\n\nfunc F() error { return errors.New("x") }\n',
         'package p\n\nimport "errors"\n\nfunc F() error { return errors.New("x") }\n'),
        ('package p\n\nimport "fmt"\n\nfunc F() { fmt.Println(os.Args, io.EOF) }\n',
         'package p\n\nimport (\n\t"fmt"\n\t"io"\n\t"os"\n)\n\nfunc F() { fmt.Println(os.Args, io.EOF) }\n'),
        ('// Package p is documented.\npackage p // really\n\nvar X = strconv.Itoa(1)\n',
         '// Package p is documented.\npackage p // really\n\nimport "strconv"\n\nvar X = strconv.Itoa(1)\n'),
        ('package p\n\nimport (\n\tx "os" // left over\n)\n\nvar Y = 1\n', 'package p\n\nvar Y = 1\n'),
        ('func F() { fmt.Println() }\n', 'import "fmt"\n\nfunc F() { fmt.Println() }\n'),
        ('package p\n\nimport `fmt`\n\nvar _ = fmt.Sprint(time.Now())\n',
         'package p\n\nimport (\n\t"fmt"\n\t"time"\n)\n\nvar _ = fmt.Sprint(time.Now())\n'),
    ],
)  # fmt: skip
def test_unused_ones_go_and_missing_ones_come(checker: Checker, before: str, after: str) -> None:
    assert rounds(checker, before) == after


@pytest.mark.parametrize(
    "code",
    [
        "package p\n\nvar x = rand.Int()\n",  # crypto or math?
        "package p\n\nvar x = gin.New()\n",
        'package p\n\nimport "fmt"\n\nvar x int = "a"\n\nfunc F() { fmt.Println() }\n',
        "package p\n\nfunc F() { unknown() }\n",
        "package p\n\nfunc {",
    ],
)
def test_what_is_not_certain_stays(checker: Checker, code: str) -> None:
    [result] = checker.check([CheckItem(0, code)])
    assert mended(code, result.diagnostics) is None


def test_a_string_that_looks_like_an_import_is_not_touched(checker: Checker) -> None:
    code = 'package p\n\nimport "os"\n\nvar X = `\nimport "os"\nimport (\n`\n'
    assert rounds(checker, code) == 'package p\n\nvar X = `\nimport "os"\nimport (\n`\n'


messages = st.sampled_from(
    [
        '"os" imported and not used',
        '"fmt" imported as f and not used',
        'undefined: io (import "io" is missing)',
        "undefined: x",
        "",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from('importpackage "os`()\n\t\r;/'), max_size=80),
    st.lists(st.tuples(st.integers(-1, 9), messages), max_size=4),
)
def test_any_text_and_any_complaint_can_be_answered(code: str, said: list[tuple[int, str]]) -> None:
    found = mended(code, [Diagnostic("types", line, 1, message) for line, message in said])
    assert found is None or found != code
    assert mended(code, [Diagnostic("parse", line, 1, message) for line, message in said]) == mended(code, [])
