"""The samples table in its real window. `python -m tests.benchmarks.bench_table [--samples 200000] [--workspace DIR]`

From the act (a search, a header click, a decision on everything that is shown, its undo) to the paint of the table that shows the result, in
milliseconds: the median of the repetitions, and for filters the 95th of 50. Budgets at a million: open 1,000, indexed filter 50 at the 95th,
sort 1,000 and 300 the second time, a word 100, bulk decision over 50,000 rows 50 and its undo 100, a frame while scrolling 16 at the 95th.
Painting on the offscreen platform is done by the processor, as on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication

from app import fonts
from app.context import AppContext
from app.samples.page import SamplesPage
from app.tasks import TaskRunner
from app.theme import Theme
from app.window import MainWindow
from core.database import migrate
from core.samples.query import parse
from core.settings import Settings
from core.workspace import Workspace
from tests.benchmarks.bench_samples import fill
from tests.benchmarks.report import report

SAMPLES = 200_000
REPEAT = 10
DECISIONS = 7
FRAMES = 200


def run_until(condition: Callable[[], object]) -> None:
    """Run the event loop, as the application does, until the condition holds; looked at every 20 ms."""
    loop = QEventLoop()
    timer = QTimer()
    timer.timeout.connect(lambda: loop.quit() if condition() else None)
    timer.start(20)
    loop.exec()


class Bench(QObject):
    """A window, and the time from an act to the paint that shows what it did."""

    def __init__(self, window: MainWindow, page: SamplesPage) -> None:
        super().__init__()
        self._window, self._page = window, page
        self._loop = QEventLoop()
        self._arrived: list[object] = []
        self._waiting = False
        page.table.viewport().installEventFilter(self)
        page.results.found.connect(lambda _query, ids, _whole: self._arrived.append(ids))
        page.writer.done.connect(self._arrived.append)
        window.context.undone.connect(self._arrived.append)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self._waiting and self._arrived:
            self._waiting = False
            QTimer.singleShot(0, self._loop.quit)  # after this paint
        return False

    def measure(self, act: Callable[[], object]) -> float:
        """Milliseconds until the paint that follows the answer, with the window calm before."""
        run_until(lambda: not self._window.context.tasks.busy())
        QThread.msleep(200)
        run_until(lambda: not self._window.context.tasks.busy())
        self._arrived.clear()
        self._waiting = True
        start = time.perf_counter()
        act()
        self._loop.exec()
        return (time.perf_counter() - start) * 1000

    def first_rows(self, start: float) -> float:
        """Milliseconds from `start` to the first paint with rows."""
        self._waiting = True
        self._loop.exec()
        return (time.perf_counter() - start) * 1000

    def search(self, text: str) -> float:
        """A search from the moment its letters are understood (after the pause for typing) to its rows."""
        return self.measure(lambda: self._page.search.set_query(parse(text)))

    def decide(self, text: str, status: str) -> tuple[float, int]:
        """A decision on all that a search finds; the number of samples it changed."""
        self.search(text)
        self._page.table.selectAll()
        return self.measure(lambda: self._page.review.decide(status)), len(self._page.model.ids)


def main() -> None:
    """Fill a workspace unless one is given, and measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--samples", type=int, default=SAMPLES)
    arguments.add_argument("--workspace", type=Path, help="reuse this folder; it is filled if it is new")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GOSMITH_CONFIG"] = folder
        workspace = Workspace(chosen.workspace or Path(folder) / "workspace")
        for path in (workspace.root, workspace.jobs):
            path.mkdir(parents=True, exist_ok=True)
        if not workspace.database_path.exists():
            with closing(workspace.connect()) as connection:
                migrate(connection)
                fill(connection, chosen.samples)
        measure(workspace)


def measure(workspace: Workspace) -> None:
    """Open the window and report."""
    app = QApplication([])
    fonts.load()
    start = time.perf_counter()
    context = AppContext(workspace, TaskRunner(workspace), Settings(), Theme(app, "light"))
    window = MainWindow(context)
    window.show()
    page = window.current_page()
    assert isinstance(page, SamplesPage)
    bench = Bench(window, page)
    opened = bench.first_rows(start)
    run_until(lambda: not page.results.searching and not context.tasks.busy())
    figures: dict[str, object] = {"samples": len(page.model.ids), "open to the first rows painted": opened}
    filters: list[float] = []
    for text in ("status:accepted", "verdict:fail", "topic:errors", "source:gpt-4", "tokens:>200", "mergeToken", ""):
        times = []
        for _ in range(REPEAT):
            bench.search("id:1")
            times.append(bench.search(text))
        figures[f"filter {text or '(everything)'}"] = statistics.median(times)
        filters += times if ":" in text else []
    figures["indexed filters, 95th of 50"] = statistics.quantiles(filters, n=20)[-1]
    for key in ("title", "status", "tokens", "topic", "verdict", "rating"):
        figures[f"sort {key}, first time"] = bench.search(f"sort:{key}")
        figures[f"sort {key}, again"] = statistics.median(bench.search(f"sort:{sign}{key}") for sign in ("-", "", "-"))
    decisions, undos = [], []
    for _ in range(DECISIONS):
        spent, count = bench.decide("id:1..50000", "accepted")
        decisions.append(spent)
        undos.append(bench.measure(lambda: context.commands.run("app.undo")))
    figures["bulk decision: rows"] = count
    figures["bulk decision"], figures["its undo"] = statistics.median(decisions), statistics.median(undos)
    for text in ("", "mergeToken", "sort:status"):
        painted, start = bench.search(text), time.perf_counter()
        run_until(lambda: not page.results.searching)
        figures[f"the whole answer to {text or '(everything)'}"] = painted + (time.perf_counter() - start) * 1000
    scroll = []
    bar = page.table.verticalScrollBar()
    bench.search("")
    run_until(lambda: not page.results.searching and not context.tasks.busy())
    for place in range(FRAMES):
        bar.setValue(bar.maximum() * place // FRAMES)
        start = time.perf_counter()
        page.table.viewport().repaint()
        scroll.append((time.perf_counter() - start) * 1000)
    figures[f"scroll to anywhere: a frame, worst of {FRAMES}"] = max(scroll)
    figures[f"scroll to anywhere: a frame, 95th of {FRAMES}"] = statistics.quantiles(scroll, n=20)[-1]
    scroll = []
    for _ in range(FRAMES):  # as with the wheel, three rows at a time
        bar.setValue(bar.value() - 3)
        start = time.perf_counter()
        page.table.viewport().repaint()
        scroll.append((time.perf_counter() - start) * 1000)
    figures[f"scroll by the wheel: a frame, 95th of {FRAMES}"] = statistics.quantiles(scroll, n=20)[-1]
    resident = Path("/proc/self/statm").read_text().split()
    figures["resident memory, MiB"] = int(resident[1]) * 4 / 1024
    figures["of it not files mapped in, MiB"] = (int(resident[1]) - int(resident[2])) * 4 / 1024
    window.close()
    context.close()
    report("table" if figures["samples"] == SAMPLES else "table_million", figures)


if __name__ == "__main__":
    main()
