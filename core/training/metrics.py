"""The numbers of a run, as far as its event log tells them, ready to be drawn while they grow.

The log is the only source: who opens a run later, or a second time, sees the same curves. A resumed run goes again over
the steps after its checkpoint; the new attempt's points then take the place of the abandoned ones.
"""

from __future__ import annotations

import json
import math
import os
from collections import deque
from pathlib import Path
from typing import Any, Final

from core.jobs.events import EventTail, parse_lines
from core.training.series import Series, Smooth

STEP_VALUES: Final = ("loss", "lr", "grad_norm", "tokens_per_second")
PACE_STEPS: Final = 50
"""Newest steps from which the time left is told; the first ones of an attempt load and warm up."""


class RunMetrics:
    """The curves of one run. series: by name, "loss", "loss_smooth", "validation", "lr", "grad_norm", "tokens_per_second";
    they are the same objects for life, and x is the step.

    last_step: newest step, 0 at first. attempt: 1 until the run is resumed. message: the newest sentence of the worker.
    checkpoints: step -> path as the log names it; older ones may have been deleted since.
    """

    def __init__(self, path: Path, *, smoothing: float = 0.95) -> None:
        self.path = path
        self._tail = EventTail(path)
        self._smooth = Smooth(smoothing)
        self.series: dict[str, Series] = {name: Series() for name in (*STEP_VALUES, "validation")}
        self.series["loss_smooth"] = self._smooth.series
        self.last_step = 0
        self.attempt = 1
        self.message = ""
        self.checkpoints: dict[int, str] = {}
        self._times: deque[tuple[int, float]] = deque(maxlen=PACE_STEPS)
        self._steps: list[dict[str, Any]] = []

    def poll(self) -> bool:
        """Read what came since the last call; True when there was anything. 100,000 steps take about half a second at first."""
        changed = False
        while events := self._tail.read():
            changed = True
            for event in events:
                self._take(event)
            self._store()
        return changed

    def seconds_left(self, total: int | None) -> float | None:
        """Seconds until step `total` at the pace of the newest steps; None when there is no telling yet."""
        if not total or len(self._times) < 2:
            return None
        (first, began), (last, now) = self._times[0], self._times[-1]
        return max(0, total - last) * (now - began) / (last - first) if last > first else None

    def _take(self, event: dict[str, Any]) -> None:
        kind = event.get("kind")
        if kind == "step":
            step = int(event["step"])
            if step <= self.last_step:
                self._store()
                self._go_back(step)
            self.last_step = step
            self._steps.append(event)
            self._times.append((step, float(event["t"])))
        elif kind == "validation":
            series, step = self.series["validation"], int(event["step"])
            series.cut_from(step)
            series.append(step, _number(event.get("loss")))
        elif kind == "checkpoint":
            self.checkpoints[int(event["step"])] = str(event.get("path", ""))
        elif kind == "attempt":
            self.attempt = int(event["attempt"])
            self._times.clear()
        elif kind == "message":
            self.message = str(event.get("text", ""))

    def _go_back(self, step: int) -> None:
        """An attempt before this one went further than its checkpoint: what lies at `step` and after is done again."""
        for name in (*STEP_VALUES, "validation"):
            self.series[name].cut_from(step)
        self._smooth.cut_from(step)
        self._times.clear()

    def _store(self) -> None:
        """Put the step events that have been taken into the series, all at once."""
        if not self._steps:
            return
        x = [float(event["step"]) for event in self._steps]
        for name in STEP_VALUES:
            y = [_number(event.get(name)) for event in self._steps]
            self.series[name].extend(x, y)
            if name == "loss":
                self._smooth.extend(x, y)
        self._steps = []


def _number(value: object) -> float:
    """JSON has no NaN, so the log says null."""
    return float(value) if isinstance(value, int | float) else math.nan


def sparkline(path: Path, points: int = 40) -> tuple[float, ...]:
    """The course of the loss in about so many points, for a row in a list: a few dozen small reads, however long the log."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= 1 << 16:
                events = parse_lines(file.read().rpartition(b"\n")[0])
            else:
                events = []
                for place in range(points + 1):
                    file.seek(max(0, min(size * place // points, size) - 2048))
                    events.extend(_steps_in(file.read(2048)))
    except FileNotFoundError:
        return ()
    course = {int(event["step"]): _number(event.get("loss")) for event in events if event.get("kind") == "step"}
    steps = sorted(step for step, loss in course.items() if math.isfinite(loss))
    stride = max(1, len(steps) // points)
    return tuple(course[step] for step in [*steps[:-1:stride], *steps[-1:]])


def _steps_in(data: bytes) -> list[dict[str, Any]]:
    """The last whole step event in a piece of the log; [] when there is none."""
    for line in reversed(data.split(b"\n")[1:-1]):
        if b'"step"' in line:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and event.get("kind") == "step":
                return [event]
    return []
