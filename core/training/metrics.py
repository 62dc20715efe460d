"""The numbers of a run, as far as its event log tells them, ready to be drawn while they grow.

The log is the only source: who opens a run later, or a second time, sees the same curves. A resumed run goes again over
the steps after its checkpoint; the new attempt's points then take the place of the abandoned ones, and so do the tokens
and the time they took.
"""

from __future__ import annotations

import json
import math
import os
from collections import deque
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.jobs.events import parse_lines
from core.training import metrics_cache
from core.training.event_lines import STEP_FIELDS, Batch, LineTail, number, parse
from core.training.series import Floats
from core.training.track import Along, Track

STEP_SERIES: Final = STEP_FIELDS[2:5] + STEP_FIELDS[6:7] + STEP_FIELDS[8:]
PACE_STEPS: Final = 50
"""Newest steps from which the time left is told; the first ones of an attempt load and warm up."""
_ROW: Final = {name: row for row, name in enumerate(STEP_FIELDS)}
_WORTH_KEEPING: Final = 4 << 20
"""Bytes of log that, read for the first time, are worth a new cache."""


class RunMetrics:
    """The curves of one run, in tracks: `steps` (STEP_SERIES), `validation` (loss), `answers` (parsed, compiled), `evaluation` (pass_at_1,
    from `low` to `high`, and compile_rate).

    last_step: newest step, 0 at first. attempt: 1 until the run is resumed. message: the newest sentence of the worker.
    checkpoints: step -> path as the log names it; older ones may have been deleted since. generation: grows when the log
    turned out to be another one and all was read again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.generation = 0
        self._forget()

    def _forget(self) -> None:
        self._tail = LineTail(self.path)
        self.tracks: dict[str, Track] = {name: Track() for name in ("steps", "validation", "answers", "evaluation")}
        self.last_step = 0
        self.attempt = 1
        self.message = ""
        self.checkpoints: dict[int, str] = {}
        self._pace: deque[tuple[float, float]] = deque(maxlen=PACE_STEPS)
        self._clock = math.nan

    @property
    def steps(self) -> Track:
        """The curves with a point for each step."""
        return self.tracks["steps"]

    def newest(self, name: str, width: int = 1) -> float | None:
        """The newest value of a curve over the steps, or the mean of the newest `width`; None when it has none."""
        series = self.steps.series.get(name)
        if series is None or not len(series):
            return None
        value = float(series.mean_at(np.array([len(series) - 1]), width)[0]) if width > 1 else series.last()
        return value if math.isfinite(value) else None

    def load(self) -> None:
        """The first reading: from the cache as far as it goes, then from the log. A second and a half for a million steps, a blink from the cache."""
        kept = metrics_cache.load(self.path)
        if kept is not None:
            self._restore(kept)
        begun = self._tail.offset
        self.poll()
        if self._tail.offset - begun >= _WORTH_KEEPING:
            metrics_cache.save(self.path, self._tail.offset, self._notes(), self.tracks)

    def behind(self) -> int:
        """How many bytes of the log are still to be read."""
        return self._tail.behind()

    def poll(self) -> bool:
        """Read what came since the last call; True when there was anything."""
        changed = False
        if self._tail.shrank():
            self.generation += 1
            self._forget()
            changed = True
        while data := self._tail.read():
            changed = True
            self._take_batch(parse(data))
        return changed

    def seconds_left(self, total: int | None) -> float | None:
        """Seconds until step `total` at the pace of the newest steps; None when there is no telling yet."""
        if not total or len(self._pace) < 2:
            return None
        (first, began), (last, now) = self._pace[0], self._pace[-1]
        return max(0, total - last) * (now - began) / (last - first) if last > first else None

    def _take_batch(self, batch: Batch) -> None:
        """Events in the order of the log, steps as many at once as go: up to where an attempt begins or goes back."""
        numbers = batch.steps[0]
        falls = np.flatnonzero(numbers[1:] <= numbers[:-1]) + 1
        attempts = [place for place, event in batch.others if event["kind"] == "attempt"]
        others = deque(batch.others)
        begun = 0
        for end in sorted({*falls.tolist(), *attempts, len(numbers)}):
            if end > begun:
                if numbers[begun] <= self.last_step:
                    self._go_back(float(numbers[begun]))
                self._append(batch.steps[:, begun:end])
            while others and others[0][0] <= end:
                place, event = others.popleft()
                self._take(event, len(self.steps) - (end - place))
            begun = end

    def _take(self, event: dict[str, Any], steps: int) -> None:
        """An event that is no step; `steps` of those that are there now came before it."""
        kind, step = event["kind"], number(event.get("step"))
        if kind == "validation" and math.isfinite(step):
            self._mark("validation", step, steps, {"loss": number(event.get("loss"))})
        elif kind == "answers" and math.isfinite(step):
            self._mark("answers", step, steps, {name: number(event.get(name)) for name in ("parsed", "compiled")})
        elif kind == "evaluation" and math.isfinite(step):
            # its verdicts come some steps later than its answers
            before = int(np.searchsorted(self.steps.x("step")[:steps], step, side="right"))
            interval = event.get("interval")
            low, high = interval if isinstance(interval, list) and len(interval) == 2 else (None, None)
            self._mark("evaluation", step, before, {
                "pass_at_1": number(event.get("pass_at_1")), "low": number(low), "high": number(high),
                "compile_rate": number(event.get("compile_rate")),
            })  # fmt: skip
        elif kind == "checkpoint" and math.isfinite(step):
            self.checkpoints[int(step)] = str(event.get("path", ""))
        elif kind == "attempt":
            self.attempt = int(event.get("attempt", self.attempt))
            self._pace.clear()
            self._clock = math.nan
        elif kind == "message":
            self.message = str(event.get("text", ""))

    def _mark(self, name: str, step: float, steps: int, values: dict[str, float]) -> None:
        """A point on a track that is measured now and then; its tokens and time are those of the step before it."""
        track = self.tracks[name]
        track.cut_from(step)
        x: dict[Along, Floats] = {"step": np.array([step])}
        x["tokens"] = self.steps.x("tokens")[steps - 1 : steps] if steps > 0 else np.zeros(1)
        x["time"] = self.steps.x("time")[steps - 1 : steps] if steps > 0 else np.zeros(1)
        track.extend(x, {key: np.array([value]) for key, value in values.items()})

    def _append(self, steps: Floats) -> None:
        t, tokens = steps[_ROW["t"]], np.nan_to_num(steps[_ROW["tokens"]])
        with np.errstate(divide="ignore", invalid="ignore"):
            own = tokens / steps[_ROW["tokens_per_second"]]
        spent = np.diff(t, prepend=self._clock)
        spent = np.where(np.isfinite(spent) & (spent >= 0), spent, own)
        spent = np.where(np.isfinite(spent), spent, 0.0)
        self._clock = float(t[-1])
        track = self.steps
        x: dict[Along, Floats] = {
            "step": steps[0],
            "tokens": track.last("tokens") + np.cumsum(tokens),
            "time": track.last("time") + np.cumsum(spent),
        }
        track.extend(x, {name: steps[_ROW[name]] for name in STEP_SERIES})
        self.last_step = int(steps[0][-1])
        self._pace.extend(zip(steps[0][-PACE_STEPS:].tolist(), t[-PACE_STEPS:].tolist(), strict=True))

    def _go_back(self, step: float) -> None:
        """An attempt before this one went further than its checkpoint: what lies at `step` and after is done again."""
        for track in self.tracks.values():
            track.cut_from(step)
        self._pace.clear()
        self._clock = math.nan

    def _notes(self) -> dict[str, Any]:
        return {
            "last_step": self.last_step,
            "attempt": self.attempt,
            "message": self.message,
            "checkpoints": list(self.checkpoints.items()),
            "pace": list(self._pace),
            "clock": self._clock,
        }

    def _restore(self, kept: metrics_cache.Kept) -> None:
        notes = kept.notes
        self._tail.offset = kept.offset
        self.tracks |= kept.tracks  # an older cache has fewer
        self.last_step, self.attempt, self.message = notes["last_step"], notes["attempt"], notes["message"]
        self.checkpoints = dict(notes["checkpoints"])
        self._pace.extend((step, t) for step, t in notes["pace"])
        self._clock = notes["clock"]


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
    course = {int(event["step"]): number(event.get("loss")) for event in events if event.get("kind") == "step"}
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
