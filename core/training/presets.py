"""Named starting points for a run: those that ship with Gosmith, and a person's own.

A bundled preset holds what it changes and nothing else; all other keys keep the defaults of `core.training.config`. Values
follow what the field agrees on: LoRA rank 8 to 32 on all linear layers, learning rate 1e-4 to 2e-4, all weights 1e-5,
warm-up 3 to 10 percent, gradient clipping at 1. A person's own holds every key, so that it means the same after defaults
have changed. It may be edited by hand: one that cannot be used is listed with what is wrong, never hidden or mended.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomli_w

from core.errors import UserError
from core.files import write_whole
from core.paths import config_dir, resources
from core.training.config import RunConfig
from core.training.config_file import from_mapping, to_mapping
from core.training.problems import check

ORDER: Final = (
    "quick-check", "lora-default", "lora-careful", "lora-few", "lora-high-rank", "long-context", "lora-sharded",
    "full-small", "full-sharded", "continue-text",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preset:
    """name: the file's, without ending. title: for a list. when: one line on when to use it. settings: nested, as in TOML.

    own: a person's, which can be deleted. problem: why it cannot be used, "" if it can.
    """

    name: str
    title: str
    when: str
    settings: Mapping[str, Any]
    own: bool = False
    problem: str = ""


def list_presets() -> list[Preset]:
    """All presets: the bundled ones in the usual order, then a person's own by title."""
    bundled = [_read(path, own=False) for path in (resources() / "presets").glob("*.toml")]
    bundled.sort(key=lambda one: (ORDER.index(one.name) if one.name in ORDER else len(ORDER), one.name))
    own = [_read(path, own=True) for path in own_folder().glob("*.toml")]
    return bundled + sorted(own, key=lambda one: one.title.casefold())


def preset(name: str) -> Preset:
    """One preset. Raises UserError naming those there are."""
    found = list_presets()
    for item in found:
        if item.name == name:
            return item
    raise UserError(f"There is no preset “{name}”.", f"There are: {', '.join(item.name for item in found)}.")


def apply(chosen: Preset, *, base: str, snapshot: str, name: str) -> RunConfig:
    """A whole configuration from a preset. Raises UserError as `from_mapping` does."""
    return from_mapping(_whole(chosen.settings, base, snapshot, name))


def own_folder() -> Path:
    """Where a person's own presets lie, one file each; it may not be there yet."""
    return config_dir() / "presets"


def settings_of(config: RunConfig) -> dict[str, Any]:
    """All of a configuration but what it trains on and what it is called."""
    settings = {key: value for key, value in to_mapping(config).items() if key not in ("name", "model")}
    settings["data"] = {key: value for key, value in settings["data"].items() if key != "snapshot"}
    return settings


def save_preset(title: str, when: str, config: RunConfig) -> Preset:
    """Keep the settings of a configuration under a title; one of a person's own with the same title is replaced.

    Raises UserError when the title is empty or that of a bundled preset, or when the folder cannot be written.
    """
    title, when = " ".join(title.split()), " ".join(when.split())
    if not title:
        raise UserError("A preset needs a name.", "Type one, such as “errgroup, two GPUs”.")
    found = list_presets()
    if any(one.title.casefold() == title.casefold() for one in found if not one.own):
        raise UserError(f"“{title}” is a preset that ships with Gosmith.", "Choose another name.")
    old = next((one for one in found if one.own and one.title.casefold() == title.casefold()), None)
    name = old.name if old is not None else _free_name(title, {one.name for one in found})
    made = Preset(name, title, when, settings_of(config), own=True)
    path = own_folder() / f"{name}.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, tomli_w.dumps({"title": title, "when": when, **made.settings}))
    except OSError as error:
        raise UserError(
            f"The preset cannot be saved to {path}: {error.strerror}.", "Check the folder's permissions."
        ) from error
    return made


def delete_preset(chosen: Preset) -> None:
    """Remove one of a person's own; nothing happens when it is gone already. Raises UserError for a bundled one."""
    if not chosen.own:
        raise UserError(f"“{chosen.title}” ships with Gosmith and stays.", "Only presets of your own can be deleted.")
    path = own_folder() / f"{chosen.name}.toml"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be deleted: {error.strerror}.", "Check the folder's permissions.") from error


def _read(path: Path, *, own: bool) -> Preset:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return Preset(path.stem, path.stem, "", {}, own, f"The preset {path} cannot be read: {error}.")
    title, when = str(data.pop("title", path.stem)), str(data.pop("when", ""))
    checked = check(_whole(data, "starter", "any", "run"))
    problem = "" if isinstance(checked, RunConfig) else f"{path.name}: {checked[0].message} {checked[0].hint}".strip()
    return Preset(path.stem, title, when, data, own, problem)


def _whole(settings: Mapping[str, Any], base: str, snapshot: str, name: str) -> dict[str, Any]:
    inner = {key: dict(value) if isinstance(value, Mapping) else value for key, value in settings.items()}
    data = inner.pop("data", {})
    with_snapshot = {**data, "snapshot": snapshot} if isinstance(data, dict) else data
    return {"name": name, "model": {"base": base}, "data": with_snapshot, **inner}


def _free_name(title: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:60] or "preset"
    return next(name for n in range(1, 10_000) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)
