"""What charts cost: reading a log of a million steps, opening it again, and moving over twenty such runs.

python -m tests.benchmarks.bench_charts

Peers in the same run: `json.loads` line by line for reading, and pyqtgraph with its own downsampling for drawing.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QWidget

from app import fonts
from app.theme import Theme
from app.training.charts import run_colours
from app.training.charts.chart_grid import ChartGrid
from app.training.charts.chart_specs import Shown
from core.training.metrics import RunMetrics
from core.training.metrics_cache import path_for
from tests.benchmarks.report import report

STEPS = 1_000_000
RUNS = 20
FRAMES = 60
PEER_FRAMES = 5
LARGEST_MS = 16.0


def write_log(path: Path, steps: int) -> None:
    """A log as the engine writes it, with a validation every 200 steps."""
    rng = np.random.default_rng(7)
    loss = 2.5 * np.exp(-np.arange(steps) / (steps / 4)) + 0.5 + rng.normal(0, 0.08, steps)
    norm = np.abs(rng.normal(0.5, 0.2, steps))
    with path.open("w") as file:
        for n in range(1, steps + 1):
            event = {
                "t": round(1.7e9 + 0.37 * n, 3), "kind": "step", "step": n, "loss": round(float(loss[n - 1]), 6), "lr": 2e-4 * (1 - n / steps),
                "grad_norm": round(float(norm[n - 1]), 6), "tokens": 8192, "tokens_per_second": 41280.5 + n % 400, "trained": 5000 + n % 7,
                "trained_per_second": 25000.5 + n % 300, "memory": 61_300_000_000, "gpu": 90 + n % 10, "mfu": 0.41,
            }  # fmt: skip
            file.write(json.dumps(event, separators=(",", ":")) + "\n")
            if n % 200 == 0:
                file.write(json.dumps({"t": 0, "kind": "validation", "step": n, "loss": 1.5}) + "\n")


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def reading(log: Path) -> dict[str, object]:
    path_for(log).unlink(missing_ok=True)

    def json_alone() -> None:
        with log.open("rb") as file:
            for line in file:
                json.loads(line)

    first = seconds(RunMetrics(log).load)
    again = statistics.median(seconds(RunMetrics(log).load) for _ in range(5))
    peer = seconds(json_alone)
    return {
        "log_steps": STEPS,
        "log_mb": round(log.stat().st_size / 1e6),
        "first_reading_s": round(first, 3),
        "from_cache_s": round(again, 3),
        "json_loads_alone_s": round(peer, 3),
        "reading_ratio_to_json": round(peer / first, 2),
        "cache_ratio_to_json": round(peer / again, 1),
    }


def frames_ms(move: Callable[[int], None], widget: QWidget, frames: int) -> list[float]:
    """Milliseconds of each move with its painting."""
    times = []
    for number in range(frames):
        start = time.perf_counter()
        move(number)
        widget.grab()
        times.append(1000 * (time.perf_counter() - start))
    return times


def pan(number: int) -> tuple[float, float]:
    """A range that wanders and narrows: a hand that pans and zooms."""
    size = STEPS / 2 * 0.9**number + 200
    first = (STEPS - size) * (number % 30) / 30
    return first, first + size


def drawing(app: QApplication, theme: Theme, metrics: list[RunMetrics]) -> dict[str, object]:
    grid = ChartGrid(theme)
    grid.resize(900, 1100)
    grid.show()
    grid.set_runs(tuple(Shown(f"run {n}", run, n) for n, run in enumerate(metrics)), {})
    for _ in range(50):
        app.processEvents()
    loss, norm = grid.cards["lossChart"], grid.cards["normChart"]
    speed = grid.cards["speedChart"]

    def move(number: int) -> None:
        grid._on_span_wanted(loss, *pan(number))

    def turn() -> float:
        """The longest of the turns in which the other charts follow, each painted."""
        longest = 0.0
        for card in (norm, speed, grid.cards["gpuChart"]):
            card.show_runs(grid._shown, grid.view, grid.span(), moving=True)
            longest = max(longest, seconds(card.canvas.grab))
        return 1000 * longest

    moved = frames_ms(move, loss.canvas, FRAMES)
    followed = []
    for number in range(20):
        move(number)
        followed.append(turn())
    grid._turn.stop()
    grid.redraw()
    rested = frames_ms(lambda _n: loss.show_runs(grid._shown, grid.view, grid.span()), loss.canvas, 20)
    crossed = frames_ms(lambda n: grid._on_pointed(loss, STEPS * n / FRAMES), loss.canvas, FRAMES)
    grid.hide()

    plot = pg.PlotWidget()
    plot.resize(loss.canvas.size())
    for n, run in enumerate(metrics):
        item = plot.plot(pen=pg.mkPen(run_colours.colour(n, theme.tokens), width=1))
        item.setDownsampling(auto=True, method="peak")
        item.setClipToView(True)
        item.setData(run.steps.x("step"), run.steps.series["loss"].y, skipFiniteCheck=True)
    plot.show()
    app.processEvents()
    peer = frames_ms(lambda n: plot.setXRange(*pan(n), padding=0), plot, PEER_FRAMES)
    slowest = max(np.percentile(moved, 95), max(followed))
    return {
        "runs": RUNS,
        "points_a_run": STEPS,
        "pan_zoom_median_ms": round(statistics.median(moved), 2),
        "pan_zoom_p95_ms": round(float(np.percentile(moved, 95)), 2),
        "other_charts_longest_turn_ms": round(max(followed), 2),
        "at_rest_ms": round(statistics.median(rested), 2),
        "crosshair_ms": round(statistics.median(crossed), 2),
        "pyqtgraph_downsampling_ms": round(statistics.median(peer), 2),
        "drawing_ratio_to_pyqtgraph": round(statistics.median(peer) / statistics.median(moved), 1),
        "within_16_ms": bool(slowest <= LARGEST_MS),
    }


def main() -> None:
    app = QApplication([])
    fonts.load()
    theme = Theme(app, "light")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "events.jsonl"
        write_log(log, STEPS)
        figures = reading(log)
        runs = [RunMetrics(log) for _ in range(RUNS)]
        loading = [seconds(run.load) for run in runs]
    figures["twenty_runs_from_cache_s"] = round(sum(loading), 2)
    report("charts", {**figures, **drawing(app, theme, runs)})


if __name__ == "__main__":
    main()
