"""Samples' own tests, really built and really run: who passes, who fails, and why it says so."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import psutil
import pytest

from core.errors import UserError
from core.golang import sandbox
from core.golang.checker import CheckResult
from core.golang.sandbox import Limits, Sandbox, SandboxLevel
from core.golang.testing import RUNS, TestItem, run_tests, try_tests
from core.golang.toolchain import Toolchain, environment

CODE = "package a\n\nfunc Sum(a, b int) int { return a + b }\n"
TEST = """package a

import "testing"

func TestSum(t *testing.T) {
	for _, c := range []struct{ a, b, want int }{{1, 2, 3}, {0, 0, 0}} {
		if got := Sum(c.a, c.b); got != c.want {
			t.Errorf("Sum(%d, %d) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
"""


def body(statements: str, imports: str = "") -> str:
    more = f'\t"{imports}"\n' if imports else ""
    return f'package a\n\nimport (\n{more}\t"testing"\n)\n\nfunc TestIt(t *testing.T) {{\n\t{statements}\n}}\n'


def verdicts(toolchain: Toolchain, *pairs: tuple[str, str], seconds: float = 10.0) -> list[CheckResult]:
    items = [TestItem(100 + at, code, test) for at, (code, test) in enumerate(pairs)]
    results = list(run_tests(items, toolchain, limits=Limits(seconds=seconds)))
    assert [one.key for one in results] == [item.key for item in items]
    return results


def said(result: CheckResult) -> list[tuple[int, str]]:
    assert all(one.check == "test" for one in result.diagnostics)
    return [(one.line, one.message) for one in result.diagnostics]


def test_right_and_wrong_answers(toolchain: Toolchain) -> None:
    wrong = CODE.replace("a + b", "a - b")
    right, failed, untested = verdicts(toolchain, (CODE, TEST), (wrong, TEST), (CODE, ""))
    assert (right.states, right.diagnostics) == ({"test": "pass"}, ())
    assert failed.states == {"test": "fail"}
    assert said(failed) == [(8, "TestSum: Sum(1, 2) = -1, want 3")]
    assert (untested.states, untested.diagnostics) == ({"test": "skipped"}, ())


def test_what_does_not_compile_says_where(toolchain: Toolchain) -> None:
    results = verdicts(
        toolchain,
        (CODE, TEST.replace("Sum(c.a", "Summ(c.a")),
        ("package a\n\nfunc Sum(a, b int) int { return a + c }\n", TEST),
        (CODE, "package a\n\nfunc TestX(t *testing.T) {\n"),
        ("package a\n\nfunc Sum( {\n", TEST),
        (CODE, TEST.replace("package a", "package b")),
        (CODE, TEST),
        (CODE, TEST),
        (CODE, TEST),
    )
    assert [one.states["test"] for one in results] == ["fail"] * 5 + ["pass"] * 3
    assert said(results[0]) == [(7, "does not compile: undefined: Summ")]
    assert results[0].diagnostics[0].column == 13
    assert said(results[1]) == [(0, "the code does not compile: undefined: c (code line 3)")]
    assert said(results[2]) == [(4, "does not compile: expected '}', found 'EOF'")]
    assert said(results[3]) == [(0, "the code does not compile: expected ')', found '{' (code line 3)")]
    assert said(results[4]) == [(1, "does not compile: the test is in package b, the code in package a")]


def test_leaving_early_is_no_pass(toolchain: Toolchain) -> None:
    results = verdicts(
        toolchain,
        (CODE, body("os.Exit(0)", "os")),
        (CODE, body("syscall.Exit(0)", "syscall")),
        ('package a\n\nimport "os"\n\nfunc init() { os.Exit(0) }\n', body("")),
        (CODE, 'package a\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestMain(m *testing.M) { os.Exit(0) }\n\nfunc TestIt(t *testing.T) {}\n'),
        (CODE, body('fmt.Println("--- PASS: TestIt (0.00s)\\nPASS")\n\tos.Exit(0)', 'fmt"\n\t"os')),
        (CODE, body("runtime.Goexit()", "runtime")),
    )  # fmt: skip
    assert [one.states["test"] for one in results] == ["fail"] * 6
    assert said(results[0]) == [(0, "the program ended with exit code 0, but TestIt never reported")]


def test_panics_deadlocks_and_endless_loops(toolchain: Toolchain) -> None:
    panics = "package a\n\nfunc Sum(a, b int) int {\n\tvar list []int\n\treturn list[a+b]\n}\n"
    start = time.monotonic()
    panic, deadlock, loop, fine = verdicts(
        toolchain,
        (panics, TEST),
        (CODE, body("<-make(chan int)")),
        (CODE, body("for {\n\t}")),
        (CODE, TEST),
        seconds=1.5,
    )
    assert time.monotonic() - start < 60
    assert [one.states["test"] for one in (panic, deadlock, loop, fine)] == ["fail", "fail", "fail", "pass"]
    assert said(panic)[0] == (
        7,
        "panic: runtime error: index out of range [3] with length 0 (code line 5) during TestSum",
    )
    assert "TestIt did not finish within 1.5 seconds" in said(deadlock)[0][1] or "deadlock" in said(deadlock)[0][1]
    assert said(loop) == [(0, "TestIt did not finish within 1.5 seconds")]


def test_no_child_and_no_file_is_left(toolchain: Toolchain) -> None:
    verdicts(toolchain, (CODE, TEST), (CODE, body("for {\n\t}")), seconds=0.5)
    assert not [one for one in psutil.Process().children(recursive=True) if "test" in one.name() or "go" in one.name()]
    assert not list(Path(environment(toolchain)["TMPDIR"]).glob(f"batch-{psutil.Process().pid}-*"))


def test_packages_and_imports_are_mended_where_they_must_be(toolchain: Toolchain) -> None:
    external = TEST.replace("package a", "package a_test").replace(
        'import "testing"', 'import (\n\t"testing"\n\n\t"example.com/team/go-a"\n)'
    ).replace("Sum(c.a", "a.Sum(c.a")  # fmt: skip
    program = "package main\n\nfunc Sum(a, b int) int { return a + b }\n\nfunc main() { println(Sum(1, 2)) }\n"
    no_main = "package main\n\nfunc Sum(a, b int) int { return a + b }\n"
    fragment = "func Sum(a, b int) int { return a + b }\n"
    fragment_test = "func TestSum(t *testing.T) {\n\tif Sum(1, 1) != 2 {\n\t\tt.Fatal()\n\t}\n}\n"
    results = verdicts(
        toolchain,
        (CODE, external),
        (program, TEST.replace("package a", "package main")),
        (no_main, TEST.replace("package a", "package main")),
        (fragment, TEST),
        (fragment, 'import "testing"\n\n' + fragment_test),
        (fragment, fragment_test),
    )
    assert [one.states["test"] for one in results] == ["pass"] * 5 + ["fail"]
    assert said(results[5])[0][0] == 1
    assert "undefined: testing" in said(results[5])[0][1]


def test_examples_and_fuzz_seeds_count(toolchain: Toolchain) -> None:
    example = 'package a\n\nimport "fmt"\n\nfunc ExampleSum() {\n\tfmt.Println(Sum(1, 2))\n\t// Output: 3\n}\n'
    fuzz = (
        'package a\n\nimport "testing"\n\nfunc FuzzSum(f *testing.F) {\n\tf.Add(1, 2)\n'
        "\tf.Fuzz(func(t *testing.T, a, b int) {\n\t\tif Sum(a, b) != b+a {\n\t\t\tt.Fatal(a)\n\t\t}\n\t})\n}\n"
    )
    wrong = CODE.replace("a + b", "a - b")
    results = verdicts(toolchain, (CODE, example), (wrong, example), (CODE, fuzz), (wrong, fuzz), (CODE, TEST))
    assert [one.states["test"] for one in results] == ["pass", "fail", "pass", "fail", "pass"]
    assert said(results[1]) == [(0, "ExampleSum failed: got: -1 want: 3")]
    assert said(results[3])[0][0] == 9


def test_what_cannot_run_here_is_skipped_with_the_reason(toolchain: Toolchain) -> None:
    results = verdicts(
        toolchain,
        ('package a\n\nimport "github.com/x/y"\n\nvar _ = y.Z\n', TEST),
        (CODE, body("assert.Equal(t, 1, 1)", "github.com/stretchr/testify/assert")),
        (CODE, body('t.Skip("needs a database")')),
        (CODE, "package a\n\nfunc helper() {}\n"),
    )
    assert [one.states["test"] for one in results] == ["skipped"] * 4
    assert [said(one)[0][1] for one in results] == [
        "not run: imports github.com/x/y, which is outside the standard library",
        "not run: imports github.com/stretchr/testify/assert, which is outside the standard library",
        "every test skips itself: needs a database",
        "the test holds no test function",
    ]


def test_samples_do_not_meet_though_they_share_a_program(toolchain: Toolchain) -> None:
    """Same names, own file names, and a package variable that panics: each still gets its own verdict."""
    bomb = 'package a\n\nimport "regexp"\n\nvar x = regexp.MustCompile("(")\n'
    own_file = body(
        'if _, file, _, _ := runtime.Caller(0); !strings.HasSuffix(file, "code_test.go") {\n\t\tt.Fatal(file)\n\t}',
        'runtime"\n\t"strings',
    )
    named = body('if t.Name() != "TestIt" {\n\t\tt.Fatal(t.Name())\n\t}')
    results = verdicts(
        toolchain, (CODE, TEST), (CODE, own_file), (CODE, named), (bomb, body("")), (CODE.replace("+", "*"), TEST)
    )
    assert [one.states["test"] for one in results] == ["pass", "pass", "pass", "fail", "fail"]
    assert "regexp: Compile" in said(results[3])[0][1]


def test_a_bomb_for_the_compiler_is_stopped_and_spoils_nothing(
    toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.golang.batch.COMPILE_SECONDS", 3)
    monkeypatch.setattr("core.golang.batch.COMPILE_MEMORY", 2 << 30)
    bomb = "package a\n\nvar x = [1 << 28]int{1<<28 - 1: 1}\n"
    results = verdicts(toolchain, (bomb, body("_ = x")), (CODE, TEST), (CODE, TEST))
    assert [one.states["test"] for one in results] == ["fail", "pass", "pass"]
    assert said(results[0]) == [(0, "takes too much time or memory to build")]


def test_a_stop_is_heard(toolchain: Toolchain) -> None:
    start = time.monotonic()
    items = [TestItem(at, CODE, body("for {\n\t}")) for at in range(40)]
    results = list(run_tests(items, toolchain, cancel=lambda: time.monotonic() - start > 3))
    assert results == []
    assert time.monotonic() - start < 30


def test_without_walls_nothing_runs_unless_the_user_says_so(
    toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Sandbox(SandboxLevel("limits", "There are no walls here."), sandbox.probe(toolchain).helper, toolchain)
    monkeypatch.setattr("core.golang.testing.probe", lambda toolchain: bare)
    with pytest.raises(UserError, match="There are no walls here") as caught:
        next(run_tests([TestItem(0, CODE, TEST)], toolchain))
    assert "bubblewrap" in caught.value.hint
    monkeypatch.setenv(sandbox.CONSENT, "1")
    (result,) = verdicts(toolchain, (CODE, TEST))
    assert result.states == {"test": "pass"}


def test_the_race_detector_names_both_places(toolchain: Toolchain) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("the race detector needs a C compiler")
    racy = (
        'package a\n\nimport "sync"\n\nfunc Count(n int) int {\n\ttotal := 0\n\tvar wait sync.WaitGroup\n\tfor range n {\n'
        "\t\twait.Go(func() {\n\t\t\ttotal++\n\t\t})\n\t}\n\twait.Wait()\n\treturn total\n}\n"
    )
    test = body('if Count(2) == 0 { t.Error("none") }')
    items = [TestItem(0, racy, test), TestItem(1, CODE, TEST), TestItem(2, CODE, TEST)]
    results = list(run_tests(items, toolchain, race=True))
    assert [one.states["test"] for one in results] == ["fail", "pass", "pass"]
    [(line, message)] = said(results[0])
    assert line == 0
    assert re.fullmatch(
        r"data race: a (read|write) at code line 10 after a (read|write) at code line 10 during TestIt", message
    )
    assert next(run_tests(items[:1], toolchain)).states == {"test": "pass"}


def test_without_a_c_compiler_the_race_detector_says_what_to_install(
    toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = environment(toolchain)
    monkeypatch.setattr("core.golang.batch.environment", lambda _toolchain: {**usual, "PATH": "/nowhere"})
    with pytest.raises(UserError, match="race detector cannot be used here") as caught:
        next(run_tests([TestItem(0, CODE, TEST)], toolchain, race=True))
    assert "apt-get install gcc" in caught.value.hint


RICH = """package a

import (
	"fmt"
	str "strings"
)

type number interface{ ~int | ~float64 }

type Pair[K comparable, V number] struct {
	Key K
	Val V
}

func (p Pair[K, V]) String() string { return fmt.Sprint(p.Key, "=", p.Val) }

type base struct{ name string }

type kind int

const (
	first kind = iota
	second
)

var names = map[kind]string{first: "first", second: "second"}

func (k kind) String() string { return names[k] }

func Sum(a, b int) int {
	Sum := Pair[string, int]{Key: str.ToUpper("k"), Val: a}
	total := Sum.Val
add:
	for range b {
		total++
		if total > 1000 {
			break add
		}
	}
	return total
}

func Show() string { return fmt.Sprint(Pair[string, int]{Val: 1, Key: "k"}, second, base{name: "x"}.name) }
"""
SHOW = 'package a\n\nimport "testing"\n\nfunc TestShow(t *testing.T) {\n\tif got := Show(); got != "k=1 secondx" {\n\t\tt.Fatal(got)\n\t}\n}\n'


def test_many_share_a_package_though_all_declare_the_same(toolchain: Toolchain) -> None:
    embeds = f"{CODE}\ntype Base struct{{ N int }}\n\ntype Top struct{{ Base }}\n\nfunc (t Top) Get() int {{ return t.Base.N }}\n"
    uses = TEST.replace("}\n}\n", '}\n\tif (Top{Base{2}}).Get() != 2 {\n\t\tt.Error("embedded")\n\t}\n}\n')
    wrong, missing = CODE.replace("a + b", "a - b"), CODE.replace("Sum", "Plus")
    panics = CODE.replace("return a + b", "panic(a)")
    pairs = [
        (CODE, TEST),
        (RICH, TEST),
        (RICH, SHOW),
        (embeds, uses),
        (wrong, TEST),
        (missing, TEST),
        (panics, TEST),
    ] * 3
    items = [TestItem(at, code, test) for at, (code, test) in enumerate(pairs)]
    found = list(try_tests(items, toolchain, believed=True))
    expected = ["", "", "", "", "wrong", "types", "panic"] * 3
    assert [one.verdict.cause for one in found] == expected, [one.verdict for one in found]
    assert [one.runs for one in found[:7]] == [("pass",)] * 4 + [("fail",) * RUNS, (), ("fail",) * RUNS]
    assert found[4].verdict.diagnostics[0].line == 8
    assert "undefined: Sum" in found[5].verdict.diagnostics[0].message
    assert "panic: 1 (code line 3) during TestSum" in found[6].verdict.diagnostics[0].message


@pytest.mark.parametrize(
    "spoiler",
    [
        "var kept = make([]byte, 4<<30)",
        "var kept [3 << 30]byte",
        "var list = []int{1}\n\nvar one = list[len(list)]",
        "var none *struct{ n int }\n\nvar n = none.n",
    ],
)
def test_who_spoils_a_shared_program_spoils_it_for_nobody_else(toolchain: Toolchain, spoiler: str) -> None:
    spoilt = f"{CODE}\n{spoiler}\n"
    items = [TestItem(at, code, TEST) for at, code in enumerate([CODE, spoilt, CODE, CODE, CODE.replace("+", "-")])]
    found = list(try_tests(items, toolchain, believed=True))
    states = [one.verdict.state for one in found]
    assert states == ["pass", "fail", "pass", "pass", "fail"]


UNCOMPILED = {
    "undefined": CODE.replace("a + b", "a + c"),
    "missing": CODE.replace("Sum", "Plus"),
    "unused variable": CODE.replace("return a + b", "unused := 1\n\treturn a + b"),
    "unused import": CODE.replace("func Sum", 'import "fmt"\n\nfunc Sum'),
    "types": CODE.replace("return a + b", 'return "größe" + a'),
    "no return": CODE.replace("return a + b", "a += b"),
    "twice": CODE + "\nfunc Sum(a int) int { return a }\n",
    "several": CODE.replace("return a + b", "var s string = a\n\ts.x()\n\treturn nosuch(s)"),
}


def test_what_the_type_checker_says_is_what_the_compiler_would_say(toolchain: Toolchain) -> None:
    """Believed, nothing of it is built: that costs a compiler for each."""
    items = [TestItem(at, code, TEST) for at, code in enumerate([*UNCOMPILED.values(), CODE])]
    quick, slow = (list(try_tests(items, toolchain, believed=believed)) for believed in (True, False))
    assert [one.verdict.cause for one in quick] == ["types"] * len(UNCOMPILED) + [""]
    for name, ours, theirs in zip(UNCOMPILED, quick, slow, strict=False):
        assert ours.verdict == theirs.verdict, name
