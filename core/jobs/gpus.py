"""How many GPUs this machine has, found out by asking the driver's own tool, and what a job that puts a model onto one must hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

from core.jobs.leases import SHARED


def asked() -> str:
    """What the driver's tool says of each GPU, a line each: name, MiB of memory, MiB of it that are free. "" without a GPU."""
    if not Path("/proc/driver/nvidia/gpus").is_dir():
        return ""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        return subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def count() -> int:
    """How many there are; some 50 ms where there is one."""
    return len(asked().strip().splitlines())


def one_alone(gpus: int) -> tuple[str, ...]:
    """The resources of a job that wants a GPU to itself; none where there is no GPU."""
    return (f"gpu:1/{gpus}",) if gpus else ()


def one_shared(gpus: int) -> tuple[str, ...]:
    """The resources of a job whose model shares a GPU with other models that answer, but not with a run; none where there is no GPU."""
    return (f"gpu:1/{gpus}{SHARED}",) if gpus else ()
