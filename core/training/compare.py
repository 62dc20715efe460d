"""What was asked differently of several runs: the keys of their configurations that are not the same in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import UserError
from core.numbers import number_text
from core.training.config_file import flat, from_mapping

ABSENT = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """A dotted key and its value in each run, as people write it; ABSENT where a run has none."""

    key: str
    values: tuple[str, ...]


def differences(configs: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    """The keys that differ, in the order of the configuration. A run's own name always differs and is left out.

    Defaults count as if they were written out. A configuration that this version cannot read is taken as it stands.
    """
    plain = [_plain(config) for config in configs]
    keys = dict.fromkeys(key for one in plain for key in one if key != "name")
    rows = (Difference(key, tuple(_text(one.get(key)) for one in plain)) for key in keys)
    return tuple(row for row in rows if len(set(row.values)) > 1)


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return flat(from_mapping(config))
    except UserError:
        result: dict[str, Any] = {}
        for key, value in config.items():
            if isinstance(value, Mapping):
                result.update({f"{key}.{inner}": item for inner, item in value.items()})
            else:
                result[key] = value
        return result


def _text(value: object) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
