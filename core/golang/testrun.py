"""Run the built tests of a batch behind walls, as often as it takes, each run judged by what it reported.

When a failure needs a second opinion, and what a sample comes to in the end, is the business of `testing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from core.golang import testreport
from core.golang.batch import Arranged
from core.golang.checker import Diagnostic
from core.golang.commands import Cancel
from core.golang.sandbox import Limits
from core.golang.testreport import Verdict
from core.golang.walled import WalledPrograms


@dataclass(frozen=True, slots=True)
class TestRun:
    """What one run of a test said, and its wall clock."""

    __test__ = False  # for pytest: this is no test of ours

    verdict: Verdict
    seconds: float


class TestRunner:
    """Runs programs that lie as <sample's folder>.test among the walled ones, and removes them afterwards."""

    __test__ = False  # for pytest: this is no test of ours

    def __init__(
        self,
        programs: WalledPrograms,
        seals: Mapping[str, str],
        limits: Limits,
        cancel: Cancel,
        pool: ThreadPoolExecutor,
        passes: int,
    ) -> None:
        """seals: by the sample's folder, the example that reports last. passes: how often a test that passes is run."""
        self._programs = programs
        self._seals = seals
        self._limits = limits
        self._cancel = cancel
        self._pool = pool
        self._passes = passes

    def run_all(self, samples: Sequence[Arranged], times: int) -> dict[str, list[TestRun]] | None:
        """The runs of each sample by its folder, side by side in the pool; see `run`. None when cancelled."""
        futures = [self._pool.submit(self.run, sample, times) for sample in samples]
        runs: dict[str, list[TestRun]] = {}
        try:
            for sample, future in zip(samples, futures, strict=True):
                if (made := future.result()) is None:
                    return None
                runs[sample.folder] = made
        finally:
            for future in futures:
                future.cancel()
            wait(futures)  # the folder goes away next
        return runs

    def run(self, sample: Arranged, times: int) -> list[TestRun] | None:
        """Run a sample's test until it has passed as often as it should, or failed so often, or done both; None when cancelled. What ran
        out of time does so but once."""
        made: list[TestRun] = []
        passed = 0
        program = self._programs.folder / f"{sample.folder}.test"
        while True:
            one = self._once(sample, program)
            if one is None:
                return None
            made.append(one)
            passed += one.verdict.state == "pass"
            failed = len(made) - passed
            both = passed > 0 and failed > 0
            if both or passed >= self._passes or failed >= times or one.verdict.cause in ("timeout", "skips"):
                break
        program.unlink(missing_ok=True)
        return made

    def _once(self, sample: Arranged, program: Path) -> TestRun | None:
        limits = self._limits
        arguments = ["-test.v=test2json", f"-test.timeout={limits.seconds}s"]
        done, failure = self._programs.run(program, arguments, seconds=limits.seconds + 5, cancel=self._cancel)
        if done.stopped == "cancelled":
            return None
        if failure:
            said = Diagnostic("test", 0, 0, f"not run: the sandbox failed ({failure})")
            return TestRun(Verdict("skipped", (said,), "sandbox"), done.seconds)
        verdict = testreport.judge(
            (*sample.tests, *(one.name for one in sample.examples)),
            code=done.code, stdout=done.stdout, stderr=done.stderr, stopped=done.stopped,
            seconds=limits.seconds, processor=limits.processor, seal=self._seals[sample.folder],
        )  # fmt: skip
        return TestRun(verdict, done.seconds)
