"""Which models can answer from one process: a base and plain LoRA checkpoints of it, unmerged, in one batch (`core.engine.adapters`).

Asked of small files alone. The engine has the last word when it loads: what it refuses then is served alone, merged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import UserError
from core.files import read_json
from core.models.catalogue import Model
from core.models.weights import ADAPTER_FILE, read_header

FAMILIES: Final = frozenset({"llama", "qwen2", "qwen3", "mistral"})
"""Built as the engine's own code for side-by-side answers wants it; it looks at the layers themselves."""
UNUSUAL: Final = ("use_dora", "modules_to_save", "alpha_pattern", "lora_bias")
_PLAIN = re.compile(r"layers\.\d+\.(?:self_attn|mlp)\.\w+\.lora_[AB]\.weight$")


@dataclass(frozen=True, slots=True)
class Group:
    """A process. root: the folder that is loaded. adapters: checkpoints beside it, unmerged; empty where `root` is served alone.
    models: all that answer from it."""

    root: Path
    models: tuple[Model, ...]
    adapters: tuple[Model, ...] = ()


def grouped(models: Sequence[Model], *, alone: Sequence[Path] = ()) -> tuple[Group, ...]:
    """The processes for these models, in their order. alone: folders that the engine has refused to serve beside others.

    A checkpoint that is wanted without its base or another of its kind is served alone: merged it is quicker, and exact.
    """
    bases: dict[Path, list[Model]] = {}
    for model in models:
        root = model.base if model.base is not None else model.path
        fits = model.path not in alone and (model.base is None or stands_beside(model))
        bases.setdefault(_real(root) if fits else model.path, []).append(model)
    found: list[Group] = []
    for members in bases.values():
        adapters = tuple(model for model in members if model.base is not None)
        if len(members) == 1 or not adapters:
            found.extend(Group(model.path, (model,)) for model in members)
        else:
            base = adapters[0].base
            assert base is not None
            found.append(Group(base, tuple(members), adapters))
    return tuple(found)


def stands_beside(model: Model) -> bool:
    """Is this a plain LoRA checkpoint of a base of a family that takes some beside it? False for what cannot be read."""
    if model.base is None:
        return False
    family: dict[str, Any] = read_json(model.base / "config.json") or {}
    config: dict[str, Any] = read_json(model.path / "adapter_config.json") or {}
    if family.get("model_type") not in FAMILIES or not config or any(config.get(name) for name in UNUSUAL):
        return False
    try:
        return all(_PLAIN.search(name) for name in read_header(model.path / ADAPTER_FILE))
    except (UserError, OSError):
        return False


def _real(path: Path) -> Path:
    """One name for a folder, whatever it is called."""
    return path.resolve()
