"""Run configurations as plain data and as TOML, in and out: what is written is read back the same."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.files import write_whole
from core.training.config import RunConfig
from core.training.problems import check


def from_mapping(data: Mapping[str, Any]) -> RunConfig:
    """The configuration; raises UserError with the first thing that is wrong, and how many more there are."""
    checked = check(data)
    if isinstance(checked, RunConfig):
        return checked
    first, *more = checked
    rest = f" ({len(more)} more: {', '.join(problem.key for problem in more)}.)" if more else ""
    raise UserError(first.message, first.hint + rest)


def parse_config(text: str) -> RunConfig:
    """A configuration from TOML; raises UserError naming the line, or the key and what it may be."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(
            f"The configuration is no valid TOML: {error}.", "Texts need quotes, lists need brackets."
        ) from None
    return from_mapping(data)


def load_config(path: Path) -> RunConfig:
    """`parse_config` of a file; raises UserError naming the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"The configuration {path} cannot be read: {error.strerror}.", "Check the path.") from None
    except UnicodeDecodeError:
        raise UserError(f"The configuration {path} is not UTF-8 text.", "Save it as UTF-8.") from None
    try:
        return parse_config(text)
    except UserError as error:
        raise UserError(f"{path.name}: {error.message}", error.hint) from None


def to_mapping(config: RunConfig) -> dict[str, Any]:
    """Plain data that `from_mapping` takes back, in the order of DESIGN; keys without a value are left out."""
    return config.model_dump(mode="json", exclude_none=True)


def dump_config(config: RunConfig) -> str:
    """TOML with every key written out, so that a run can be read later without knowing the defaults of its day."""
    import tomli_w  # late: workers, which read and never write, run where it is not installed

    return tomli_w.dumps(to_mapping(config), multiline_strings=False)


def save_config(config: RunConfig, path: Path) -> None:
    """Write `dump_config` to a file, whole or not at all. Raises OSError."""
    write_whole(path, dump_config(config))


def flat(config: RunConfig) -> dict[str, Any]:
    """Dotted key -> value, for comparing two runs."""
    result: dict[str, Any] = {}
    for key, value in to_mapping(config).items():
        if isinstance(value, dict):
            result.update({f"{key}.{inner}": item for inner, item in value.items()})
        else:
            result[key] = value
    return result
