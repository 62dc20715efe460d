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


def register(signature: str, function: Callable[..., Any]) -> Any:
    """The operation `torch.ops.gosmith.NAME` for a signature "NAME(Tensor x, ...) -> ...", computed by `function` on every device."""
    name = signature.partition("(")[0]
    _library.define(signature)
    _library.impl(name, function, "CompositeExplicitAutograd")
    return getattr(getattr(torch.ops, NAMESPACE), name).default
