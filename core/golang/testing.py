"""Run the samples' own tests: built in batches, each run alone behind walls, judged by name.

A test that cannot be built or run here is skipped with the reason; what the sandbox does wrong never counts against a
sample.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
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
from core.golang.commands import Cancel, run
from core.golang.pipeline import Pipeline
from core.golang.sandbox import CONSENT, Limits, Sandbox, consented, failure, inner_environment, probe, scratch, wrap
from core.golang.testbuild import TestBuild, Verdict, check_race
from core.golang.toolchain import Toolchain, find

BATCH = 128
"""Samples built together: enough that linking costs little, few enough that a stop is quick and progress is seen."""


@dataclass(frozen=True, slots=True)
class TestItem:
    """A sample's code and its test ("" for none); key is the caller's own."""

    __test__ = False  # for pytest: this is no test of ours

    key: int
    code: str
    test: str


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
    Raises UserError when there is no Go toolchain, when no sandbox works and the user has not agreed to go without, and
    when the race detector is asked for and cannot be had.
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

        runner = _Runner(toolchain, sandbox, limits, stop, pool, race=race)

        def begin() -> Future[_Batch] | None:
            some = list(itertools.islice(waiting, BATCH))
            return builder.submit(runner.build, some, pipeline) if some else None

        # While the programs of one batch run, those of the next are built: each of the two leaves the processor idle at times.
        following = begin()
        try:
            while following is not None:
                batch = following.result()
                with batch.room:
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
    ) -> None:
        self._toolchain = toolchain
        self._sandbox = sandbox
        self._limits = limits
        self._cancel = cancel
        self._pool = pool
        self._race = race

    def build(self, items: Sequence[TestItem], pipeline: Pipeline) -> _Batch:
        """Arrange a batch, and link what can be linked into one program."""
        samples = arrange(pipeline, ((item.key, item.code, item.test) for item in items))
        verdicts = {sample.folder: verdict for sample in samples if (verdict := _without_building(sample)) is not None}
        room = scratch(self._toolchain)
        try:
            build = TestBuild(self._toolchain, Path(room.name), self._cancel, race=self._race)
            together = build.together([sample for sample in samples if sample.folder not in verdicts])
        except BaseException:
            room.cleanup()
            raise
        return _Batch(samples, room, build, verdicts, together)

    def judge(self, batch: _Batch) -> list[CheckResult] | None:
        """Results of a batch, None when cancelled.

        A test that fails in a shared program is built and run alone before that is believed: it may look at its own file
        name, or at what else the program holds.
        """
        verdicts, folder = batch.verdicts, Path(batch.room.name)
        left = [sample for sample in batch.samples if sample.folder not in verdicts]
        slow = None if batch.together is None else self._run_all(batch.together, batch.build, folder, verdicts)
        if slow is None:
            return None
        left = [s for s in left if s.folder not in slow and verdicts.get(s.folder, ("",))[0] != "pass"]
        unbuilt = batch.build.alone(left)
        if unbuilt is None:
            return None
        verdicts |= unbuilt
        built = [sample for sample in left if sample.folder not in unbuilt]
        if self._run_all(built, batch.build, folder, verdicts) is None:
            return None
        return [
            CheckResult(sample.key, {"test": state}, said)
            for sample in batch.samples
            for state, said in [verdicts[sample.folder]]
        ]

    def _run_all(
        self, samples: Sequence[Arranged], build: TestBuild, folder: Path, verdicts: dict[str, Verdict]
    ) -> set[str] | None:
        """Run the binaries of samples and note the verdicts. Returns the folders of those that ran out of time, None when
        cancelled."""
        futures = [
            self._pool.submit(self._run, sample, folder / f"{sample.folder}.test", build.seal) for sample in samples
        ]
        slow = set()
        try:
            for sample, future in zip(samples, futures, strict=True):
                if (result := future.result()) is None:
                    return None
                verdicts[sample.folder], seconds = result
                if seconds >= self._limits.seconds:
                    slow.add(sample.folder)
        finally:
            for future in futures:
                future.cancel()
            wait(futures)  # the folder goes away next
        return slow

    def _run(self, sample: Arranged, binary: Path, seal: str) -> tuple[Verdict, float] | None:
        """Run one binary: its verdict and the seconds it took; None when cancelled."""
        limits = self._limits
        arguments = ["-test.v=test2json", f"-test.timeout={limits.seconds}s"]
        with scratch(self._toolchain) as room:
            done = run(
                wrap(self._sandbox, [binary, *arguments], Path(room), limits),
                folder=Path(room), environment=inner_environment(self._sandbox, Path(room)),
                seconds=limits.seconds + 5, output=limits.output, cancel=self._cancel,
            )  # fmt: skip
        binary.unlink(missing_ok=True)
        if done.stopped == "cancelled":
            return None
        if reason := failure(done):
            return ("skipped", (Diagnostic("test", 0, 0, f"not run: the sandbox failed ({reason})"),)), done.seconds
        verdict = testreport.judge(
            (*sample.tests, *(one.name for one in sample.examples)),
            code=done.code, stdout=done.stdout, stderr=done.stderr, stopped=done.stopped,
            seconds=limits.seconds, processor=limits.processor, seal=seal,
        )  # fmt: skip
        return verdict, done.seconds


def _without_building(sample: Arranged) -> Verdict | None:
    if sample.outside:
        return "skipped", (Diagnostic("test", 0, 0, f"not run: {sample.outside}"),)
    if sample.wrong:
        text, line, column, message = sample.wrong
        if text == "test":
            return "fail", (Diagnostic("test", line, column, f"does not compile: {message}"),)
        return "fail", (Diagnostic("test", 0, 0, f"the code does not compile: {message} (code line {line})"),)
    if not sample.test:
        return "skipped", ()
    if not sample.tests and not sample.examples:
        return "skipped", (Diagnostic("test", 0, 0, "the test holds no test function"),)
    return None
