"""Named starting points for a run, read from resources/presets/*.toml.

A preset holds what it changes and nothing else; all other keys keep the defaults of `core.training.config`. Values
follow what the field agrees on: LoRA rank 8 to 32 on all linear layers, learning rate 1e-4 to 2e-4, all weights 1e-5,
warm-up 3 to 10 percent, gradient clipping at 1.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.errors import UserError
from core.paths import resources
from core.training.config import RunConfig
from core.training.config_file import from_mapping

ORDER: Final = ("quick-check", "lora-default", "lora-careful", "full-small", "continue-text")


@dataclass(frozen=True, slots=True)
class Preset:
    """name: the file's, without ending. title: for a list. when: one line on when to use it. settings: nested, as in TOML."""

    name: str
    title: str
    when: str
    settings: Mapping[str, Any]


def list_presets() -> list[Preset]:
    """All presets, the usual order first."""
    found = []
    for path in (resources() / "presets").glob("*.toml"):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found.append(Preset(path.stem, data.pop("title"), data.pop("when"), data))
    return sorted(
        found, key=lambda preset: (ORDER.index(preset.name) if preset.name in ORDER else len(ORDER), preset.name)
    )


def preset(name: str) -> Preset:
    """One preset. Raises UserError naming those there are."""
    found = list_presets()
    for item in found:
        if item.name == name:
            return item
    raise UserError(f"There is no preset “{name}”.", f"There are: {', '.join(item.name for item in found)}.")


def apply(chosen: Preset, *, base: str, snapshot: str, name: str) -> RunConfig:
    """A whole configuration from a preset. Raises UserError as `from_mapping` does."""
    settings = {key: dict(value) if isinstance(value, Mapping) else value for key, value in chosen.settings.items()}
    data = {**settings.pop("data", {}), "snapshot": snapshot}
    return from_mapping({"name": name, "model": {"base": base}, "data": data, **settings})
