"""How our operations are made known to torch: by name and signature, so that recomputation, fake tensors and compilers meet one
operation where they would else meet its parts.

Each is functional: it changes none of its inputs and returns new tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

NAMESPACE = "gosmith"
_library: Any = torch.library.Library(NAMESPACE, "FRAGMENT")  # type: ignore[no-untyped-call]


class Operation:
    """One of ours. op: as torch knows it. Where nobody looks on (a compiler, a recomputation, a count), a call goes past torch's dispatcher,
    which costs the processor as much as starting a GPU program does."""

    def __init__(self, op: Any, function: Callable[..., Any]) -> None:
        self.op = op
        self._function = function

    def __call__(self, *args: Any) -> Any:
        if torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack():
            return self.op(*args)
        return self._function(*args)


def register(signature: str, function: Callable[..., Any]) -> Operation:
    """The operation `torch.ops.gosmith.NAME` for a signature "NAME(Tensor x, ...) -> ...", computed by `function` on every device."""
    name = signature.partition("(")[0]
    _library.define(signature)
    _library.impl(name, function, "CompositeExplicitAutograd")
    return Operation(getattr(getattr(torch.ops, NAMESPACE), name).default, function)
