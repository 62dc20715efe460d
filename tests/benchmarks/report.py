"""Print what a benchmark measured and keep it: one dated JSON a run, with the name of the machine's hardware beside the figures."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def hardware() -> str:
    """The processor's name and how many of its cores this process may use."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        name = models[0] if models else name
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def report(name: str, figures: Mapping[str, object]) -> Path:
    """Print `figures` and write them to results/<date>-<name>.json, replacing a run of the same day; returns that file."""
    print(f"{name} on {hardware()}")
    width = max(map(len, figures), default=0)
    for key, value in figures.items():
        print(f"  {key:<{width}}  {f'{value:,.3f}' if isinstance(value, float) else value}")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y-%m-%d')}-{name}.json"
    record = {
        "name": name,
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "hardware": hardware(),
        "python": platform.python_version(),
        "figures": dict(figures),
    }
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
