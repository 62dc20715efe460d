"""The processes of one run, and the few things they agree on.

One process holds everything ("single"); or each holds the whole model and they add up gradients ("ddp"); or each holds a
shard of it ("fsdp", `core.engine.sharding`). The processes of one machine meet at a file, so no port is opened and the process that
starts them needs no torch; several machines meet at the address that their configuration names.
Every method of a Group is called by all processes or by none: a call on one only would wait for ever.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from core.errors import UserError

T = TypeVar("T")
TIMEOUT = timedelta(minutes=5)
"""In a step all processes do the same, so one that keeps the others waiting so long hangs."""
PATIENCE = timedelta(days=1)
"""Outside steps rank 0 may be at work for all: tokenizing a million rows, reading or writing weights. That it lives is for the
supervisor to see."""
BUCKET = 64 << 20
"""Bytes of gradients that travel in one message."""


@dataclass(frozen=True, slots=True)
class Group:
    """rank: 0 .. size-1. tensor: how many neighbouring ranks share each layer and see the same rows. nodes: how many machines.

    Rank 0 writes events and checkpoints. For size 1 every method returns at once. patient: torch's handle of the same processes
    for messages that may be waited for long.
    """

    rank: int = 0
    size: int = 1
    tensor: int = 1
    nodes: int = 1
    patient: torch.distributed.ProcessGroup | None = None

    @property
    def node(self) -> int:
        """Which machine this process runs on."""
        return self.rank // (self.size // self.nodes)

    @property
    def first_here(self) -> bool:
        """Whether this process is the first of its machine."""
        return self.rank % (self.size // self.nodes) == 0

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    @property
    def data_rank(self) -> int:
        """Which share of a step's rows is this process's."""
        return self.rank // self.tensor

    @property
    def data_size(self) -> int:
        """Into how many shares the rows of a step are split."""
        return self.size // self.tensor

    def sums(self, values: Sequence[float]) -> list[float]:
        """Each value's sum over processes, in one message; processes that see the same rows count once."""
        if self.size == 1:
            return list(values)
        cells = torch.tensor(list(values), dtype=torch.float64)
        torch.distributed.all_reduce(cells)
        return [float(value) / self.tensor for value in cells]

    def total(self, value: float) -> float:
        """The sum over processes."""
        return self.sums([value])[0]

    def largest(self, value: int) -> int:
        """The largest value on any process."""
        if self.size == 1:
            return value
        cell = torch.tensor([value], dtype=torch.int64)
        torch.distributed.all_reduce(cell, op=torch.distributed.ReduceOp.MAX)
        return int(cell.item())

    def told(self, value: T) -> T:
        """What rank 0 says, whatever the others pass, and however long it takes."""
        if self.size == 1:
            return value
        box = [value]
        torch.distributed.broadcast_object_list(box, src=0, group=self.patient)
        return box[0]

    def agree(self, values: Mapping[str, object]) -> None:
        """Refuse to go on where a machine has other values than rank 0. Raises UserError on all processes; on one machine nothing differs."""
        if self.nodes == 1:
            return
        told = self.told(dict(values))
        wrong = sorted(name for name in told.keys() | values.keys() if told.get(name) != values.get(name))
        if self.largest(bool(wrong)):
            raise UserError(
                f"This machine (node {self.node}) differs from node 0 in {', '.join(wrong)}."
                if wrong
                else "Another machine differs from this one; its own message says in what.",
                "Start the same configuration, base and snapshot on every machine; only parallel.node and parallel.gpus may differ.",
            )

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by the sum over processes; a missing gradient counts as zero."""
        if self.size == 1:
            return
        for bucket in _buckets(parameters):
            grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in bucket]
            flat = torch.cat([grad.reshape(-1).float() for grad in grads])
            torch.distributed.all_reduce(flat)
            for parameter, grad, part in zip(bucket, grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
                parameter.grad = part.view_as(grad).to(grad.dtype)

    def pieces(self, path: Path, size: int) -> Iterator[memoryview]:
        """The `size` bytes of a file that rank 0 can read, sent to all."""
        with open(path if self.first else os.devnull, "rb") as file:
            for start in range(0, size, BUCKET):
                cells = torch.zeros(min(BUCKET, size - start), dtype=torch.uint8)
                view = cells.numpy().data
                if self.first:
                    file.readinto(view)
                torch.distributed.broadcast(cells, src=0)
                yield view

    def wait(self) -> None:
        """Until all processes are here, however long it takes."""
        if self.size > 1:
            torch.distributed.barrier(group=self.patient)


def join(rank: int, size: int, store: Path | None, *, tensor: int = 1, nodes: int = 1, rendezvous: str = "") -> Group:
    """Meet the other processes at the file `store` (all name the same one, new for each attempt) or, of several machines, at
    `rendezvous`, host:port. Raises UserError when the other machines do not come.

    Tensors on GPUs travel by NCCL when every process of this machine has a GPU of its own, all others by gloo.
    """
    if size == 1:
        return Group()
    if store is None and nodes == 1:
        raise ValueError("several processes need a store file to meet at")
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        torch.distributed.init_process_group(
            backend,
            init_method=f"tcp://{rendezvous}" if nodes > 1 else f"file://{store}",
            rank=rank,
            world_size=size,
            timeout=TIMEOUT,
        )
    except RuntimeError as error:
        if nodes == 1:
            raise
        raise UserError(
            f"This machine (node {Group(rank, size, tensor, nodes).node}) did not meet the others at {rendezvous} within "
            f"{TIMEOUT.total_seconds():.0f} s: {str(error).splitlines()[0][:200]}",
            f"Start or resume the same run on all {nodes} machines, each with its own parallel.node, and see that node 0 can be "
            "reached at that address.",
        ) from error
    patient = torch.distributed.new_group(backend="gloo", timeout=PATIENCE)
    return Group(rank, size, tensor, nodes, patient)


def leave(group: Group) -> None:
    """The counterpart of `join`."""
    if group.size > 1:
        torch.distributed.destroy_process_group()


def share(items: Sequence[T], group: Group, micro: int) -> list[Sequence[T]]:
    """This process's part of a step's sequences, as micro-batches. With few sequences some processes have none."""
    mine = items[group.data_rank :: group.data_size]
    return [mine[start : start + micro] for start in range(0, len(mine), micro)]


def _buckets(parameters: Iterable[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    bucket: list[nn.Parameter] = []
    size = 0
    for parameter in parameters:
        bucket.append(parameter)
        size += _bytes(parameter)
        if size >= BUCKET:
            yield bucket
            bucket, size = [], 0
    if bucket:
        yield bucket


def _bytes(tensor: Tensor) -> int:
    return 4 * tensor.numel()
