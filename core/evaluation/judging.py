"""Verdicts on candidates: each built and run behind walls against its hidden test, many to a program, and told apart from our own
failures.

What fails in a program that many candidates share is believed only for problems whose reference passes there; the others' candidates
are built and run alone. What the sandbox does wrong is tried again and then said, never counted as a wrong answer. A candidate that
passes in one run and fails in another has passed, and is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.evaluation.assembling import Assembled, Assembler
from core.evaluation.suites import Problem
from core.golang.commands import Cancel
from core.golang.sandbox import Limits
from core.golang.testing import TestItem, Tried, try_tests
from core.golang.toolchain import Toolchain

STATUSES = (
    "pass", "extract", "syntax", "types", "refused", "build_timeout", "panic", "wrong_answer", "timeout", "out_of_memory",
    "sandbox_error",
)  # fmt: skip
"""pass; no code in it; does not parse; does not compile; does what could change its judge; too much for the compiler; a panic, or any
other end before its tests were over; a test failed; the clock; the memory; and our own failure, which says nothing of it."""
COMPILES = ("pass", "panic", "wrong_answer", "timeout", "out_of_memory")
TRIES = 3
"""How often a candidate is handed to the sandbox when the sandbox itself fails."""
LIMITS = Limits(seconds=10.0, processor=10)
_STATUS = {
    "": "pass", "wrong": "wrong_answer", "panic": "panic", "left": "panic", "output": "panic", "processes": "panic",
    "timeout": "timeout", "memory": "out_of_memory", "syntax": "syntax", "types": "types", "build": "build_timeout",
    "outside": "types",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a candidate. status: of STATUSES; detail: in words, "" for a pass; flaky: runs of it disagree; seconds: of its
    longest run; code: the Go text that was judged."""

    status: str
    detail: str
    flaky: bool
    seconds: float
    code: str


class Judge:
    """Judges completions of one suite in one mode. Use as a context manager; for one thread at a time."""

    def __init__(
        self,
        suite_format: str,
        mode: str,
        toolchain: Toolchain,
        *,
        workers: int = 2,
        limits: Limits = LIMITS,
        cancel: Cancel | None = None,
    ) -> None:
        """Raises UserError for a mode that the suite does not have."""
        self._assembler = Assembler(suite_format, mode, toolchain, workers=workers)
        self._toolchain = toolchain
        self._workers = workers
        self._limits = limits
        self._cancel = cancel
        self._wary: set[str] = set()
        self.suite_format = suite_format
        self.mode = mode

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self._assembler.__exit__()

    def references(self, problems: Iterable[Problem], passes: int = 1) -> dict[str, Judged]:
        """Verdicts on the answers that the suite itself brings, by task; tasks without one are absent. From now on the candidates of
        a problem whose reference does not pass in a shared program are run alone. passes: how often each is run while it passes. Empty
        when cancelled."""
        known = [one for one in problems if one.solution.strip()]
        made = self._assembler.assemble((one, one.solution) for one in known)
        found = self._run(made, believed=True, passes=passes)
        if found is None:
            return {}
        unsure = [at for at, one in enumerate(found) if one.status != "pass"]
        alone = self._run([made[at] for at in unsure], believed=False, passes=passes)
        if alone is None:
            return {}
        for at, one in zip(unsure, alone, strict=True):
            self._wary.add(known[at].task)
            found[at] = replace(one, flaky=one.flaky or found[at].flaky)
        return {one.task: judged for one, judged in zip(known, found, strict=True)}

    def judge(self, completions: Sequence[tuple[Problem, str]]) -> list[Judged] | None:
        """A verdict on each, in order; None when cancelled. Equal completions of a problem are judged once."""
        places: dict[tuple[str, str], int] = {}
        for at, (problem, text) in enumerate(completions):
            places.setdefault((problem.task, text), at)
        different = [completions[at] for at in places.values()]
        made = self._assembler.assemble(different)
        found = self._both(made, [problem.task in self._wary for problem, _ in different])
        if found is None:
            return None
        by_text = dict(zip(places, found, strict=True))
        return [by_text[problem.task, text] for problem, text in completions]

    def run(self, items: Sequence[tuple[str, str]]) -> list[Judged] | None:
        """Verdicts on pairs of code and test as they are, where failing is no surprise; None when cancelled."""
        return self._run([Assembled(code, test) for code, test in items], believed=True)

    def assemble(self, completions: Iterable[tuple[Problem, str]]) -> list[Assembled]:
        """The files that would be judged."""
        return self._assembler.assemble(completions)

    def _both(self, made: Sequence[Assembled], wary: Sequence[bool]) -> list[Judged] | None:
        found: dict[int, Judged] = {}
        for believed in (True, False):
            places = [at for at, careful in enumerate(wary) if careful is not believed]
            part = self._run([made[at] for at in places], believed=believed)
            if part is None:
                return None
            found |= dict(zip(places, part, strict=True))
        return [found[at] for at in range(len(made))]

    def _run(self, made: Sequence[Assembled], *, believed: bool, passes: int = 1) -> list[Judged] | None:
        found = {
            at: Judged(one.status, one.detail, False, 0.0, self._code(one)) for at, one in enumerate(made) if one.status
        }
        left = [at for at in range(len(made)) if at not in found]
        for _ in range(TRIES):
            if not left:
                break
            tried = self._try([(at, made[at]) for at in left], believed=believed, passes=passes)
            if len(tried) < len(left):
                return None
            found |= {at: self._judged(one, made[at]) for at, one in tried.items()}
            left = [at for at in left if found[at].status == "sandbox_error"]
        return [found[at] for at in range(len(made))]

    def _try(self, made: Sequence[tuple[int, Assembled]], *, believed: bool, passes: int) -> dict[int, Tried]:
        items = (TestItem(at, one.code, one.test) for at, one in made)
        tried = try_tests(
            items, self._toolchain, limits=self._limits, cancel=self._cancel, parallel=self._workers, believed=believed,
            passes=passes,
        )  # fmt: skip
        return {one.key: one for one in tried}

    def _judged(self, tried: Tried, made: Assembled) -> Judged:
        said = tried.verdict.diagnostics
        detail = "; ".join(f"line {one.line}: {one.message}" if one.line else one.message for one in said[:3])
        flaky = len(set(tried.runs)) > 1
        status = _STATUS.get(tried.verdict.cause, "sandbox_error")
        return Judged(status, "" if status == "pass" else detail, flaky, tried.seconds, self._code(made))

    def _code(self, made: Assembled) -> str:
        return made.code if self.mode == "fixed" else made.test


def counts(statuses: Iterable[str]) -> dict[str, int]:
    """How many there are of each of STATUSES."""
    found = dict.fromkeys(STATUSES, 0)
    for one in statuses:
        found[one] += 1
    return found
