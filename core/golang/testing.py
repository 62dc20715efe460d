"""Run the samples' own tests: built in batches, each run alone behind walls, judged by name.

A test that cannot be built or run here is skipped with the reason; what the sandbox does wrong never counts against a
sample.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import UserError
from core.golang.batch import (
    Arranged,
    arrange,
    arranging,
    sweep,
)
from core.golang.checker import CheckResult, Diagnostic
from core.golang.commands import Cancel
from core.golang.pipeline import Pipeline
from core.golang.sandbox import CONSENT, Limits, Sandbox, consented, probe, scratch
from core.golang.testbuild import CONTROL, TestBuild, check_race, uncompiled
from core.golang.testreport import Verdict
from core.golang.testrun import TestRun, TestRunner
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

        judge = _Judge(toolchain, sandbox, limits, stop, pool, race=race, believed=believed, passes=passes)

        def begin() -> Future[_Batch] | None:
            some = list(itertools.islice(waiting, BELIEVED_BATCH if believed else BATCH))
            return builder.submit(judge.build, some, pipeline) if some else None

        # While the programs of one batch run, those of the next are built: each of the two leaves the processor idle at times.
        following = begin()
        try:
            while following is not None:
                batch = following.result()
                with batch.room, closing(batch.programs):
                    following = begin()
                    results = judge.judge(batch)
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
    runner: TestRunner
    verdicts: dict[str, Verdict]
    together: list[Arranged] | None


class _Judge:
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
            build = TestBuild(self._toolchain, Path(room.name), programs.folder, self._cancel, race=self._race)
            together = build.together([sample for sample in samples if sample.folder not in verdicts])
        except BaseException:
            room.cleanup()
            raise
        runner = TestRunner(programs, build.seals, self._limits, self._cancel, self._pool, self._passes)
        return _Batch(samples, room, programs, build, runner, verdicts, together)

    def judge(self, batch: _Batch) -> list[Tried] | None:
        """What became of a batch, None when cancelled.

        A test that fails in a shared program is built and run alone before that is believed: it may look at its own file
        name, or at what else the program holds.
        """
        verdicts = batch.verdicts
        if batch.together is None:
            return None
        runs: dict[str, list[TestRun]] = {}
        believed = bool(self._believed and batch.together and self._unspoilt(batch))
        made = batch.runner.run_all(batch.together, RUNS if believed else 1)
        if made is None:
            return None
        runs |= {folder: some for folder, some in made.items() if believed or self._settled(some)}
        left = [one for one in batch.samples if one.folder not in verdicts and one.folder not in runs]
        unbuilt = batch.build.alone(left)
        if unbuilt is None:
            return None
        verdicts |= unbuilt
        made = batch.runner.run_all([one for one in left if one.folder not in unbuilt], RUNS if self._believed else 1)
        if made is None:
            return None
        runs |= made
        return [_tried(one, verdicts.get(one.folder), runs.get(one.folder, [])) for one in batch.samples]

    def _unspoilt(self, batch: _Batch) -> bool:
        """Whether nothing that a sample does before main runs keeps a shared program from passing a test that passes. Where the sandbox
        fails, nobody knows, and building anew would not help."""
        made = batch.runner.run(CONTROL, RUNS)
        return made is not None and any(one.verdict.state == "pass" or one.verdict.cause == "sandbox" for one in made)

    def _settled(self, runs: Sequence[TestRun]) -> bool:
        """Whether what a shared program said needs no second opinion."""
        return any(one.verdict.state == "pass" for one in runs) or runs[-1].seconds >= self._limits.seconds


def _tried(sample: Arranged, verdict: Verdict | None, runs: Sequence[TestRun]) -> Tried:
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
