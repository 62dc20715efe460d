"""What one update of a chart costs at 100,000 points, beside handing pyqtgraph all of them.

python -m tests.benchmarks.bench_charts
"""

from __future__ import annotations

import os
import statistics
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

from app import fonts
from app.theme import Theme
from app.training.chart_card import ChartCard, Curve
from core.training.series import Series, Smooth
from tests.benchmarks.report import report

POINTS = 100_000
FRAMES = 60


def frame_ms(app: QApplication, draw: object, widget: object) -> float:
    """Median milliseconds of one update with its painting."""
    times = []
    for number in range(FRAMES):
        start = time.perf_counter()
        draw(number)  # type: ignore[operator]
        widget.grab()  # type: ignore[attr-defined]
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    app = QApplication([])
    fonts.load()
    theme = Theme(app, "light")
    rng = np.random.default_rng(7)
    steps = np.arange(1.0, POINTS + 1)
    loss = 2.5 * np.exp(-steps / 30_000) + 0.5 + rng.normal(0, 0.08, POINTS)
    raw, smooth = Series(), Smooth()
    raw.extend(steps, loss)
    smooth.extend(list(steps), list(loss))
    card = ChartCard("Training loss", "{:.3f}".format, theme)
    card.resize(600, 300)
    card.set_curves(
        (
            Curve(raw, lambda tokens: tokens.chart_raw),
            Curve(smooth.series, lambda tokens: tokens.chart_smooth, smooth=True),
        )
    )
    card.show()
    app.processEvents()

    def ours(number: int) -> None:
        raw.append(POINTS + number + 1.0, 0.6)
        card.redraw(POINTS + number + 1.0)

    update = []
    for number in range(FRAMES):
        start = time.perf_counter()
        ours(number)
        update.append(1000 * (time.perf_counter() - start))
    painted = frame_ms(app, lambda number: ours(FRAMES + number), card)

    plot = pg.PlotWidget()
    plot.resize(600, 300)
    item = plot.plot(pen=pg.mkPen(theme.tokens.chart_raw, width=1))
    plot.show()
    app.processEvents()
    peer = frame_ms(app, lambda number: item.setData(steps, loss), plot)
    report(
        "charts",
        {
            "points": POINTS,
            "update_ms": round(statistics.median(update), 3),
            "update_and_paint_ms": round(painted, 3),
            "pyqtgraph_all_points_ms": round(peer, 3),
            "ratio_to_pyqtgraph": round(peer / painted, 2),
        },
    )


if __name__ == "__main__":
    main()
