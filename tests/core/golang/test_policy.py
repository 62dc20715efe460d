"""What the compiler takes and Gosmith does not: kinds and places, and what must not be complained of."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.golang.checker import Checker, CheckItem, CheckResult
from core.samples.language import POLICIES


def check(checker: Checker, code: str) -> CheckResult:
    (result,) = checker.check([CheckItem(1, code)])
    return result


def found(checker: Checker, code: str) -> list[tuple[str, int, int]]:
    return [(one.check, one.line, one.column) for one in check(checker, code).policy]


def inside(statements: str, imports: str = "") -> str:
    """A file whose statements begin on line 4."""
    listed = "; ".join(f'"{name}"' for name in imports.split())
    return f"package a\nimport ({listed})\nfunc F() {{\n{statements}\n}}\n"


STUBS = {
    "comment": "func F() {\n\t// TODO: write it\n}\n",
    "todo and return": "func F() (int, error) {\n\t// TODO\n\treturn 0, nil\n}\n",
    "your code": "func F() error {\n\t// Your code here\n\treturn nil\n}\n",
    "implement me": "func F() {\n\t/* implement me */\n}\n",
    "dots": "func F() {\n\t// ...\n}\n",
    "panic": 'func F() int {\n\tpanic("not implemented")\n}\n',
    "panic error": 'func F() int {\n\tpanic(errors.New("unimplemented"))\n}\n',
}


@pytest.mark.parametrize("stub", STUBS.values(), ids=STUBS.keys())
def test_a_body_that_is_only_a_promise_is_a_placeholder(checker: Checker, stub: str) -> None:
    imports = 'import "errors"\n' if "errors" in stub else "\n"
    kinds = found(checker, f"package a\n{imports}{stub}")
    assert ("placeholder", 3, 1) in kinds


@pytest.mark.parametrize(
    "code",
    [
        "func F() {}\n",
        "func F() {\n\t// Nothing to do: the interface wants it.\n}\n",
        "func F() error {\n\t// No items, no error.\n\treturn nil\n}\n",
        "func F() int {\n\t// TODO: faster\n\tx := 1\n\treturn x\n}\n",
        "func F() int {\n\t// TODO: a better answer\n\treturn 42\n}\n",
        'func F() int {\n\tpanic("unreachable")\n}\n',
        "// TODO: document\nfunc F() {}\n",
    ],
)
def test_honest_short_bodies_are_none(checker: Checker, code: str) -> None:
    assert found(checker, f"package a\n\n{code}") == []


IGNORED = [
    ('\tos.Remove("x")', "os", [(4, 2)]),
    ('\t_ = os.Remove("x")', "os", [(4, 2)]),
    ('\tn, _ := strconv.Atoi("1")\n\t_ = n', "strconv", [(4, 5)]),
    ('\tdefer os.Remove("x")', "os", [(4, 8)]),
    ('\tgo os.Remove("x")', "os", [(4, 5)]),
    ('\tf := func() error { return nil }\n\t(f())', "", [(5, 3)]),
    ('\tw := bufio.NewWriter(os.Stdout)\n\tw.Write(nil)', "bufio os", [(5, 2)]),
    ('\tf, _ := os.Open("x")\n\tf.Close()', "os", [(4, 5), (5, 2)]),
    ('\tfmt.Fprintln(io.Discard, 1)', "fmt io", [(4, 2)]),
    ('\tvar m map[int]int\n\t_, _ = m[1]', "", []),
    ('\tfmt.Println(1)\n\t_, _ = fmt.Printf("x")', "fmt", []),
    ('\tvar b bytes.Buffer\n\tb.WriteString("x")\n\tfmt.Fprintf(&b, "x")', "bytes fmt", []),
    ('\tvar b strings.Builder\n\tb.WriteByte(1)\n\t_, _ = b.Write(nil)', "strings", []),
    ('\th := sha256.New()\n\th.Write(nil)', "crypto/sha256", []),
    ('\tvar h maphash.Hash\n\th.WriteString("x")', "hash/maphash", []),
    ('\tf, err := os.Open("x")\n\tif err != nil {\n\t\treturn\n\t}\n\tdefer f.Close()', "os", []),
    ('\tfmt.Fprintln(os.Stderr, 1)', "fmt os", []),
    ('\tvar err error\n\t_ = err\n\t_ = error(nil)', "", []),
    ('\tvar b struct{ bytes.Buffer }\n\tb.WriteString("x")', "bytes", []),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "imports", "places"), IGNORED, ids=[one[0].strip()[:40] for one in IGNORED])
def test_errors_that_are_dropped(
    checker: Checker, statements: str, imports: str, places: list[tuple[int, int]]
) -> None:
    result = check(checker, inside(statements, imports))
    assert result.states["types"] == "pass", result.diagnostics
    assert [(one.line, one.column) for one in result.policy if one.check == "ignored_error"] == places
    assert {one.check for one in result.policy} <= {"ignored_error"}


def test_panics_and_fatal_outside_main(checker: Checker) -> None:
    code = (
        'package main\n\nimport "log"\n\nfunc main() {\n\tlog.Fatal("fine")\n}\n\nfunc F(l *log.Logger, x int) int {\n'
        '\tif x > 1 {\n\t\tlog.Fatalf("no")\n\t}\n\tl.Fatalln()\n\tif x > 0 {\n\t\tpanic("TODO: big x")\n\t}\n'
        '\tif x < 0 {\n\t\tpanic("negative")\n\t}\n\treturn 1\n}\n'
    )
    assert found(checker, code) == [("panic", 11, 3), ("panic", 13, 2), ("panic", 15, 3)]


def test_a_function_named_panic_or_log_of_ones_own_is_none(checker: Checker) -> None:
    code = 'package a\n\ntype t struct{}\n\nfunc (t) Fatal() {}\n\nfunc panic(string) {}\n\nfunc F(log t) {\n\tlog.Fatal()\n\tpanic("TODO")\n}\n'
    assert found(checker, code) == []


def test_imports(checker: Checker) -> None:
    code = 'package a\n\nimport (\n\t_ "unsafe"\n\t_ "syscall"\n\t_ "os/exec"\n\t_ "plugin"\n\t_ "reflect"\n)\n'
    assert found(checker, code) == [("forbidden_import", line, 2) for line in (4, 5, 6, 7)]
    outside = 'package a\n\nimport (\n\t"C"\n\t"github.com/pkg/errors"\n\t"log"\n)\n\nfunc F() {\n\tlog.Fatal(errors.New("x"))\n}\n'
    result = check(checker, outside)
    assert result.states["types"] == "skipped"
    assert [(one.check, one.line) for one in result.policy] == [("forbidden_import", 4), ("external", 5), ("panic", 10)]
    assert "github.com/pkg/errors" in result.policy[1].message
    assert found(checker, 'package a\n\nimport "strings/builder"\n\nvar x builder.T\n') == []


def test_places_are_those_of_a_fragment_and_count_characters(checker: Checker) -> None:
    assert found(checker, "func F() {\n\t// TODO\n}\n") == [("placeholder", 1, 1)]
    code = 'package a\n\nimport "os"\n\nfunc F() { s := "üü"; os.Remove(s) }\n'
    assert found(checker, code) == [("ignored_error", 5, 23)]


def test_a_thousand_breaches_are_cut_short(checker: Checker) -> None:
    result = check(checker, inside('\tos.Remove("x")\n' * 1000, "os"))
    assert len(result.policy) == 50


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.sampled_from([one[0] for one in IGNORED[:2]] + ['\tpanic("TODO")', "\t// ...", "", "\treturn"]), max_size=12
    )
)
def test_every_place_lies_in_the_text_and_is_said_once(checker: Checker, lines: list[str]) -> None:
    code = inside("\n".join(lines), "os")
    places = [(one.check, one.line, one.column) for one in check(checker, code).policy]
    assert len(places) == len(set(places))
    for kind, line, column in places:
        assert kind in POLICIES
        assert 1 <= column <= len(code.split("\n")[line - 1])
