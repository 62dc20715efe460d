"""Proofs by the real toolchain, for many samples that come one by one."""

from __future__ import annotations

import asyncio

import pytest

from core.golang.toolchain import Toolchain
from core.teacher.proving import Proof, proving
from tests.core.teacher.scripted import check_of, code


def prove(toolchain: Toolchain, *asked: tuple[str, ...]) -> tuple[list[Proof], int]:
    """The proofs of code, test and perhaps broken code, asked for at once, and how many batches that took."""

    async def all_of_them() -> tuple[list[Proof], int]:
        async with proving(toolchain) as prover:
            proofs = await asyncio.gather(
                *(prover.prove(one, test, rival="".join(rival)) for one, test, *rival in asked)
            )
            return list(proofs), prover.batches

    return asyncio.run(all_of_them())


def test_samples_that_wait_are_proved_together(toolchain: Toolchain) -> None:
    proofs, batches = prove(toolchain, *((code(n), check_of(n)) for n in range(12)))
    assert all(proof.verified for proof in proofs)
    assert {proof.stub for proof in proofs} == {"fail"}
    assert batches == 1


def test_what_is_lacking_is_said(toolchain: Toolchain) -> None:
    outside = 'package a\n\nimport "github.com/x/y"\n\nfunc F() int { return y.Z() }\n'
    typed = "package p0\n\ntype Add0 struct{}\n"
    type_test = 'package p0\n\nimport "testing"\n\nfunc TestIt(t *testing.T) { _ = Add0{} }\n'
    copies = 'package a\n\nimport "sync"\n\nfunc F(m sync.Mutex) int { return 1 }\n'
    copy_test = 'package a\n\nimport (\n\t"sync"\n\t"testing"\n)\n\nfunc TestF(t *testing.T) {\n\tif F(sync.Mutex{}) != 1 {\n\t\tt.Error("no")\n\t}\n}\n'
    proofs, _ = prove(
        toolchain, ("", ""), ("package a\n\nfunc F( {\n", check_of(0)), (code(0), ""), (outside, check_of(0)), (typed, type_test), (copies, copy_test)
    )  # fmt: skip
    assert [proof.lacks() for proof in proofs] == [
        "There is no Go code.",
        "parse: expected ')', found '{'",
        "There is no test.",
        "Not proved: imports github.com/x/y, which is outside the standard library",
        "There is no stub to compare with: the code has no function.",
        "vet: F passes lock by value: sync.Mutex (copylocks)",
    ]
    assert not any(proof.verified for proof in proofs)


def test_a_test_must_fail_on_the_broken_code_too(toolchain: Toolchain) -> None:
    broken = code(0).replace("a + b", "a - b")
    unbuilt = "package p0\n\nfunc Add0(a, b int) int { return c }\n"
    good, same, useless = prove(toolchain, *((code(0), check_of(0), rival) for rival in (broken, code(0), unbuilt)))[0]
    assert (good.stub, good.rival, good.verified) == ("fail", "fail", True)
    assert (same.rival, same.lacks()) == ("pass", "The test also passes on the broken code.")
    assert useless.rival == "skipped"
    assert "does not compile alone" in useless.lacks()


def test_a_test_that_fails_in_company_alone_proves_nothing_by_it(toolchain: Toolchain) -> None:
    minds = """package p1

import (
	"runtime"
	"strings"
	"testing"
)

func TestAdd1(t *testing.T) {
	counter, file, _, _ := runtime.Caller(0)
	if name := runtime.FuncForPC(counter).Name(); !strings.HasSuffix(name, ".TestAdd1") || !strings.HasSuffix(file, "_test.go") {
		t.Fatal(name, file)
	}
	Add1(1, 2)
}
"""
    (sound, weak), batches = prove(toolchain, (code(0), check_of(0)), (code(1), minds))
    assert (batches, sound.stub, sound.verified) == (1, "fail", True)
    assert (weak.states["test"], weak.stub) == ("pass", "pass"), "its own file name is what it fails on, not the stub"


def test_words_are_those_of_a_terminal(toolchain: Toolchain) -> None:
    (types, test), _ = prove(
        toolchain, (code(0).replace("a + b", "a + c"), check_of(0)), (code(0).replace("a + b", "a - b"), check_of(0))
    )
    assert types.words() == "code.go:4:42: undefined: c"
    assert test.words().startswith("code_test.go:16: TestAdd0/both: Add0(2, 3) = 0, want 6")


def test_a_stop_gives_up_what_is_under_way(toolchain: Toolchain) -> None:
    async def stopped() -> None:
        async with proving(toolchain, lambda: True) as prover:
            await prover.prove(code(0), check_of(0))

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stopped())
