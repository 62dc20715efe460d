"""Whether a replacement computes what a layer computes: both once, forwards and backwards, on a few random rows.

New adapters are zero, which would hide a wrong one, so trainable values are disturbed for the trial and put back. It draws from a generator
of its own and changes nothing that outlives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from kernels import tile

ROWS = 4
ROUNDING: Final = {torch.bfloat16: 2.0**-5, torch.float16: 2.0**-8, torch.float32: 2.0**-15, torch.float64: 2.0**-40}
"""By how much of its largest value a result may differ: a few units in the last place, after sums of hundreds of numbers."""


def agrees(
    module: Any, forward: Callable[..., Any], width: int, dtype: torch.dtype, options: dict[str, Any] | None = None
) -> bool:
    """Whether `forward` gives what the module's own forward gives for rows [1, ROWS, width], with all gradients.

    options: what else both are called with. A pair that comes back counts by its first.
    """
    weight = next(module.parameters())
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(1, ROWS, width, generator=generator).to(weight.device, dtype)
    was_training = module.training
    module.eval()
    try:
        with _disturbed(module, generator), torch.enable_grad():
            own = _run(type(module).forward, module, rows, dtype, options or {})
            ours = _run(forward, module, rows, dtype, options or {})
    except tile.FAILURES:
        return False
    finally:
        module.train(was_training)
    return len(own) == len(ours) and all(_near(a, b, dtype) for a, b in zip(own, ours, strict=True))


@contextmanager
def _disturbed(module: nn.Module, generator: torch.Generator) -> Iterator[None]:
    before = [(parameter, parameter.detach().clone()) for parameter in module.parameters() if parameter.requires_grad]
    try:
        with torch.no_grad():
            for parameter, value in before:
                parameter.add_(0.05 * torch.randn(value.shape, generator=generator).to(value))
        yield
    finally:
        with torch.no_grad():
            for parameter, value in before:
                parameter.copy_(value)


def _run(
    forward: Callable[..., Any], module: nn.Module, rows: Tensor, dtype: torch.dtype, options: dict[str, Any]
) -> list[Tensor]:
    x = rows.detach().clone().requires_grad_()
    half = dtype in (torch.bfloat16, torch.float16)
    with torch.autocast(x.device.type, dtype if half else torch.bfloat16, enabled=half, cache_enabled=False):
        found = forward(module, x, **options)
    out = found[0] if isinstance(found, tuple) else found
    wanted = [x, *(parameter for parameter in module.parameters() if parameter.requires_grad)]
    above = torch.linspace(-1, 1, out.numel()).view_as(out).to(out)
    return [out, *(grad for grad in torch.autograd.grad(out, wanted, above, allow_unused=True) if grad is not None)]


def _near(a: Tensor, b: Tensor, dtype: torch.dtype) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    most = a.abs().max().double()
    return bool((a.double() - b.double()).abs().max() <= ROUNDING[dtype] * most + 1e-12)
