"""The client of the Go helper: many samples in, verdicts on parsing, formatting and types out, in order.

Keeps the helper busy by sending ahead, restarts it when it dies, and finds out which sample killed it. Runs nothing of
a sample's own; vet and tests live in their own modules.
"""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from core.golang.helper import prepare
from core.golang.mining import MinedFunction as MinedFunction
from core.golang.mining import mine as mine
from core.golang.process import HelperGoneError, HelperProcess
from core.golang.toolchain import Toolchain, find

CHECKS = ("parse", "format", "types", "vet", "test")
WINDOW = 256  # samples sent ahead: enough that neither side waits for the other
WINDOW_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint. line and column count from 1 in the sample's code, columns in characters; 0 for the whole."""

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
    """states: check -> "pass", "fail" or "skipped"; formatted: what gofmt makes of the code, None when it is the same."""

    key: int
    states: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]
    formatted: str | None = None


@dataclass(slots=True)
class _Sent:
    sequence: int
    item: CheckItem
    size: int


class Checker:
    """Checks texts with one helper process that lives as long as this does. For one thread at a time.

    The helper starts with the first check. Use as a context manager, or call `close`.
    """

    def __init__(self, toolchain: Toolchain | None = None, *, workers: int = 2, seconds: float = 10.0) -> None:
        """workers: goroutines that check. seconds: the longest that one text may take before it is given up."""
        self._toolchain = toolchain
        self._workers = workers
        self._seconds = seconds
        self._process: HelperProcess | None = None
        self._sequence = 0

    def __enter__(self) -> Checker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the helper and wait for it."""
        if self._process is not None:
            self._process.close()
            self._process = None

    @property
    def pid(self) -> int | None:
        """The helper's process, None while it is not running."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the helper now, building it first where that was never done. Raises UserError."""
        if self._process is None:
            self._toolchain = self._toolchain or find()
            helper = prepare(self._toolchain)
            self._process = HelperProcess(helper, workers=self._workers, seconds=self._seconds)

    def check(self, items: Iterable[CheckItem]) -> Iterator[CheckResult]:
        """Verdicts on parse, format and types, in the order of the items.

        The items are drawn in the caller's thread, up to WINDOW ahead of the results. A text that kills the helper
        fails with a diagnostic; all others are unaffected. Stopping half-way is fine.
        """
        waiting = iter(items)
        sent: collections.deque[_Sent] = collections.deque()
        exhausted = False
        while True:
            ahead = sum(one.size for one in sent)
            while not exhausted and len(sent) < WINDOW and ahead < WINDOW_BYTES:
                item = next(waiting, None)
                if item is None:
                    exhausted = True
                    break
                one = self._send(item)
                ahead += one.size
                sent.append(one)
            if not sent:
                return
            try:
                answer = self._answer(sent[0].sequence)
            except HelperGoneError:
                yield from self._isolate(sent)
                continue
            yield _result(sent.popleft().item.key, answer)

    def _send(self, item: CheckItem) -> _Sent:
        self._sequence += 1
        line = json.dumps({"n": self._sequence, "code": item.code}).encode() + b"\n"
        self.start()
        assert self._process is not None
        self._process.send(line)
        return _Sent(self._sequence, item, len(line))

    def _answer(self, sequence: int) -> dict[str, Any]:
        """The answer with this number; older ones belong to a check that was abandoned."""
        assert self._process is not None
        while True:
            answer = self._process.receive()
            if answer["n"] == sequence:
                return answer

    def _isolate(self, sent: collections.deque[_Sent]) -> Iterator[CheckResult]:
        """The helper died: ask again, one by one, for all that was under way, so that a killer dies alone."""
        self.close()
        suspects = [one.item for one in sent]
        sent.clear()
        for item in suspects:
            one = self._send(item)
            try:
                answer = self._answer(one.sequence)
            except HelperGoneError as again:
                self.close()
                yield _given_up(item.key, again.reason, again.suspects.get(one.sequence, "parse"))
                continue
            yield _result(item.key, answer)


def _result(key: int, answer: dict[str, Any]) -> CheckResult:
    return CheckResult(
        key=key,
        states=answer["states"],
        diagnostics=tuple(Diagnostic(**one) for one in answer.get("diagnostics", ())),
        formatted=answer.get("formatted"),
    )


def _given_up(key: int, reason: str, check: str) -> CheckResult:
    """A text that killed the helper twice, the second time alone; check is the one it was in."""
    why = {"time": "takes too long to check", "memory": "takes too much memory to check"}.get(
        reason, f"kills the checker ({reason})"
    )
    states = {"parse": "pass" if check != "parse" else "fail", "format": "skipped", "types": "skipped", check: "fail"}
    return CheckResult(key, states, (Diagnostic(check, 0, 0, f"This code {why}; it was tried twice."),))
