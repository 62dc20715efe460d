"""The largest micro-batch that fits: planned in closed form, then confirmed or corrected by real steps.

Each trial is a process of its own (`core.engine.finders.trials`), so that one that runs out of memory, or is killed for
it, is an answer and nothing else. On a CPU a trial may take no more than what was free at first: without that limit the
system would make room by ending whatever it likes.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from core.engine.finders.trying import Stopped
from core.engine.prepare import Monitor
from core.errors import UserError
from core.jobs.control import module_environment, python_command
from core.jobs.failures import Around, Failure, RankEnd, classify
from core.models import inspect
from core.models.catalogue import recorded_base
from core.training import machine
from core.training.config import RunConfig
from core.training.config_file import to_mapping
from core.training.dataset import measure
from core.training.finders import Finding
from core.training.plan import estimate
from core.training.sections import BatchSection

MOST: Final = 4096
"""Rows that batch.micro may have."""
SOURCE: Final = "two steps, an evaluation and a save on the longest rows"
TRIAL: Final = "trial"
"""The folder, below the output of the search, into which trials save."""
LOOK_EVERY: Final = 0.1
"""Seconds between two looks whether the search shall stop."""


class Trials:
    """A process that tries micro-batches, to be used in a `with`; at its end nothing of it is left."""

    def __init__(self, request: dict[str, Any], monitor: Monitor) -> None:
        """request: as `core.engine.finders.trials` takes it."""
        self._monitor = monitor
        self._output = Path(request["output"]) / TRIAL
        self._process = subprocess.Popen(
            [*python_command(), "core.engine.finders.trials", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=module_environment(),
        )
        self._ask(request)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()  # a trial under way dies with it
        self._process.communicate()
        shutil.rmtree(self._output, ignore_errors=True)

    def rows(self) -> int:
        """How many rows one pass over the training data has. Raises UserError and Stopped."""
        answer = self._answer({"rows": 0})
        if "sequences" not in answer:
            raise _sentence(_failure(answer))
        return int(answer["sequences"])

    def peak(self, rows: int) -> int | None:
        """Bytes that a run with so many rows at a time takes at the most; None when it does not fit. Raises UserError and Stopped."""
        answer = self._answer({"rows": rows})
        if "peak" in answer:
            return int(answer["peak"])
        if "builtins.SystemError" in (answer["error"] or {}).get("types", ()):
            return None  # what the interpreter says when a module in C found no memory and did not say so
        failure = _failure(answer)
        if failure.cause in ("memory", "gpu-memory", "crash"):
            return None
        raise _sentence(failure)

    def _ask(self, question: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        self._ask(question)
        out = self._process.stdout
        assert out is not None
        while not select.select([out], [], [], LOOK_EVERY)[0]:
            if self._monitor.should_stop():
                raise Stopped
        line = out.readline()
        if not line:
            raise UserError("The process that tries batches ended by itself.", "Look for another value by hand.")
        answer: dict[str, Any] = json.loads(line)
        return answer


def find(
    config: RunConfig, base: Path, snapshot: Path, output: Path, monitor: Monitor, *, limit: int | None = None
) -> Finding:
    """Search for the largest batch.micro whose trial runs through, while one row more does not, or there is no row more.

    limit: bytes that a process may take; None for what this machine has free. On a GPU that is the GPU's own limit, and
    torch.OutOfMemoryError the answer. An event "point" for each trial that fits: x rows, y bytes at the peak.
    Raises UserError when not one row fits, and Stopped.
    """
    on = machine.look()
    on = on if limit is None else replace(on, free=limit)
    peaks: dict[int, int] = {}
    request = {
        "config": to_mapping(config),
        "base": str(base),
        "snapshot": str(snapshot),
        "output": str(output),
        "limit": None if on.gpus else on.free,
    }
    with Trials(request, monitor) as trials:
        most = min(MOST, trials.rows())

        def fits(rows: int) -> bool:
            monitor.event("message", text=f"Trying {_rows(rows)} at a time…", step=rows)
            peak = trials.peak(rows)
            if peak is not None:
                peaks[rows] = peak
                monitor.event("point", x=rows, y=peak)
            monitor.progress(len(peaks))
            return peak is not None

        found = largest(fits, planned(config, base, snapshot, most, on), most)
    if not found:
        raise UserError(
            f"Not even one row at a time fits into {on.free / 2**30:.1f} GiB.",
            "Shorten data.max_length, set parallel.activation_checkpointing to full, or take a smaller base.",
        )
    return _finding(found, most, peaks)


def largest(fits: Callable[[int], bool], first: int, most: int) -> int:
    """The largest number of 1..most that fits, 0 for none, when all below one that fits do; `first` is where to begin.

    Steps of an eighth, twice as long each time, until it lies between two trials; then halves.
    """
    low, high = 0, most + 1
    number = min(max(1, first), most)
    stride = max(1, number // 8)
    while high - low > 1:
        if fits(number):
            low = number
        else:
            high = number
        if high > most:
            number = min(most, low + stride)
        elif not low:
            number = max(1, high - stride)
        else:
            number = (low + high) // 2
        stride *= 2
    return low


def planned(config: RunConfig, base: Path, snapshot: Path, most: int, on: machine.Machine) -> int:
    """The largest number of rows that the forecast says will fit, at the least 1."""
    root = recorded_base(base) if (base / "adapter_config.json").is_file() else base
    words = base if (base / "tokenizer.json").is_file() else root
    shape, data = inspect(root), measure(snapshot, words)

    def fits(rows: int) -> bool:
        return bool(estimate(with_rows(config, rows), shape, data, on).fits)

    return max(1, largest(fits, config.batch.micro, most))


def with_rows(config: RunConfig, rows: int) -> RunConfig:
    """The same run with so many rows at a time; from two micro-batches a step on, memory no longer depends on their number."""
    batch = BatchSection(micro=rows, accumulation=min(2, config.batch.accumulation))
    return config.model_copy(update={"batch": batch})


def _finding(found: int, most: int, peaks: dict[int, int]) -> Finding:
    took = f"{peaks[found] / 2**30:.1f} GiB at the peak"
    why = f"all of the snapshot, {took}" if found == most else f"{took}; {found + 1:,} do not fit"
    return Finding(
        found, f"{_rows(found)} at a time: {why} ({SOURCE}).", tuple(sorted((x, float(y)) for x, y in peaks.items()))
    )


def _failure(answer: dict[str, Any]) -> Failure:
    """Why a trial has no result; one that was killed was killed for its memory, as nobody else knows of it."""
    return classify([RankEnd(0, answer["exit"], error=answer["error"])], Around("find", kernel_killed=True))


def _sentence(failure: Failure) -> UserError:
    return UserError(failure.message, failure.hint)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
