"""What one user prefers on this machine: a few typed values in a JSON file that can be read and mended by hand.

Nothing secret is kept here and nothing that belongs to a workspace. A value that does not fit is replaced by its default with a line in the log, so
that a damaged file never keeps the window from opening.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from core.errors import UserError
from core.files import write_json
from core.paths import config_dir

Theme = Literal["system", "light", "dark"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """theme: the look. last_workspace: the folder that opens when none is named, "" for the usual one. reviewer: the author of decisions."""

    theme: Theme = "system"
    last_workspace: str = ""
    reviewer: str = "me"


def settings_path() -> Path:
    """Where the settings lie."""
    return config_dir() / "settings.json"


def load_settings() -> Settings:
    """The settings as they were saved; defaults for everything that is missing or does not fit."""
    path = settings_path()
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read (%s); the defaults are used", path, error)
        return Settings()
    if not isinstance(value, dict):
        _log.warning("%s is no JSON object; the defaults are used", path)
        return Settings()
    for name in value.keys() - {field.name for field in fields(Settings)}:
        _log.warning("%s: there is no setting “%s”; it is dropped", path, name)
    theme, last_workspace = value.get("theme", "system"), value.get("last_workspace", "")
    if theme not in get_args(Theme):
        _log.warning("%s: there is no theme “%s”", path, theme)
        theme = "system"
    if not isinstance(last_workspace, str):
        _log.warning("%s: last_workspace is no text", path)
        last_workspace = ""
    reviewer = value.get("reviewer", "me")
    if not isinstance(reviewer, str) or not reviewer.strip():
        _log.warning("%s: reviewer is no name", path)
        reviewer = "me"
    return Settings(theme=theme, last_workspace=last_workspace, reviewer=" ".join(reviewer.split()))


def save_settings(settings: Settings) -> None:
    """Replace the saved settings. Raises UserError when the folder cannot be written."""
    path = settings_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, asdict(settings))
    except OSError as error:
        raise UserError(
            f"The settings cannot be saved to {path}: {error.strerror}.", "Check the folder's permissions."
        ) from error
