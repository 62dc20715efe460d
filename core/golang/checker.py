"""Verdicts on parsing, formatting and types for many samples at once, and what all verdicts have in common.

Runs nothing of a sample's own and fetches nothing: an import beyond the standard library leaves types unchecked and says
so. Vet and tests, which need the go command, live in their own modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType

from core.golang.pipeline import GivenUp, Pipeline
from core.golang.toolchain import Toolchain

CHECKS = ("parse", "format", "types", "vet", "test")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint. line and column count from 1, columns in characters; 0 for the whole.

    They are places in the sample's code, for the check "test" in its test; a place in the other text is in the message.
    """

    check: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class CheckItem:
    """A text to check; key is the caller's own."""

    key: int
    code: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """states: check -> "pass", "fail" or "skipped"; formatted: what gofmt makes of the code, None when it is the same.

    policy: what is wrong although the compiler takes it; each one's `check` is a kind of `samples.language.POLICIES`. Only a
    `Checker` looks for it; vet and tests leave it empty.
    """

    key: int
    states: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]
    formatted: str | None = None
    policy: tuple[Diagnostic, ...] = ()


class Checker:
    """Checks texts with one helper process that lives as long as this does. For one thread at a time.

    The helper starts with the first check; on the first start ever it is built, which takes up to a minute. Use as a
    context manager, or call `close`; a Checker that is dropped ends its helper too.
    """

    def __init__(self, toolchain: Toolchain | None = None, *, workers: int = 2, seconds: float = 10.0) -> None:
        """workers: texts checked at the same time. seconds: the longest that one text may take before it is given up."""
        self._pipeline = Pipeline(toolchain, workers=workers, seconds=seconds)

    def __enter__(self) -> Checker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the helper, from any thread; a check under way ends with a UserError. A later check starts another helper."""
        self._pipeline.close()

    @property
    def pid(self) -> int | None:
        """The helper's process, None while it is not running."""
        return self._pipeline.pid

    def start(self) -> None:
        """Start the helper now. Raises UserError when there is no Go or the helper cannot be built."""
        self._pipeline.start()

    def check(self, items: Iterable[CheckItem]) -> Iterator[CheckResult]:
        """Verdicts on parse, format and types, in the order of the items.

        The items are drawn in the caller's thread, some hundred ahead of the results. A text that kills the helper fails
        with a diagnostic; all others are unaffected. Stopping half-way is fine. Raises UserError as `start`.
        """
        for item, answer in self._pipeline.ask((item, {"code": item.code}) for item in items):
            if isinstance(answer, GivenUp):
                yield _given_up(item.key, answer)
            else:
                yield CheckResult(
                    key=item.key,
                    states=answer["states"],
                    diagnostics=tuple(Diagnostic(**one) for one in answer.get("diagnostics", ())),
                    formatted=answer.get("formatted"),
                    policy=tuple(Diagnostic(**one) for one in answer.get("policy", ())),
                )


def _given_up(key: int, given_up: GivenUp) -> CheckResult:
    known = {"time": "takes too long to check", "memory": "takes too much memory to check"}
    why = known.get(given_up.reason, f"kills the checker ({given_up.reason})")
    check = given_up.check
    states = {"parse": "pass" if check != "parse" else "fail", "format": "skipped", "types": "skipped", check: "fail"}
    return CheckResult(key, states, (Diagnostic(check, 0, 0, f"This code {why}; it was tried twice."),))
