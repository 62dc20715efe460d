"""Verdicts while something else goes on: answers are handed over, judged one evaluation after the other in a thread, and fetched.

The thread and all that it starts are niced, so that the work in front keeps the processor. A verdict that cannot be had is said and left
out: what was answered stays on disk, and whoever comes again may hand it over again. One `Judge` serves all evaluations, so the suite's
own answers are run once.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.errors import UserError
from core.evaluation import results
from core.evaluation.completions import Completion
from core.evaluation.judging import Judge
from core.evaluation.results import Evaluation
from core.evaluation.suites import Problem
from core.evaluation.verdicts import Bench, Terms, judge_into
from core.golang.helper import prepare
from core.golang.toolchain import find
from core.secrets import hide

NICE: Final = 5
"""A third of the share of a processor that others get who want it too: enough that no candidate runs out of its time for that reason."""
WORKERS: Final = 2


@dataclass(frozen=True, slots=True)
class Handed:
    """Answers to be judged into a folder. step, mark: what the caller knows them by. model, settings: who made them, and how."""

    step: int
    mark: str
    folder: Path
    model: str
    given: tuple[Completion, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Came:
    """What became of it: an evaluation, or why there is none."""

    handed: Handed
    evaluation: Evaluation | None
    problem: str = ""


class BackgroundJudge:
    """Judges what it is handed, in that order. terms: what all evaluations have in common. The thread begins with the first."""

    def __init__(self, terms: Terms, problems: Mapping[str, Problem]) -> None:
        self._terms = terms
        self._problems = problems
        self._changed = threading.Condition()
        self._waiting: deque[Handed] = deque()
        self._came: deque[Came] = deque()
        self._busy = False
        self._closing = False
        self._thread: threading.Thread | None = None

    def hand(self, handed: Handed) -> None:
        """Have these judged, after those before them."""
        with self._changed:
            self._waiting.append(handed)
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="verdicts")
            self._thread.start()

    @property
    def outstanding(self) -> int:
        """How many are handed over and not judged."""
        with self._changed:
            return len(self._waiting) + self._busy

    def fetch(self) -> list[Came]:
        """What has come since the last call."""
        with self._changed:
            came = list(self._came)
            self._came.clear()
        return came

    def wait(self, seconds: float) -> None:
        """Until something has come, or all is judged, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._came or not (self._waiting or self._busy), seconds)

    def close(self) -> None:
        """Leave off what is under way; it can be handed over again."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        bench: Bench | None = None
        try:
            while (handed := self._next()) is not None:
                try:
                    bench = bench or self._open()
                    evaluation = self._judged(handed, bench)
                    came = Came(handed, evaluation) if evaluation is not None else None
                except UserError as error:
                    came = Came(handed, None, str(error))
                except Exception as error:  # noqa: BLE001  the run in front goes on; the log has it all
                    sys.stderr.write(hide(traceback.format_exc()))
                    came = Came(handed, None, f"{type(error).__name__}: {hide(str(error))}")
                with self._changed:
                    self._busy = False
                    self._came.extend([came] if came is not None else [])
                    self._changed.notify_all()
        finally:
            if bench is not None:
                bench.judge.__exit__()

    def _next(self) -> Handed | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            self._busy = True
            return self._waiting.popleft()

    def _is_closing(self) -> bool:
        return self._closing

    def _open(self) -> Bench:
        toolchain = find()
        prepare(toolchain)
        judge = Judge(
            self._terms.format, self._terms.mode, toolchain, workers=WORKERS, limits=self._terms.limits, cancel=self._is_closing
        )  # fmt: skip
        return Bench(judge, toolchain, judge.references(self._problems.values()))

    def _judged(self, handed: Handed, bench: Bench) -> Evaluation | None:
        """None when closing."""
        if (handed.folder / results.RESULT).exists():
            return results.read(handed.folder)
        terms = replace(self._terms, settings=handed.settings, model=handed.model)
        return judge_into(
            handed.folder, terms, self._problems, handed.given, bench, should_stop=self._is_closing
        )  # fmt: skip
