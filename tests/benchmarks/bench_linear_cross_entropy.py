"""The chunked output head beside the plain one and torch's own chunked one, on the CPU: time forward and backward, and memory.

python -m tests.benchmarks.bench_linear_cross_entropy

Frozen head, fp32, 60 % of the rows ignored, as when answers alone are trained. Memory is the growth of this process's peak, each
operation in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.report import report

ROWS, WIDTH, VOCABULARY = 2048, 512, 32_000
OPERATIONS = ("ours", "plain", "torch")
REPEAT = 5


def measure(operation: str) -> dict[str, float]:
    """Seconds (best of REPEAT) and bytes of one operation."""
    import torch
    from torch.nn import functional

    from kernels import reference
    from kernels.linear_cross_entropy import linear_cross_entropy

    torch.set_num_threads(1)
    torch.manual_seed(0)
    hidden = torch.randn(ROWS, WIDTH, requires_grad=True)
    weight = torch.randn(VOCABULARY, WIDTH) * 0.02
    targets = torch.randint(0, VOCABULARY, (ROWS,))
    targets[: ROWS * 6 // 10] = reference.IGNORE
    hidden.grad = torch.zeros_like(hidden)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak()
    best = float("inf")
    for _ in range(REPEAT):
        start = time.perf_counter()
        if operation == "ours":
            loss = linear_cross_entropy(hidden, weight, targets, budget=8 * 2**20)
        elif operation == "plain":
            loss = reference.linear_cross_entropy(hidden, weight, targets)
        else:
            loss = functional.linear_cross_entropy(
                hidden, weight, targets, reduction="sum", options=torch.nn.LinearCrossEntropyOptions()
            )
        loss.backward()
        best = min(best, time.perf_counter() - start)
    return {"seconds": best, "bytes": float(peak() - before)}


def peak() -> int:
    """The largest memory of this process since its peak was reset, in bytes (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def main() -> None:
    found = {}
    for operation in OPERATIONS:
        command = [sys.executable, "-m", "tests.benchmarks.bench_linear_cross_entropy", operation]
        found[operation] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    ours = found["ours"]
    figures: dict[str, object] = {"rows": ROWS, "width": WIDTH, "vocabulary": VOCABULARY, "ignored": 0.6}
    for operation, one in found.items():
        figures[f"{operation}_seconds"] = round(one["seconds"], 3)
        figures[f"{operation}_mebibytes"] = round(one["bytes"] / 2**20)
    for peer in OPERATIONS[1:]:
        figures[f"times_faster_than_{peer}"] = round(found[peer]["seconds"] / ours["seconds"], 2)
        figures[f"share_of_memory_of_{peer}"] = round(ours["bytes"] / found[peer]["bytes"], 3)
    report("linear_cross_entropy", figures)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
