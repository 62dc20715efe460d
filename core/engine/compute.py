"""Which device and which number format a job computes in, decided once and said aloud.

It refuses library versions that this engine has not been written for. What a machine does slowly is said, never silent: fp16
on a CPU, and bf16 on one without bf16 units, where fp32 is used instead.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from core.errors import UserError
from core.training import machine

NEEDED = {"torch": (2, 11), "transformers": (5, 17)}


@dataclass(frozen=True, slots=True)
class Compute:
    """device: where. dtype: what products are computed in. note: a sentence when it is not what was asked for."""

    device: torch.device
    dtype: torch.dtype
    note: str = ""

    def autocast(self) -> AbstractContextManager[object]:
        """The context for a forward pass."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    @property
    def likes_even_shapes(self) -> bool:
        """Whether products of a shape never seen before cost milliseconds: on a CPU, oneDNN writes a program for each in bf16 and
        fp16, 0.6 to 3.4 ms, and keeps about a thousand."""
        return self.device.type == "cpu" and self.dtype.itemsize == 2

    @property
    def logits_budget(self) -> int:
        """Bytes of logits at a time: what stays in a CPU's cache, or what is small beside a GPU's memory."""
        return 512 * 2**20 if self.device.type == "cuda" else 8 * 2**20


def choose(dtype: str, rank: int = 0) -> Compute:
    """This process's device, and `dtype` (bf16, fp16, fp32) or what replaces it there. Raises UserError.

    rank: which process of a run asks; each gets a GPU of its own as long as there are enough.
    """
    check_versions()
    device = (
        torch.device("cuda", rank % torch.cuda.device_count()) if torch.cuda.is_available() else torch.device("cpu")
    )
    if dtype == "fp32":
        return Compute(device, torch.float32)
    if dtype == "fp16":
        slow = "" if device.type == "cuda" else "fp16 on a CPU is slow; bf16 or fp32 are not."
        return Compute(device, torch.float16, slow)
    if dtype != "bf16":
        raise UserError(f'precision.dtype is "{dtype}".', 'Use "bf16", "fp16" or "fp32".')
    if device.type == "cpu" and not cpu_has_bf16():
        return Compute(device, torch.float32, "This CPU has no bf16 units, so fp32 is used instead of bf16.")
    return Compute(device, torch.bfloat16)


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 in hardware (AMX or AVX512-BF16); elsewhere bf16 is slower than fp32."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool({"amx_bf16", "avx512_bf16"} & set(flags.split()))


def wait(compute: Compute) -> None:
    """Until what was asked of the device is done, so that a clock may be read."""
    if compute.device.type == "cuda":
        torch.cuda.synchronize()


def free_memory(compute: Compute) -> int:
    """Bytes that nobody uses, of the device's memory."""
    if compute.device.type == "cuda":
        return int(torch.cuda.mem_get_info(compute.device)[0])
    return machine.look().free


def check_versions() -> None:
    """Refuse a torch or transformers older than the engine was written for."""
    for name, needed in NEEDED.items():
        found = version(name)
        numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
        if numbers < needed:
            raise UserError(
                f"{name} {found} is installed, and the engine needs {needed[0]}.{needed[1]} or later.",
                f"Run `make run` again, or `pip install '{name}>={needed[0]}.{needed[1]}'`.",
            )


def describe() -> str:
    """The hardware in a few words, for logs and model cards."""
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()} (torch {torch.__version__})"
    units = ", bf16 units" if cpu_has_bf16() else ""
    return f"CPU, {torch.get_num_threads()} thread(s){units} (torch {torch.__version__})"
