"""What this machine has to train on, found out without torch: GPUs by asking the driver's own tool, else the CPU."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.jobs.gpus import asked


@dataclass(frozen=True, slots=True)
class Machine:
    """device: name by which measured speeds are compared. gpus: how many, 0 on a CPU. memory: bytes of the smallest GPU,
    or of main memory. free: bytes of it that nobody uses now. main: free bytes of main memory, 0 when unknown. bf16: whether
    it multiplies bf16; the engine uses fp32 where it does not."""

    device: str
    gpus: int
    memory: int
    free: int
    main: int = 0
    bf16: bool = True


def look(only: Sequence[int] = ()) -> Machine:
    """The machine as it is now; some 50 ms where there is a GPU. only: GPUs whose memory counts, all of them without."""
    return of_gpus(asked(), only) or _cpu()


def of_gpus(said: str, only: Sequence[int]) -> Machine | None:
    """The machine as the driver's tool describes it, a line a GPU; None when that is no such list."""
    try:
        rows = [[cell.strip() for cell in line.split(",")] for line in said.strip().splitlines()]
        sizes = [(row[0], int(row[1]) << 20, int(row[2]) << 20) for row in rows]
    except (ValueError, IndexError):
        return None
    if not sizes:
        return None
    chosen = [sizes[number] for number in only if number < len(sizes)] or sizes
    return Machine(
        chosen[0][0],
        len(sizes),
        min(total for _, total, _ in chosen),
        min(free for _, _, free in chosen),
        _main_memory()[1],
    )


def _cpu() -> Machine:
    threads = os.environ.get("OMP_NUM_THREADS") or str(len(os.sched_getaffinity(0)))
    total, free = _main_memory()
    device = f"{cpu_name()}, {threads} thread{'s' if threads != '1' else ''}"
    return Machine(device, 0, total, free, free, _cpu_has_bf16())


def _main_memory() -> tuple[int, int]:
    """All bytes of it, and those that nobody uses."""
    sizes: dict[str, str] = dict(re.findall(r"^(\w+):\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE))
    return int(sizes["MemTotal"]) << 10, int(sizes.get("MemAvailable") or sizes["MemFree"]) << 10


@cache
def _cpu_has_bf16() -> bool:
    """As `core.engine.compute.cpu_has_bf16` decides, which must not be imported here."""
    flags = re.search(r"^flags\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return bool(flags and {"amx_bf16", "avx512_bf16"} & set(flags[1].split()))


@cache
def cpu_name() -> str:
    """The CPU as the system calls it."""
    match = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match[1].strip() if match else "CPU"
