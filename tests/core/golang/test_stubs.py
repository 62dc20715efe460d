"""Stubs: the same types and signatures, nothing of what the functions did, and always something that compiles."""

from __future__ import annotations

from pathlib import Path

from core.golang.checker import Checker, CheckItem
from core.golang.extract import from_answer
from core.golang.stubs import Stub, stubs
from core.golang.testing import TestItem, run_tests
from core.golang.toolchain import Toolchain
from core.paths import resources
from core.samples.bundle import read_bundle

CODE = """package shop

import (
	"errors"
	"fmt"
	"sort"
	str "strings"
)

// ErrNone says that there is nothing.
var ErrNone = errors.New("none")

// Cart holds what is to be paid.
type Cart struct{ items map[string]int }

// Sum adds up. It returns early.
func (c *Cart) Sum(prices map[string]int) (total int, err error) {
	if len(c.items) == 0 {
		return 0, ErrNone
	}
	for name, n := range c.items {
		total += n * prices[name] // in cents
	}
	return total, nil
}

func Names[T ~string](all []T) []T {
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return all
}

func Split(s string) (string, string, bool) { return str.Cut(s, "=") }

func Greet(name string) string { return fmt.Sprintf("hello %s", name) }

var double = func(n int) int { return 2 * n }

func log(s string) { fmt.Println(s) }
"""


def one(toolchain: Toolchain, code: str) -> Stub:
    (made,) = stubs([CheckItem(7, code)], toolchain)
    assert made.key == 7
    return made


def test_every_function_is_emptied_and_what_nobody_needs_any_more_is_not_imported(toolchain: Toolchain) -> None:
    made = one(toolchain, CODE)
    assert (made.stubbed, made.reason) == (6, "")
    assert "func (c *Cart) Sum(prices map[string]int) (total int, err error) { return }" in made.code
    assert "func Names[T ~string](all []T) (_ []T) { return }" in made.code
    assert "func Split(s string) (_ string, _ string, _ bool) { return }" in made.code
    assert "var double = func(n int) (_ int) { return }" in made.code
    assert "func log(s string) {}" in made.code
    assert 'var ErrNone = errors.New("none")' in made.code
    assert '"errors"' in made.code
    assert not [name for name in ('"fmt"', '"sort"', '"strings"') if name in made.code]
    with Checker(toolchain) as checker:
        (checked,) = checker.check([CheckItem(0, made.code)])
    assert (checked.states["parse"], checked.states["types"]) == ("pass", "pass")


def test_a_fragment_dot_imports_and_a_single_import_are_stubbed_too(toolchain: Toolchain) -> None:
    fragment = one(toolchain, "func Sum(a, b int) int { return a + b }\n")
    assert fragment.code == "package sample; func Sum(a, b int) (_ int) { return }\n"
    dotted = one(toolchain, 'package a\n\nimport . "strings"\n\nfunc Up(s string) string { return ToUpper(s) }\n')
    assert '"strings"' not in dotted.code
    kept = one(toolchain, 'package a\n\nimport . "strings"\n\nfunc New() *Builder { return &Builder{} }\n')
    assert '"strings"' in kept.code
    typed = one(
        toolchain, 'package a\n\nimport "io"\n\nfunc All(r io.Reader) []byte { b, _ := io.ReadAll(r); return b }\n'
    )
    assert 'import "io"' in typed.code


def test_what_cannot_be_stubbed_says_why(toolchain: Toolchain) -> None:
    assert one(toolchain, "package a\n\ntype T struct{}\n").reason == "has no function"
    assert one(toolchain, "package a\n\nfunc F( {\n").reason.startswith("does not parse")
    assert (
        "outside the standard library"
        in one(toolchain, 'package a\n\nimport "github.com/x/y"\n\nfunc F() { y.Z() }\n').reason
    )
    assert one(toolchain, "package a\n\nfunc F() Missing { return 1 }\n").reason.startswith("its stub does not compile")


def test_a_test_that_tests_fails_on_the_stub_and_one_that_does_not_passes(toolchain: Toolchain) -> None:
    code = "package a\n\nfunc Sum(a, b int) int { return a + b }\n"
    real = 'package a\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Error("no")\n\t}\n}\n'
    idle = 'package a\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(0, 0) != 0 {\n\t\tt.Error("no")\n\t}\n}\n'
    stub = one(toolchain, code).code
    results = run_tests([TestItem(0, stub, real), TestItem(1, stub, idle)], toolchain)
    assert [result.states["test"] for result in results] == ["fail", "pass"]


def test_every_bundled_sample_with_a_function_has_a_stub_that_compiles(toolchain: Toolchain) -> None:
    codes = [
        from_answer(sample.messages[-1].content).code
        for sample in read_bundle(Path(resources() / "samples"))
        if not sample.planted
    ]
    items = [CheckItem(at, code) for at, code in enumerate(codes) if code]
    with Checker(toolchain) as checker:
        sound = {one.key for one in checker.check(items) if one.states["types"] == "pass"}
    left = {made.reason for made in stubs([item for item in items if item.key in sound], toolchain) if made.reason}
    assert left <= {"has no function"}
