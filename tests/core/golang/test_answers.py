"""One answer and all that Go says of it, with the answer's own test or a given one."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.golang import sandbox
from core.golang.answers import check_answer
from core.golang.sandbox import SandboxLevel

CODE = "package a\n\nfunc Sum(a, b int) int { return a + b }\n"
TEST = (
    'package a\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Error("no")\n\t}\n}\n'
)


def answer(code: str, test: str = "") -> str:
    return f"Here it is.\n\n```go\n{code}```\n" + (f"\nIts test:\n\n```go\n{test}```\n" if test else "")


def test_an_answer_is_judged_by_its_own_test_step_by_step() -> None:
    said: list[str] = []
    verdict = check_answer(answer(CODE, TEST), say=said.append)
    assert verdict is not None
    assert verdict.states == dict.fromkeys(("parse", "format", "types", "vet", "test"), "pass")
    assert (verdict.failed, verdict.given, verdict.note) == ((), False, "")
    assert said[-1] == "Building and running the test"


def test_a_failing_test_is_told_with_its_line_in_the_answer() -> None:
    verdict = check_answer(answer(CODE.replace("a + b", "a - b"), TEST))
    assert verdict is not None
    assert verdict.failed == ("test",)
    [said] = [one for one in verdict.diagnostics if one.check == "test"]
    assert answer(CODE, TEST).splitlines()[verdict.line_in_answer(said) - 1].strip() == 't.Error("no")'


def test_a_given_test_takes_the_place_of_the_answers_own() -> None:
    verdict = check_answer(answer(CODE, TEST), test=TEST.replace("!= 3", "!= 4"))
    assert verdict is not None
    assert verdict.given
    assert verdict.failed == ("test",)
    assert verdict.line_in_answer(verdict.diagnostics[-1]) == 0


def test_what_does_not_compile_is_told_and_its_test_is_not_run() -> None:
    verdict = check_answer(answer(CODE.replace("+ b", "+ c"), TEST))
    assert verdict is not None
    assert verdict.failed == ("types",)
    assert verdict.states["test"] == verdict.states["vet"] == "skipped"
    assert verdict.diagnostics[0].message == "undefined: c"
    assert verdict.line_in_answer(verdict.diagnostics[0]) == 6
    assert "does not compile" in verdict.note


def test_an_answer_without_a_test_says_so() -> None:
    verdict = check_answer(answer(CODE))
    assert verdict is not None
    assert verdict.states["test"] == "skipped"
    assert verdict.note == "The answer brings no test."


def test_an_answer_without_code_is_a_sentence() -> None:
    with pytest.raises(UserError, match="no Go code"):
        check_answer("I cannot do that.")


def test_without_a_toolchain_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UserError, match="no Go toolchain"):
        check_answer(answer(CODE))


def test_without_a_sandbox_all_but_the_test_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sandbox.CONSENT, raising=False)
    real = sandbox.probe

    def walls_that_fail(toolchain: object) -> sandbox.Sandbox:
        found = real(toolchain)  # type: ignore[arg-type]
        return sandbox.Sandbox(SandboxLevel("limits", "Nothing works here."), found.helper, found.toolchain)

    monkeypatch.setattr("core.golang.testing.probe", walls_that_fail)
    verdict = check_answer(answer(CODE, TEST))
    assert verdict is not None
    assert verdict.states == {"parse": "pass", "format": "pass", "types": "pass", "vet": "pass", "test": "skipped"}
    assert "Tests were not run" in verdict.note


def test_a_cancelled_check_says_nothing() -> None:
    assert check_answer(answer(CODE, TEST), cancel=lambda: True) is None
