"""Run the samples' own tests: built in batches, each run alone behind walls, judged by name.

A test that cannot be built or run here is skipped with the reason; what the sandbox does wrong never counts against a
sample.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import UserError
from core.golang import testreport
from core.golang.batch import (
    Arranged,
    arrange,
    arranging,
    sweep,
)
from core.golang.checker import CheckResult, Diagnostic
from core.golang.commands import Cancel
from core.golang.pipeline import Pipeline
from core.golang.sandbox import CONSENT, Limits, Sandbox, consented, failure, probe, scratch
from core.golang.testbuild import CONTROL, TestBuild, check_race, uncompiled
from core.golang.testreport import Verdict
from core.golang.toolchain import Toolchain, find
from core.golang.walled import WalledPrograms

BATCH = 128
"""Samples built together: enough that linking costs little, few enough that a stop is quick and progress is seen."""


BELIEVED_BATCH = 256
"""The same where what fails is not built again: each link costs half a second."""
RUNS = 3
"""How often a test that is believed in a shared program is run before it counts as failed."""


@dataclass(frozen=True, slots=True)
class TestItem:
    """A sample's code and its test ("" for none); key is the caller's own."""

    __test__ = False  # for pytest: this is no test of ours

    key: int
    code: str
    test: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of an item. runs: what each run of the program that decided said, in order; where they differ, it passes; none for
    what was not run. seconds: wall clock of the longest run."""

    __test__ = False  # for pytest: this is no test of ours

    key: int
    verdict: Verdict
    runs: tuple[str, ...]
    seconds: float


def run_tests(
    items: Iterable[TestItem],
    toolchain: Toolchain | None = None,
    *,
    limits: Limits | None = None,
    cancel: Cancel | None = None,
    parallel: int = 2,
    race: bool = False,
) -> Iterator[CheckResult]:
    """The verdict of each item's own test, in order: states {"test": "pass" | "fail" | "skipped"}.

    Diagnostics carry lines of the test; places in the code are named in the message. Ends early when cancel says so.
    race: under the race detector, with twice the memory and three times the seconds; a data race fails the test.
    Raises UserError as `try_tests`.
    """
    for one in try_tests(items, toolchain, limits=limits, cancel=cancel, parallel=parallel, race=race):
        yield CheckResult(one.key, {"test": one.verdict.state}, one.verdict.diagnostics)


def try_tests(
    items: Iterable[TestItem],
    toolchain: Toolchain | None = None,
    *,
    limits: Limits | None = None,
    cancel: Cancel | None = None,
    parallel: int = 2,
    race: bool = False,
    believed: bool = False,
    passes: int = 1,
) -> Iterator[Tried]:
    """As `run_tests`, with the cause of each verdict and what its runs said.

    believed: a failure in a program that many items share counts, once it has failed RUNS times, but for one that ran out of time;
    else such an item is built and run alone before that. Building alone costs half a second an item: whoever believes knows from
    answers that pass that nothing in these tests minds the company. passes: how often a test that passes is run, to see whether it
    always does. Raises UserError when there is no Go toolchain, when no sandbox
    works and the user has not agreed to go without, and when the race detector is asked for and cannot be had.
    """
    toolchain = toolchain or find()
    sandbox = probe(toolchain)
    if sandbox.level.name == "limits" and not consented():
        raise UserError(
            f"Tests were not run. {sandbox.level.explanation}",
            f"Install bubblewrap (`apt-get install bubblewrap`), or set {CONSENT}=1 to run them all the same.",
        )
    limits = limits or Limits()
    if race:
        check_race(toolchain)
        seconds, processor = 3 * limits.seconds, 3 * limits.processor
        limits = replace(limits, seconds=seconds, processor=processor, memory=2 * limits.memory)
    sweep(toolchain)
    waiting = iter(items)
    left = threading.Event()
    with (
        arranging(toolchain) as pipeline,
        ThreadPoolExecutor(parallel, thread_name_prefix="go-test") as pool,
        ThreadPoolExecutor(1, thread_name_prefix="go-build") as builder,
    ):

        def stop() -> bool:
            return left.is_set() or (cancel is not None and cancel())

        runner = _Runner(toolchain, sandbox, limits, stop, pool, race=race, believed=believed, passes=passes)

        def begin() -> Future[_Batch] | None:
            some = list(itertools.islice(waiting, BELIEVED_BATCH if believed else BATCH))
            return builder.submit(runner.build, some, pipeline) if some else None

        # While the programs of one batch run, those of the next are built: each of the two leaves the processor idle at times.
        following = begin()
        try:
            while following is not None:
                batch = following.result()
                with batch.room, closing(batch.programs):
                    following = begin()
                    results = runner.judge(batch)
                if results is None:
                    return
                yield from results
        finally:
            left.set()
            if following is not None and following.exception() is None:
                following.result().room.cleanup()


@dataclass(frozen=True, slots=True)
class _Batch:
    """Samples on their way. verdicts: of those that need no run, by folder. together: those in one program, None when cancelled."""

    samples: Sequence[Arranged]
    room: TemporaryDirectory[str]
    programs: WalledPrograms
    build: TestBuild
    verdicts: dict[str, Verdict]
    together: list[Arranged] | None


class _Runner:
    """What all batches of one call share."""

    def __init__(
        self,
        toolchain: Toolchain,
        sandbox: Sandbox,
        limits: Limits,
        cancel: Cancel,
        pool: ThreadPoolExecutor,
        *,
        race: bool,
        believed: bool,
        passes: int,
    ) -> None:
        self._toolchain = toolchain
        self._sandbox = sandbox
        self._limits = limits
        self._cancel = cancel
        self._pool = pool
        self._race = race
        self._believed = believed
        self._passes = passes

    def build(self, items: Sequence[TestItem], pipeline: Pipeline) -> _Batch:
        """Arrange a batch, and link what can be linked into one program."""
        samples = arrange(pipeline, ((item.key, item.code, item.test) for item in items), shared=self._believed)
        verdicts = {sample.folder: verdict for sample in samples if (verdict := _without_building(sample)) is not None}
        room = scratch(self._toolchain)
        try:
            programs = WalledPrograms(self._sandbox, Path(room.name), self._limits)
            build = TestBuild(self._toolchain, Path(room.name), programs.programs, self._cancel, race=self._race)
            together = build.together([sample for sample in samples if sample.folder not in verdicts])
        except BaseException:
            room.cleanup()
            raise
        return _Batch(samples, room, programs, build, verdicts, together)

    def judge(self, batch: _Batch) -> list[Tried] | None:
        """What became of a batch, None when cancelled.

        A test that fails in a shared program is built and run alone before that is believed: it may look at its own file
        name, or at what else the program holds.
        """
        verdicts = batch.verdicts
        runs: dict[str, list[_Run]] = {sample.folder: [] for sample in batch.samples}
        left = [sample for sample in batch.samples if sample.folder not in verdicts]
        together = [] if batch.together is None else batch.together
        believed = bool(self._believed and together and self._unspoilt(batch))
        times = RUNS if believed else 1
        if batch.together is None or not self._run_all(together, batch, runs, times):
            return None
        settled = {one.folder for one in together if believed or self._settled(runs[one.folder])}
        left = [sample for sample in left if sample.folder not in settled]
        runs |= {sample.folder: [] for sample in left}
        unbuilt = batch.build.alone(left)
        if unbuilt is None:
            return None
        verdicts |= unbuilt
        built = [sample for sample in left if sample.folder not in unbuilt]
        if not self._run_all(built, batch, runs, RUNS if self._believed else 1):
            return None
        return [_tried(sample, verdicts.get(sample.folder), runs[sample.folder]) for sample in batch.samples]

    def _unspoilt(self, batch: _Batch) -> bool:
        """Whether nothing that a sample does before main runs keeps a shared program from passing a test that passes. Where the sandbox
        fails, nobody knows, and building anew would not help."""
        made = self._run(CONTROL, batch, RUNS)
        return made is not None and any(one.verdict.state == "pass" or one.verdict.cause == "sandbox" for one in made)

    def _settled(self, runs: Sequence[_Run]) -> bool:
        """Whether what a shared program said needs no second opinion."""
        return any(one.verdict.state == "pass" for one in runs) or runs[-1].seconds >= self._limits.seconds

    def _run_all(self, samples: Sequence[Arranged], batch: _Batch, runs: dict[str, list[_Run]], times: int) -> bool:
        """Run the binaries of samples and note how it went. False when cancelled."""
        futures = [self._pool.submit(self._run, sample, batch, times) for sample in samples]
        try:
            for sample, future in zip(samples, futures, strict=True):
                if (made := future.result()) is None:
                    return False
                runs[sample.folder] += made
        finally:
            for future in futures:
                future.cancel()
            wait(futures)  # the folder goes away next
        return True

    def _run(self, sample: Arranged, batch: _Batch, times: int) -> list[_Run] | None:
        """Run one binary until it has passed as often as it should, or failed so often, or done both; None when cancelled. What ran
        out of time does so but once."""
        made: list[_Run] = []
        passed = 0
        binary = batch.programs.programs / f"{sample.folder}.test"
        while True:
            done = self._once(sample, batch, binary)
            if done is None:
                return None
            made.append(done)
            passed += done.verdict.state == "pass"
            failed = len(made) - passed
            both = passed > 0 and failed > 0
            if both or passed >= self._passes or failed >= times or done.verdict.cause in ("timeout", "skips"):
                break
        binary.unlink(missing_ok=True)
        return made

    def _once(self, sample: Arranged, batch: _Batch, binary: Path) -> _Run | None:
        limits = self._limits
        arguments = ["-test.v=test2json", f"-test.timeout={limits.seconds}s"]
        done = batch.programs.run(binary, arguments, seconds=limits.seconds + 5, cancel=self._cancel)
        if done.stopped == "cancelled":
            return None
        if reason := failure(done):
            said = Diagnostic("test", 0, 0, f"not run: the sandbox failed ({reason})")
            return _Run(Verdict("skipped", (said,), "sandbox"), done.seconds)
        verdict = testreport.judge(
            (*sample.tests, *(one.name for one in sample.examples)),
            code=done.code, stdout=done.stdout, stderr=done.stderr, stopped=done.stopped,
            seconds=limits.seconds, processor=limits.processor, seal=batch.build.seals[sample.folder],
        )  # fmt: skip
        return _Run(verdict, done.seconds)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a test binary."""

    verdict: Verdict
    seconds: float


def _tried(sample: Arranged, verdict: Verdict | None, runs: Sequence[_Run]) -> Tried:
    """verdict: of what was not run, None for the rest."""
    said = tuple(one.verdict.state for one in runs)
    longest = max((one.seconds for one in runs), default=0.0)
    passed = next((one.verdict for one in runs if one.verdict.state == "pass"), None)
    return Tried(sample.key, verdict or passed or runs[-1].verdict, said, longest)


def _without_building(sample: Arranged) -> Verdict | None:
    if sample.outside:
        return Verdict("skipped", (Diagnostic("test", 0, 0, f"not run: {sample.outside}"),), "outside")
    if sample.wrong:
        text, line, column, message = sample.wrong
        said = Diagnostic("test", line, column, f"does not compile: {message}")
        if text == "code":
            said = Diagnostic("test", 0, 0, f"the code does not compile: {message} (code line {line})")
        return Verdict("fail", (said,), "syntax")
    if not sample.test:
        return Verdict("skipped", (), "none")
    if not sample.tests and not sample.examples:
        return Verdict("skipped", (Diagnostic("test", 0, 0, "the test holds no test function"),), "none")
    return uncompiled(sample, sample.types) if sample.types else None
