"""What this machine has to train on, found out without torch: GPUs by asking the driver's own tool, else the CPU."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """device: name by which measured speeds are compared. gpus: how many, 0 on a CPU. memory: bytes of the smallest GPU,
    or of main memory. free: bytes of it that nobody uses now."""

    device: str
    gpus: int
    memory: int
    free: int


def look() -> Machine:
    """The machine as it is now; some 50 ms where there is a GPU."""
    return _gpus() or _cpu()


def _gpus() -> Machine | None:
    if not Path("/proc/driver/nvidia/gpus").is_dir():
        return None
    query = ["nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        rows = [[cell.strip() for cell in line.split(",")] for line in said.strip().splitlines()]
        sizes = [(int(row[1]) << 20, int(row[2]) << 20) for row in rows]
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    if not rows:
        return None
    return Machine(rows[0][0], len(rows), min(total for total, _ in sizes), min(free for _, free in sizes))


def _cpu() -> Machine:
    sizes: dict[str, str] = dict(re.findall(r"^(\w+):\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE))
    threads = os.environ.get("OMP_NUM_THREADS") or str(len(os.sched_getaffinity(0)))
    total, free = int(sizes["MemTotal"]) << 10, int(sizes.get("MemAvailable") or sizes["MemFree"]) << 10
    return Machine(f"{cpu_name()}, {threads} thread{'s' if threads != '1' else ''}", 0, total, free)


@cache
def cpu_name() -> str:
    """The CPU as the system calls it."""
    match = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match[1].strip() if match else "CPU"
