"""What the Go toolchain says of one answer: its code, and its own test or one that was given.

For a person who waits: each step is told as it begins, and may be cancelled. What cannot be tried here (no sandbox) is a
skipped check with the reason, so that the rest is still told; without a Go toolchain nothing can be told, and that is a UserError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import UserError
from core.golang.checker import CHECKS, Checker, Diagnostic
from core.golang.commands import Cancel
from core.golang.extract import GoCode, from_answer
from core.golang.helper import prepare
from core.golang.levels import Text, check_texts, joined
from core.golang.testing import TestItem, run_tests
from core.golang.toolchain import find

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AnswerVerdict:
    """states: check -> "pass", "fail" or "skipped", for all of CHECKS. diagnostics: their lines are those of `code.code`, for the
    check "test" those of `test`. test: the test that was used, "" for none; given: it came from the caller. formatted: what gofmt
    makes of the code, None when it is the same. policy: as in `CheckResult`. toolchain: its version. note: a sentence about what was not
    tried, "" when all was.
    """

    code: GoCode
    test: str
    given: bool
    states: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]
    formatted: str | None = None
    policy: tuple[Diagnostic, ...] = ()
    toolchain: str = ""
    note: str = ""

    @property
    def failed(self) -> tuple[str, ...]:
        """The checks that fail, in the order of CHECKS."""
        return tuple(check for check in CHECKS if self.states[check] == "fail")

    def line_in_answer(self, one: Diagnostic) -> int:
        """The 1-based line of the answer that a diagnostic is about; 0 where it is about no line of it."""
        if not one.line or (one.check == "test" and self.given):
            return 0
        begins = self.code.test_line if one.check == "test" else self.code.code_line
        return begins + one.line - 1 if begins else 0


def check_answer(answer: str, *, test: str = "", cancel: Cancel | None = None, say: Say | None = None) -> AnswerVerdict | None:  # fmt: skip
    """All five verdicts on an answer; None when cancelled. Takes some seconds when there is a test.

    test: used instead of the answer's own. say: told in words what is being done. Raises UserError when there is no Go toolchain,
    when its helper cannot be built, and for an answer without Go code.
    """
    found = from_answer(answer)
    if not found.code.strip():
        raise UserError("There is no Go code in this answer.", "Code stands in a block that begins with ```go.")
    tell: Say = say or (lambda _words: None)
    used = test or found.test
    toolchain = find()
    prepare(toolchain, say=tell)
    tell("Looking at syntax, types and vet")
    with Checker(toolchain, workers=1) as checker:
        results = check_texts([Text(0, found.code, used)], "vet", checker, toolchain, cancel=cancel)
    if results is None or (cancel is not None and cancel()):
        return None
    [result] = results
    note = "" if used else "The answer brings no test."
    result.states["test"] = "skipped"
    if used and result.states["types"] == "pass":
        tell("Building and running the test")
        try:
            tried = list(run_tests([TestItem(0, found.code, used)], toolchain, cancel=cancel, parallel=1))
        except UserError as error:
            note = str(error)
        else:
            if not tried:
                return None
            result = joined(result, tried[0])
    elif used:
        note = "The test was not run, because the code does not compile."
    return AnswerVerdict(
        found, used, bool(test), {check: result.states[check] for check in CHECKS}, result.diagnostics,
        result.formatted, result.policy, toolchain.version, note,
    )  # fmt: skip
