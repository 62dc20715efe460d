"""Verdicts on parse, format and types, and a helper that no sample and no signal can stop for long."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.errors import UserError
from core.golang.checker import Checker, CheckItem, CheckResult
from core.golang.toolchain import Toolchain

GOOD = 'package a\n\nimport "fmt"\n\nfunc F() { fmt.Println(1) }\n'


def check(checker: Checker, code: str) -> CheckResult:
    (result,) = checker.check([CheckItem(7, code)])
    assert result.key == 7
    return result


def messages(result: CheckResult, name: str) -> list[tuple[int, int, str]]:
    return [(one.line, one.column, one.message) for one in result.diagnostics if one.check == name]


def test_good_code_passes(checker: Checker) -> None:
    result = check(checker, GOOD)
    assert result.states == {"parse": "pass", "format": "pass", "types": "pass"}
    assert result.diagnostics == ()
    assert result.formatted is None


def test_all_syntax_errors_are_reported_with_line_and_column(checker: Checker) -> None:
    result = check(checker, "package a\n\nvar x = = 1\n\nfunc F() {\n\tif {\n\t}\n}\n\nvar y = )\n")
    assert result.states == {"parse": "fail", "format": "skipped", "types": "skipped"}
    found = messages(result, "parse")
    assert (3, 9, "expected operand, found '='") in found
    assert (10, 9, "expected operand, found ')'") in found


def test_the_formatted_text_comes_back_with_the_first_line_that_differs(checker: Checker) -> None:
    result = check(checker, "package a\n\nfunc F() int {\n  return 1\n}\n")
    assert result.states["format"] == "fail"
    assert result.formatted == "package a\n\nfunc F() int {\n\treturn 1\n}\n"
    assert messages(result, "format") == [(4, 1, r'gofmt writes this line as "\treturn 1"')]


def test_empty_lines_that_gofmt_adds_or_removes_are_said_so(checker: Checker) -> None:
    added = check(checker, "package a\nvar x = 1\n")
    assert messages(added, "format") == [(2, 1, "gofmt puts an empty line before this one")]
    removed = check(checker, "package a\n\n\n\nvar x = 1\n")
    assert messages(removed, "format") == [(3, 1, "gofmt removes this empty line")]


def test_a_missing_last_newline_is_no_fault(checker: Checker) -> None:
    assert check(checker, GOOD.rstrip("\n")).states["format"] == "pass"


def test_types_finds_every_error_of_the_compiler(checker: Checker) -> None:
    code = 'package a\n\nimport "os"\n\nfunc F() int {\n\tunused := 1\n\tvar s string = 2\n\t_ = s\n\tG(strings.ToUpper("x"))\n}\n'
    result = check(checker, code)
    assert result.states["types"] == "fail"
    found = messages(result, "types")
    assert (3, 8, '"os" imported and not used') in found
    assert (6, 2, "declared and not used: unused") in found
    assert (9, 2, "undefined: G") in found
    assert (9, 4, 'undefined: strings (import "strings" is missing)') in found
    assert any(line == 7 and "cannot use 2" in message for line, _, message in found)
    assert any(line == 10 and message == "missing return" for line, _, message in found)


def test_columns_count_characters_not_bytes(checker: Checker) -> None:
    result = check(checker, 'package a\n\nvar é, x = "ü", y\n')
    assert messages(result, "types") == [(3, 17, "undefined: y")]


def test_an_import_that_might_be_several_names_them(checker: Checker) -> None:
    (found,) = messages(check(checker, "package a\n\nvar x = rand.Int()\n"), "types")
    assert "crypto/rand" in found[2]
    assert "math/rand" in found[2]


def test_errors_that_explain_an_error_are_joined_to_it(checker: Checker) -> None:
    result = check(checker, "package a\n\nvar x = 1\n\nvar x = 2\n")
    (found,) = messages(result, "types")
    assert found == (5, 5, "x redeclared in this block; other declaration of x (line 3)")


def test_a_package_from_elsewhere_leaves_types_unchecked_and_is_named(checker: Checker) -> None:
    code = 'package a\n\nimport "github.com/gin-gonic/gin"\n\nvar x = gin.Default()\nvar y int = "s"\n'
    result = check(checker, code)
    assert result.states == {"parse": "pass", "format": "pass", "types": "skipped"}
    (found,) = messages(result, "types")
    assert found == (3, 8, "imports github.com/gin-gonic/gin, which is outside the standard library")
    assert "cgo" in messages(check(checker, 'package a\n\nimport "C"\n'), "types")[0][2]


def test_a_standard_package_that_does_not_exist_is_an_error(checker: Checker) -> None:
    result = check(checker, 'package a\n\nimport "strings/builder"\n\nvar x = builder.New()\n')
    assert result.states["types"] == "fail"
    (found,) = messages(result, "types")
    assert "strings/builder is not in the standard library" in found[2]


def test_internal_packages_may_not_be_used(checker: Checker) -> None:
    result = check(checker, 'package a\n\nimport "internal/abi"\n\nvar x abi.Kind\n')
    assert messages(result, "types") == [(3, 8, "use of internal package internal/abi not allowed")]


def test_a_fragment_without_package_clause_keeps_its_lines(checker: Checker) -> None:
    result = check(checker, "// F is one.\nfunc F() int {\n\treturn y\n}\n")
    assert result.states == {"parse": "pass", "format": "pass", "types": "fail"}
    assert messages(result, "types") == [(3, 9, "undefined: y")]
    broken = check(checker, "func F( {\n}\n")
    assert messages(broken, "parse")[0][:2] == (1, 9)
    untidy = check(checker, "func F() {\n    x()\n}\n")
    assert untidy.formatted == "func F() {\n\tx()\n}\n"


def test_line_directives_do_not_move_diagnostics(checker: Checker) -> None:
    result = check(checker, "package a\n\n//line other.go:500\nvar x = y\n")
    assert messages(result, "types") == [(4, 9, "undefined: y")]


@pytest.mark.parametrize(
    "code",
    [
        "",
        " \n",
        "\ufeffpackage a\n",
        "package a\x00\n",
        'package a\n\nvar x = "\ud800"\n',
        "This is no Go at all.",
        "package",
        "package a\n\nfunc F() {" + "{" * 90_000 + "}" * 90_000 + "}\n",
        "package a\n\nvar x = " + "(" * 50_000 + "1" + ")" * 50_000 + "\n",
        "package a\n\nvar x = " + "!" * 300_000 + "true\n",
        "package a\n\nvar x = " + "+".join(["1"] * 100_000) + "\n",
        "package a\n\ntype T " + "[]" * 200_000 + "int\n",
        "package a\n\nconst x = 1 << 1000000000\n\nconst y = 1e1000000000\n",
        "package a\n\nvar x = [1 << 28]int{1<<28 - 1: 1}\n",
        "package a\n\ntype T[P any] struct{ f *T[[]P] }\n\nvar x T[int]\n",
        "package a\n\ntype T [2]T\n",
        "package a\n" + "// x\n" * 400_000,
    ],
    ids=lambda code: repr(code[:24]),
)
def test_monstrous_code_gets_a_verdict_and_the_helper_lives(checker: Checker, code: str) -> None:
    checker.start()
    before = checker.pid
    result = check(checker, code)
    assert set(result.states) == {"parse", "format", "types"}
    assert result.diagnostics or result.states["types"] == "pass"
    assert checker.pid == before
    assert check(checker, GOOD).states["types"] == "pass"


DOUBLING = (
    'package a\n\nconst a0 = "aaaaaaaaaaaaaaaa"\n'
    + "".join(f"const a{i + 1} = a{i} + a{i}\n" for i in range(34))
    + "const n = len(a34)\n"
)  # a string of 256 GiB


def test_code_that_takes_too_long_fails_alone(toolchain: Toolchain) -> None:
    codes = [GOOD, GOOD, DOUBLING, GOOD, "package a\n\nvar x = y\n"]
    with Checker(toolchain, seconds=0.5) as checker:
        results = list(checker.check(CheckItem(at, code) for at, code in enumerate(codes)))
    assert [one.key for one in results] == [0, 1, 2, 3, 4]
    assert [one.states["types"] for one in results] == ["pass", "pass", "fail", "pass", "fail"]
    assert results[2].states["parse"] == "pass"
    (found,) = results[2].diagnostics
    assert found.check == "types"
    assert "takes too" in found.message


def test_many_items_keep_their_order_and_are_drawn_ahead_only_so_far(checker: Checker) -> None:
    drawn = 0

    def items() -> Iterator[CheckItem]:
        nonlocal drawn
        for at in range(3000):
            drawn += 1
            yield CheckItem(at, GOOD if at % 3 else f"package a\n\nvar x = y{at}\n")

    results = checker.check(items())
    first = next(results)
    assert first.key == 0
    assert drawn < 600
    rest = list(results)
    assert [one.key for one in rest] == list(range(1, 3000))
    assert all((one.states["types"] == "pass") == bool(one.key % 3) for one in rest)
    assert rest[2].diagnostics[0].message == "undefined: y3"


def test_stopping_half_way_does_not_confuse_the_next_check(checker: Checker) -> None:
    results = checker.check(CheckItem(at, f"package a\n\nvar x = old{at}\n") for at in range(1000))
    assert next(results).key == 0
    results.close()
    (again,) = checker.check([CheckItem(5, "package a\n\nvar x = fresh\n")])
    assert again.diagnostics[0].message == "undefined: fresh"


def test_a_killed_helper_is_started_again_and_nothing_is_lost(checker: Checker) -> None:
    killed = []

    def items() -> Iterator[CheckItem]:
        for at in range(2000):
            if at in (500, 1500) and checker.pid is not None:
                os.kill(checker.pid, signal.SIGKILL)
                killed.append(checker.pid)
            yield CheckItem(at, f"package a\n\nvar x{at} = {at}\n")

    results = list(checker.check(items()))
    assert len(set(killed)) == 2
    assert [one.key for one in results] == list(range(2000))
    assert all(one.states["types"] == "pass" for one in results)


def test_a_helper_that_is_stopped_by_a_signal_is_replaced(
    toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.golang.process.SILENCE", 0.5)
    with Checker(toolchain, seconds=0.2) as checker:
        checker.start()
        assert checker.pid is not None
        os.kill(checker.pid, signal.SIGSTOP)
        assert check(checker, GOOD).states["types"] == "pass"


def test_closing_ends_the_helper(toolchain: Toolchain, eventually: Callable[..., None]) -> None:
    checker = Checker(toolchain)
    checker.start()
    process = psutil.Process(checker.pid)
    checker.close()
    assert not process.is_running()
    assert checker.pid is None
    assert check(checker, GOOD).states["types"] == "pass"
    process = psutil.Process(checker.pid)
    del checker
    gc.collect()
    eventually(lambda: not process.is_running(), what="a dropped checker ends its helper")


def test_closing_from_another_thread_ends_a_check_with_a_sentence(toolchain: Toolchain) -> None:
    checker = Checker(toolchain)
    closed = threading.Event()

    def items() -> Iterator[CheckItem]:
        for at in range(100_000):
            if at == 400:
                thread = threading.Thread(target=lambda: (checker.close(), closed.set()))
                thread.start()
                thread.join()
            yield CheckItem(at, GOOD)

    with pytest.raises(UserError, match="stopped before it was done"):
        list(checker.check(items()))
    assert closed.is_set()
    assert checker.pid is None


def test_the_helper_ends_with_the_process_that_started_it(
    toolchain: Toolchain, eventually: Callable[..., None]
) -> None:
    code = (
        "import sys\nfrom core.golang.checker import Checker\n"
        "checker = Checker()\nchecker.start()\nprint(checker.pid, flush=True)\nsys.stdin.read()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    helper = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    eventually(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE, what="the helper has ended")


def test_no_file_but_the_pack_is_read(checker: Checker, tmp_path: Path) -> None:
    """Imports of files by path are not followed."""
    (tmp_path / "secret.go").write_text("package secret\n")
    result = check(checker, f'package a\n\nimport "{tmp_path}/secret"\n')
    assert result.states["types"] == "skipped"
