"""How far a text is looked at: types, vet, test. One after the other, since what does not compile is neither vetted nor run.

What a check job does to thousands of samples and the playground does to one answer is the same, and stands here once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.golang.checker import Checker, CheckItem, CheckResult
from core.golang.commands import Cancel
from core.golang.testing import TestItem, run_tests
from core.golang.toolchain import Toolchain
from core.golang.vet import vet

LEVELS = ("types", "vet", "test")


@dataclass(frozen=True, slots=True)
class Text:
    """Code and its test, "" for none; version is the caller's own."""

    version: int
    code: str
    test: str


def check_texts(
    texts: Sequence[Text],
    level: str,
    checker: Checker,
    toolchain: Toolchain,
    *,
    cancel: Cancel | None = None,
    parallel: int = 2,
    race: bool = False,
) -> list[CheckResult] | None:
    """One result a text, in order, its key the place in `texts`; None when cancelled meanwhile.

    Raises UserError as `Checker.start` and `run_tests`.
    """
    results = list(checker.check(CheckItem(at, text.code) for at, text in enumerate(texts)))
    sound = [result.key for result in results if result.states["types"] == "pass"]
    more: list[Iterator[CheckResult]] = []
    if level in ("vet", "test"):
        more.append(vet((CheckItem(at, texts[at].code) for at in sound), toolchain, cancel))
    if level == "test":
        tests = (TestItem(at, texts[at].code, texts[at].test) for at in sound)
        more.append(run_tests(tests, toolchain, cancel=cancel, parallel=parallel, race=race))
    for check, found in zip(("vet", "test"), more, strict=False):
        for result in results:
            result.states[check] = "skipped"
        answered = 0
        for result in found:
            answered += 1
            results[result.key] = joined(results[result.key], result)
        if answered < len(sound):
            return None
    return results


def joined(one: CheckResult, more: CheckResult) -> CheckResult:
    """What two checks said of the same text."""
    return CheckResult(one.key, one.states | more.states, one.diagnostics + more.diagnostics, one.formatted, one.policy)
