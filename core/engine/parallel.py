"""The processes of one run, and the few sums they agree on.

One process holds everything ("single"), or each holds the whole model and they add up gradients ("ddp"). Sharding ("fsdp")
is refused. The processes meet at a file, so no port is opened and the process that starts them needs no torch.
Every method of a Group is called by all processes or by none: a call on one only would wait for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from torch import nn

from core.errors import UserError

TIMEOUT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Group:
    """rank: 0 .. size-1. Rank 0 writes events and checkpoints. For size 1 every method returns at once."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def total(self, value: float) -> float:
        """The sum over processes."""
        if self.size == 1:
            return value
        cell = torch.tensor([value], dtype=torch.float64)
        torch.distributed.all_reduce(cell)
        return cell.item()

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any process; all get the same answer, at the same step."""
        return self.total(float(flag)) > 0

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by the sum over processes, in one message; a missing gradient counts as zero."""
        if self.size == 1:
            return
        owned = list(parameters)
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in owned]
        flat = torch.cat([grad.reshape(-1).float() for grad in grads])
        torch.distributed.all_reduce(flat)
        for parameter, grad, part in zip(owned, grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
            parameter.grad = part.view_as(grad).to(grad.dtype)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            torch.distributed.barrier()


def check_mode(mode: str, processes: int, *, offload: bool) -> None:
    """Refuse what this engine does not do, before anything is loaded."""
    if mode == "fsdp":
        raise UserError(
            'parallel.mode = "fsdp" is not built yet: the model cannot be sharded over GPUs.',
            'Use "auto": each process then holds the whole model ("ddp"). For less memory lower batch.micro, or use LoRA.',
        )
    if mode not in ("auto", "single", "ddp"):
        raise UserError(f'parallel.mode is "{mode}".', 'Use "auto", "single" or "ddp".')
    if mode == "single" and processes > 1:
        raise UserError(
            f'parallel.mode is "single", but parallel.processes is {processes}.', 'Set processes = 1, or mode = "ddp".'
        )
    if offload:
        raise UserError("parallel.offload is not built yet.", "Set parallel.offload = false.")


def join(rank: int, size: int, store: Path | None) -> Group:
    """Meet the other processes at the file `store` (all name the same one, new for each attempt)."""
    if size == 1:
        return Group()
    if store is None:
        raise ValueError("several processes need a store file to meet at")
    # Sums of gradients travel through host memory with gloo: one adapter a step. NCCL belongs to the multi-GPU work.
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=size, timeout=TIMEOUT
    )
    return Group(rank, size)


def leave(group: Group) -> None:
    """The counterpart of `join`."""
    if group.size > 1:
        torch.distributed.destroy_process_group()
