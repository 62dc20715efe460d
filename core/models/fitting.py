"""Do models fit into memory together? Asked before any is loaded; an estimate from the sizes of their files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from core.errors import UserError
from core.models.grouping import Group
from core.models.weights import weight_files

GIB: Final = 2**30
SPARE: Final = GIB // 2
"""What a process needs beside its weights: libraries, keys and values of what it reads."""


def needed(group: Group) -> int:
    """Bytes of memory that a process takes: weights as they lie on the disk, a merged or a small model with room for more digits."""
    roots = {model.base or model.path for model in group.models}
    base = sum(map(_size, roots))
    small = base < GIB // 2  # the engine computes small models in 32 bits on a CPU
    return base * (2 if small else 1) + sum(model.bytes for model in group.models if model.base is not None) + SPARE


def too_much(groups: Iterable[Group], free: int, where: str = "memory") -> UserError | None:
    """What to say where these processes do not fit together into `free` bytes; None where they do. One alone is left to try."""
    wanted = list(groups)
    sum_of = sum(map(needed, wanted))
    if len(wanted) < 2 or sum_of <= free:
        return None
    names = ", ".join(group.models[0].name for group in wanted)
    return UserError(
        f"{names} need some {sum_of / GIB:.1f} GiB together, and {free / GIB:.1f} GiB of {where} are free.",
        "Let them answer one after the other, or take a column away.",
    )


def _size(folder: Path) -> int:
    """Bytes of the weights in a model folder; 0 for one that will be refused when it is loaded."""
    try:
        return sum(file.stat().st_size for file in weight_files(folder))
    except (UserError, OSError):
        return 0
