"""What happens to gradients between the backward pass and the optimizer: their norm, clipping, and fp16's loss scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.engine.parallel import Group
from core.engine.sharding import copies, local

FIRST_SCALE = 2.0**16
LEAST_SCALE = 2.0**-4
GROW_AFTER = 1000


def norm(parameters: Sequence[nn.Parameter], group: Group) -> float:
    """The Euclidean norm of all gradients together, the same on every process, however they are sharded or copied.

    Each process adds up what it holds; what lies on several counts once. One message.
    """
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not grads:
        return 0.0
    norms = torch.stack([value.float() for value in torch._foreach_norm([local(grad) for grad in grads])])
    if group.size == 1:
        return float(torch.linalg.vector_norm(norms.double()))
    shares = torch.tensor([1.0 / copies(grad, group.size) for grad in grads], dtype=torch.float64)
    square = (norms.double().cpu().square() * shares).sum()
    torch.distributed.all_reduce(square)
    return math.sqrt(square.item()) if math.isfinite(square.item()) else float(square.item())


def scale(parameters: Sequence[nn.Parameter], factor: float) -> None:
    """Multiply all gradients."""
    grads: list[Tensor] = [local(parameter.grad) for parameter in parameters if parameter.grad is not None]
    if grads and factor != 1.0:
        torch._foreach_mul_(grads, factor)


@dataclass(slots=True)
class LossScale:
    """The factor that keeps fp16's gradients from vanishing: halved when one overflows, doubled after a thousand good steps.

    Every other format has the factor 1, for ever (`used` is False). Source: Micikevicius et al. 2018.
    """

    used: bool
    value: float = 1.0
    good: int = 0

    @classmethod
    def first(cls, dtype: torch.dtype) -> LossScale:
        """For a run that begins."""
        return cls(True, FIRST_SCALE) if dtype == torch.float16 else cls(False)

    def overflowed(self) -> bool:
        """Take note of a gradient that is not finite; False when the scale cannot be what was wrong."""
        if not self.used or self.value <= LEAST_SCALE:
            return False
        self.value, self.good = self.value / 2, 0
        return True

    def went_well(self) -> None:
        """Take note of a good step."""
        if not self.used:
            return
        self.good += 1
        if self.good >= GROW_AFTER:
            self.value, self.good = self.value * 2, 0
