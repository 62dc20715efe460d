"""Whether a replacement computes what a layer computes: both once, forwards and backwards, on a few random rows. The same of the output head.

New adapters are zero, which would hide a wrong one, so trainable values are disturbed for the trial and put back. It draws from a generator
of its own and changes nothing that outlives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from kernels import reference, tile
from kernels.linear_cross_entropy import linear_cross_entropy
from kernels.reference import Terms

ROWS = 4
HEAD = 32
"""How wide rows are before a head that is tried: its program sees logits only."""
ROUNDING: Final = {torch.bfloat16: 2.0**-5, torch.float16: 2.0**-8, torch.float32: 2.0**-15, torch.float64: 2.0**-40}
"""By how much of its largest value a result may differ: a few units in the last place, after sums of hundreds of numbers."""

OTHER: Final = "this model's own gives other numbers"


def difference(
    module: Any, forward: Callable[..., Any], width: int, dtype: torch.dtype, options: dict[str, Any] | None = None
) -> str:
    """ "" where `forward` gives what the module's own forward gives for rows [1, ROWS, width], with all gradients; else what is wrong, for people.

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
            try:
                ours = _run(forward, module, rows, dtype, options or {})
            except tile.FAILURES as error:
                return f"it cannot be computed here: {tile.words(error)}"
    except tile.FAILURES as error:
        return f"this model's own cannot be tried: {tile.words(error)}"
    finally:
        module.train(was_training)
    same = len(own) == len(ours) and all(near(a, b, dtype) for a, b in zip(own, ours, strict=True))
    return "" if same else OTHER


def head_difference(vocabulary: int, dtype: torch.dtype, device: torch.device, terms: Terms) -> str:
    """The same question about the output head's GPU program for logits of `vocabulary` numbers; "" also where none computes on `device`."""
    generator = torch.Generator().manual_seed(0)
    rows, weight = (torch.randn(count, HEAD, generator=generator).to(device, dtype) for count in (ROWS, vocabulary))
    if not tile.runs_on(rows):
        return ""
    targets = torch.tensor([0, vocabulary - 1, reference.IGNORE, vocabulary // 2], device=device)
    found = []
    for operation in (reference.linear_cross_entropy, linear_cross_entropy):
        hidden = rows.detach().clone().requires_grad_()
        try:
            loss = operation(hidden, weight, targets, terms=terms)
            found.append([loss.detach(), *torch.autograd.grad(loss, [hidden])])
        except tile.FAILURES as error:
            return f"it cannot be computed here: {tile.words(error)}"
    return "" if all(near(a, b, dtype) for a, b in zip(*found, strict=True)) else "it gives other numbers than torch"


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


def near(a: Tensor, b: Tensor, dtype: torch.dtype) -> bool:
    """Whether two results are alike but for the rounding of `dtype`."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    most = a.abs().max().double()
    return bool((a.double() - b.double()).abs().max() <= ROUNDING[dtype] * most + 1e-12)
