"""Triton, where there is one: what operations need to hold a GPU program beside their plain one.

    runs_on(x)     whether the program for a GPU is to compute on x's device; why_not(device) says why it is not
    jit            Triton's, or a decorator that changes nothing where Triton is not installed
    warps, cover   how many threads and which power of two a row of so many numbers takes

Rules for every program here (each one learnt from somebody's bug): `program_id` becomes int64 before it is multiplied, for a row may lie
beyond 2^31 numbers; arguments are annotated `tl.tensor`, for a name that Triton does not know stops its compiler, in an annotation too; what is
loaded is cast to fp32, computed, and cast when stored; scalars are cast by `tl.cast`, since a compiler may hand them over as fp64; no input
is written to. Strides are the caller's business: programs see rows without gaps.
"""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import FakeTensor

__all__ = ["FAILURES", "FORMATS", "cover", "jit", "processors", "runs_on", "tl", "warps", "why_not", "words"]

try:
    import triton
    import triton.language as tl
    from triton.errors import TritonError
except ImportError:  # Triton comes with torch's builds for NVIDIA GPUs; elsewhere nothing here is ever started
    triton = None
    tl = None
    TritonError = RuntimeError

FORMATS = (torch.float32, torch.bfloat16, torch.float16)
FAILURES = (RuntimeError, TypeError, ValueError, OSError, subprocess.SubprocessError, TritonError)
"""What Triton raises where it cannot compile or start a program; without a C compiler that is the first of all programs."""


def jit(function: Callable[..., None]) -> Any:
    """A Triton program."""
    return function if triton is None else triton.jit(function)


def runs_on(x: Tensor) -> bool:
    """Whether Triton computes where x lies, in x's format; tensors without values (of a compiler, of a count) go the plain way."""
    return x.is_cuda and x.dtype in FORMATS and not isinstance(x, FakeTensor) and not why_not(x.device)


@functools.cache
def why_not(device: torch.device) -> str:
    """Why Triton computes nothing on a device, "" where it does: found out by starting the smallest of all programs, once."""
    if device.type != "cuda":
        return "there is no NVIDIA GPU"
    if triton is None:
        return "Triton is not installed"
    try:
        number = torch.zeros(1, device=device)
        _count_up[(1,)](number)
        return "" if number.item() == 1.0 else "Triton gives wrong numbers here"
    except FAILURES as error:
        return f"Triton cannot start a program here: {words(error)}"


def words(error: BaseException) -> str:
    """The line of an error that says most: compilers say what they were doing first, and what went wrong last."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__


@jit
def _count_up(number: tl.tensor) -> None:
    tl.store(number, tl.load(number) + 1.0)


def cover(width: int, least: int = 16) -> int:
    """The smallest power of two that is not less than width and `least`."""
    return max(least, 1 << (width - 1).bit_length())


def warps(block: int) -> int:
    """Groups of 32 threads for a block of numbers: sixteen numbers a thread, more beyond 8,192."""
    return min(16, max(1, block // 512))


def processors(x: Tensor) -> int:
    """Streaming multiprocessors of x's GPU; 4 elsewhere, where programs are only tried."""
    return _processors(x.device) if x.is_cuda else 4


@functools.cache
def _processors(device: torch.device) -> int:
    return int(torch.cuda.get_device_properties(device).multi_processor_count)
