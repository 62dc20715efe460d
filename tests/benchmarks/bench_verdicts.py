"""`python -m tests.benchmarks.bench_verdicts [FUNCTIONS]`: verdicts a second on functions mined from the Go toolchain's own source.

The peer is what one would do without a helper: one `go vet` process a sample (it parses and type-checks, too, but does not
format), warm, one after the other, on a sub-sample of the same functions. Most mined functions do not type-check alone, as
their receivers and helpers stay behind; the shares are in the figures.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from core.golang.checker import Checker, CheckItem
from core.golang.helper import prepare
from core.golang.mining import mine
from core.golang.toolchain import Toolchain, environment, find
from tests.benchmarks.report import report

PEER_SAMPLES = 40


def main(functions: int) -> None:
    """Measure and report."""
    toolchain = find()
    start = time.perf_counter()
    prepare(toolchain, print)
    prepared = time.perf_counter() - start
    start = time.perf_counter()
    found = list(mine(toolchain.goroot / "src", toolchain=toolchain, documented=False, tests=True, lines=(1, 150)))
    mined = time.perf_counter() - start
    random.Random(7).shuffle(found)
    sources = [one.source() for one in found[:functions]]
    states: Counter[tuple[str, str]] = Counter()
    with Checker(toolchain, workers=2) as checker:
        start = time.perf_counter()
        checker.start()
        started = time.perf_counter() - start
        start = time.perf_counter()
        for result in checker.check(CheckItem(at, source) for at, source in enumerate(sources)):
            states.update(result.states.items())
        seconds = time.perf_counter() - start
        memory = psutil.Process(checker.pid).memory_info().rss
    rate = len(sources) / seconds
    peer = PEER_SAMPLES / go_vet_one_by_one(toolchain, sources[:PEER_SAMPLES])
    figures: dict[str, object] = {
        "functions": len(sources),
        "mean_bytes": round(sum(map(len, sources)) / len(sources)),
        "prepare_seconds": prepared,
        "mined_a_second": len(found) / mined,
        "start_seconds": started,
        "verdict_seconds": seconds,
        "verdicts_a_second": rate,
        "go_vet_process_a_second": peer,
        "ratio": rate / peer,
        "helper_mib": memory / 2**20,
        "go": toolchain.version,
    }
    for check in ("parse", "format", "types"):
        for state in ("pass", "fail", "skipped"):
            figures[f"{check}_{state}_share"] = states[check, state] / len(sources)
    report("verdicts", figures)


def go_vet_one_by_one(toolchain: Toolchain, sources: list[str]) -> float:
    """Seconds for one `go vet` process a sample; the first run, which fills caches, is not counted."""
    seconds = 0.0
    with tempfile.TemporaryDirectory(prefix="bench-vet-") as folder:
        (Path(folder) / "go.mod").write_text("module bench\n\ngo 1.22\n")
        for at, source in enumerate(sources[:1] + sources):
            (Path(folder) / "code.go").write_text(source)
            start = time.perf_counter()
            subprocess.run(
                [toolchain.go, "vet", "."], cwd=folder, env=environment(toolchain), capture_output=True, check=False
            )
            seconds += (time.perf_counter() - start) * (at > 0)
    return seconds


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
