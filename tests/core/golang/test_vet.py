"""What go vet says, sample by sample, though one command looks at all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.golang.checker import CheckItem, CheckResult
from core.golang.toolchain import Toolchain, environment
from core.golang.vet import vet

GOOD = "package a\n\nfunc F() int { return 1 }\n"
PRINTF = 'package a\n\nimport "fmt"\n\nfunc F() { fmt.Printf("ü %d\\n", "x") }\n'
COPIED = 'package main\n\nimport "sync"\n\ntype T struct{ mu sync.Mutex }\n\nfunc f(t T) {}\n\nfunc main() {}\n'


def verdicts(toolchain: Toolchain, *codes: str) -> list[CheckResult]:
    results = list(vet((CheckItem(10 + at, code) for at, code in enumerate(codes)), toolchain))
    assert [one.key for one in results] == [10 + at for at in range(len(codes))]
    return results


def test_findings_carry_the_sample_s_own_lines_and_the_analyzer(toolchain: Toolchain) -> None:
    good, printf, copied = verdicts(toolchain, GOOD, PRINTF, COPIED)
    assert good.states == {"vet": "pass"}
    assert printf.states == {"vet": "fail"}
    (found,) = printf.diagnostics
    assert (found.check, found.line, found.column) == ("vet", 5, 26)
    assert found.message.endswith("(printf)")
    (found,) = copied.diagnostics
    assert found.line == 7
    assert found.message == "f passes lock by value: T contains sync.Mutex (copylocks)"


def test_what_cannot_be_loaded_is_skipped_and_spoils_nothing(toolchain: Toolchain) -> None:
    codes = [
        "package a\n\nfunc F( {\n",  # syntax
        'package a\n\nvar x int = "s"\n',  # types
        'package a\n\nimport "github.com/x/y"\n\nvar _ = y.Z\n',
        'package a\n\nimport "internal/abi"\n\nvar _ abi.Kind\n',
        'package a\n\nimport _ "embed"\n\n//go:embed x.txt\nvar x string\n',
        "//go:build plan9\n\npackage a\n",
        "",
        PRINTF,
        GOOD,
    ]
    states = [one.states["vet"] for one in verdicts(toolchain, *codes)]
    assert states == ["skipped"] * 7 + ["fail", "pass"]


def test_package_clauses_are_mended_where_they_must_be(toolchain: Toolchain) -> None:
    fragment = 'import "fmt"\n\nfunc F() {\n\tfmt.Printf("%d", "x")\n}\n'
    on_line_one = "func F(p *int) { p = p }\n"
    documentation = PRINTF.replace("package a", "package documentation")
    external = PRINTF.replace("package a", "package a_test")
    results = verdicts(toolchain, fragment, on_line_one, documentation, external)
    assert [one.states["vet"] for one in results] == ["fail"] * 4
    assert [one.diagnostics[0].line for one in results] == [4, 1, 5, 5]
    assert results[1].diagnostics[0].column == 18


def test_batches_follow_one_another_and_a_stop_is_heard(toolchain: Toolchain) -> None:
    results = list(vet((CheckItem(at, GOOD) for at in range(130)), toolchain))
    assert len(results) == 130
    assert list(vet([CheckItem(0, GOOD)], toolchain, cancel=lambda: True)) == []


def test_a_cache_that_lost_what_was_found_makes_nothing_pass(toolchain: Toolchain) -> None:
    """As a command leaves it that is killed after it stored the facts of a package and before what it found there."""
    assert [one.states["vet"] for one in verdicts(toolchain, PRINTF, GOOD)] == ["fail", "pass"]
    cache = Path(environment(toolchain)["GOCACHE"])
    findings = [path for path in cache.glob("??/*-d") if b"Printf format" in path.read_bytes()]
    assert findings
    for path in findings:
        path.unlink()
    assert [one.states["vet"] for one in verdicts(toolchain, PRINTF, GOOD)] == ["fail", "pass"]


def test_what_vet_says_nothing_of_does_not_pass(toolchain: Toolchain, tmp_path: Path) -> None:
    silent = tmp_path / "go"
    silent.write_text("#!/bin/sh\nexit 0\n")
    silent.chmod(0o755)
    (found,) = vet([CheckItem(1, GOOD)], replace(toolchain, go=silent))
    assert found.states == {"vet": "skipped"}
    assert found.diagnostics[0].message == "not vetted: go vet said nothing"
