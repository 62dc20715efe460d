"""Settings under a name: how to sample, and the system prompt. A few come with Gosmith, the rest are a person's own.

Those that come along set the samplers only; one's own hold everything that stood in the panel. Own ones lie in one file among the user's settings;
a preset in it that is not understood is passed over and kept, a file that is damaged is named and never written over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.errors import UserError
from core.files import write_json
from core.inference.sampling import Sampling, as_dict, from_dict
from core.paths import config_dir

FILE: Final = "presets.json"


@dataclass(frozen=True, slots=True)
class Preset:
    """sampling: the settings that it makes, by their names; others stay as they are. system: None leaves the system prompt alone."""

    name: str
    sampling: Mapping[str, Any]
    system: str | None = None
    bundled: bool = False

    def applied(self, to: Sampling) -> Sampling:
        """These settings over those. Raises UserError for settings that are out of range."""
        return from_dict({**as_dict(to), "seed": to.seed, **self.sampling})


_OFF: Final = {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
BUNDLED: Final = (
    Preset("Greedy", {"temperature": 0.0, **_OFF}, bundled=True),
    Preset("Usual", {name: getattr(Sampling(), name) for name in ("temperature", *_OFF)}, bundled=True),
    Preset("Explore", {"temperature": 1.1, **_OFF, "min_p": 0.05}, bundled=True),
    Preset("Neutral: all samplers off", {"temperature": 1.0, **_OFF}, bundled=True),
)


def of(name: str, sampling: Sampling, system: str) -> Preset:
    """A preset of one's own with all that the panel holds."""
    return Preset(name, as_dict(sampling), system)


def presets_path() -> Path:
    """Where one's own lie."""
    return config_dir() / FILE


def load() -> tuple[Preset, ...]:
    """Those that come along, then one's own by name. Raises UserError for a file that is damaged."""
    own = [preset for preset in map(_understood, _read()) if preset is not None]
    return (*BUNDLED, *sorted(own, key=lambda preset: preset.name.casefold()))


def save(preset: Preset) -> None:
    """Keep a preset, in the place of one's own of that name. Raises UserError for a name that cannot be, and when it cannot be written."""
    name = _checked(preset.name)
    kept = [one for one in _read() if _name_of(one) != name]
    _write([*kept, asdict(replace(preset, name=name, bundled=False))])


def rename(old: str, new: str) -> None:
    """Give one's own another name. Raises UserError when that is taken."""
    name = _checked(new)
    kept = _read()
    if name != old and any(_name_of(one) == name for one in kept):
        raise UserError(f"There is a preset “{name}” already.", "Choose another name.")
    _write([{**one, "name": name} if _name_of(one) == old else one for one in kept])


def delete(name: str) -> Preset:
    """Forget one's own and return it. Raises UserError when there is none of that name."""
    kept = _read()
    gone = next((preset for one in kept if _name_of(one) == name and (preset := _understood(one))), None)
    if gone is None:
        raise UserError(f"There is no preset “{name}” of yours.", "Those that come with Gosmith stay.")
    _write([one for one in kept if _name_of(one) != name])
    return gone


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise UserError("A preset needs a name.", "Write one.")
    if any(preset.name.casefold() == name.casefold() for preset in BUNDLED):
        raise UserError(f"“{name}” comes with Gosmith.", "Choose another name.")
    return name


def _name_of(one: object) -> str | None:
    return str(one["name"]) if isinstance(one, dict) and "name" in one else None


def _understood(one: object) -> Preset | None:
    try:
        if not isinstance(one, dict) or not isinstance(one["name"], str):
            return None
        system = one["system"]
        made = Preset(one["name"], dict(one["sampling"]), None if system is None else str(system))
        made.applied(Sampling())
    except (KeyError, TypeError, ValueError, UserError):
        return None
    return made


def _read() -> list[Any]:
    path = presets_path()
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read, so your presets are missing.", "Mend it by hand, or move it away.") from error  # fmt: skip
    if not isinstance(found, dict) or not isinstance(found.get("presets"), list):
        raise UserError(f"{path} holds no presets.", "Mend it by hand, or move it away.")
    return list(found["presets"])


def _write(presets: Sequence[object]) -> None:
    path = presets_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"presets": list(presets)})
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}.", "Make room, or make the folder writable."
        ) from error
