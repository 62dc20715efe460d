"""From the start of the process to the first paint of the samples table. `python -m tests.benchmarks.bench_start [--samples N]`

Each start is a fresh interpreter on a workspace that exists, files warm in the page cache; the clock begins when the kernel made the process. Budget:
1.0 s (issue A). The peer is an empty QTableWidget in the same interpreter, also from process start to paint: what Python and Qt cost before any line of ours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from core.database import migrate
from core.workspace import Workspace, open_workspace
from tests.benchmarks.bench_samples import fill
from tests.benchmarks.report import report

STARTS = 7
ROOT = Path(__file__).parents[2]

_CLOCK = """
import os, sys, time
def age():
    "Seconds since the kernel made this process."
    with open("/proc/self/stat") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
"""

_OURS = (
    _CLOCK
    + """
from app.main import run_window
from app.samples.table import SampleTable
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
paint = SampleTable.paintEvent
def painted(self, event):
    paint(self, event)
    if self.model().rowCount():
        SampleTable.paintEvent = paint
        with open("/proc/self/status") as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        print(age(), resident / 1024, "torch" in sys.modules, flush=True)
        QTimer.singleShot(0, QApplication.quit)
SampleTable.paintEvent = painted
run_window()
"""
)

_PEER = (
    _CLOCK
    + """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QTableWidget
class Table(QTableWidget):
    def paintEvent(self, event):
        super().paintEvent(event)
        print(age(), flush=True)
        QTimer.singleShot(0, QApplication.quit)
app = QApplication([])
table = Table(20, 5)
table.resize(1280, 800)
table.show()
app.exec()
"""
)


def run(program: str, environment: dict[str, str]) -> list[str]:
    """What the program printed in its one line."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def main() -> None:
    """Start it several times and report."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--samples", type=int, default=0, help="instead of the bundled samples, this many")
    samples = arguments.parse_args().samples
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
            "GOSMITH_CONFIG": f"{folder}/config",
            "GOSMITH_DATA": f"{folder}/data",
            "GOSMITH_WORKSPACE": f"{folder}/workspace",
            "PYTHONPATH": str(ROOT),
        }
        workspace = Workspace(Path(folder) / "workspace")
        if samples:
            workspace.root.mkdir()
            with closing(workspace.connect()) as connection:
                migrate(connection)
                fill(connection, samples)
                connection.execute("INSERT INTO fact VALUES ('bundle', '0')")
        open_workspace(workspace.root)
        run(_OURS, environment)
        run(_PEER, environment)
        pairs = [(run(_OURS, environment), float(run(_PEER, environment)[0])) for _ in range(STARTS)]
    ours, peer = [first for first, _ in pairs], [second for _, second in pairs]
    times = sorted(float(line[0]) for line in ours)
    report(
        f"start-{samples}" if samples else "start",
        {
            "samples": samples or "bundled",
            "process start to first paint of the table, seconds, best": times[0],
            "process start to first paint of the table, seconds, median": statistics.median(times),
            "empty QTableWidget, seconds, median": statistics.median(peer),
            "ratio of medians": statistics.median(times) / statistics.median(peer),
            "resident memory, MiB": max(float(line[1]) for line in ours),
            "torch imported": any(line[2] == "True" for line in ours),
        },
    )


if __name__ == "__main__":
    main()
