"""What people write for the teacher (plans, recipes), read from TOML: everything that is wrong becomes a sentence with file and line.

Knows nothing of what the keys mean; unknown ones are always refused.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from core.errors import UserError


class Written(BaseModel):
    """What all of it has in common: no unknown keys, no silent conversion, no later change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


M = TypeVar("M", bound=Written)

_BOUNDS = {
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "above {gt:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "below {lt:g}",
    "string_too_short": "at least one letter long",
    "too_short": "a list with at least {min_length} in it",
}
_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "list_type": "a list",
    "tuple_type": "a list",
    "model_type": "a section",
    "model_attributes_type": "a section",
    "dict_type": "a section",
}


def refused(message: str) -> PydanticCustomError:
    """A broken rule of ours; message: how the sentence about the key ends."""
    return PydanticCustomError("rule", "{text}", {"text": message})


def read_text(path: Path, what: str) -> str:
    """The text of a file. Raises UserError naming it; what: such as "plan"."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"The {what} {path} cannot be read: {error.strerror}.", "Check the path.") from None
    except UnicodeDecodeError:
        raise UserError(f"The {what} {path} is not UTF-8 text.", "Save it as UTF-8.") from None


def parse(text: str, model: type[M], name: str) -> M:
    """What the TOML text says. name: of the file, for the sentence. Raises UserError with the first thing that is wrong and its line."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name} is no valid TOML: {error}.", "Texts need quotes, lists need brackets.") from None
    return from_mapping(data, model, name, text)


def from_mapping(data: Mapping[str, Any], model: type[M], name: str = "", text: str = "") -> M:
    """The same of plain data; lines are named where the text is given."""
    try:
        return model.model_validate(tuples(data))
    except ValidationError as error:
        details = sorted(
            error.errors(), key=lambda one: (one["type"] != "extra_forbidden", one["type"] == "missing")
        )  # a slip in a key explains what is missing, and what stands there is told before what does not
        message, hint = _sentence(details[0], model)
        line = _line(text, [str(part) for part in details[0]["loc"] if isinstance(part, str)])
        place = ", ".join([*([name] if name else []), *([f"line {line}"] if line else [])])
        more = f" ({len(details) - 1} more.)" if len(details) > 1 else ""
        raise UserError(f"{place}: {message}" if place else message, (hint + more).strip()) from None


def wrong_keys(data: Mapping[str, Any], model: type[BaseModel]) -> dict[str, str]:
    """All that is wrong with plain data: the key with dots, and a sentence about it. {} when nothing is."""
    try:
        model.model_validate(tuples(data))
    except ValidationError as error:
        found: dict[str, str] = {}
        for detail in error.errors():
            message, hint = _sentence(detail, model)
            key = ".".join(str(part) for part in detail["loc"] if isinstance(part, str))
            found.setdefault(key, f"{message} {hint}".strip())
        return found
    return {}


def tuples(data: Any) -> Any:
    """Lists as tuples all the way down: what is strict takes no list for a tuple."""
    if isinstance(data, Mapping):
        return {key: tuples(value) for key, value in data.items()}
    return tuple(tuples(value) for value in data) if isinstance(data, list) else data


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    keys = [str(part) for part in detail["loc"] if isinstance(part, str)]
    key = ".".join(keys)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        siblings = _siblings(model, keys[:-1])
        near = difflib.get_close_matches(keys[-1], siblings, 1, cutoff=0.6)
        where = f" in [{'.'.join(keys[:-1])}]" if keys[:-1] else ""
        known = f"Known{where or ' at the top'}: {', '.join(siblings)}." if siblings else ""
        hint = f"Did you mean “{near[0]}”?" if near else known
        return f"There is no key “{keys[-1]}”{where}.", hint
    if kind == "missing":
        return f"{key} is missing.", f"Add it{' at the top' if len(keys) == 1 else ''}."
    if kind == "rule":
        return f"{key} {context['text']}.".strip(), ""
    shown = _show(detail["input"])
    if kind == "literal_error":
        return f"{key} is {shown}, which is not one of: {str(context['expected']).replace(' or ', ', ')}.", ""
    demand = _BOUNDS[kind].format(**context) if kind in _BOUNDS else _TYPES.get(kind, f"different ({kind})")
    return f"{key} is {shown} but must be {demand}.", ""


def _siblings(model: type[BaseModel], keys: list[str]) -> list[str]:
    """The keys that may stand where these lead."""
    for key in keys:
        field = model.model_fields.get(key)
        kinds = [field.annotation, *get_args(field.annotation)] if field else []
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _line(text: str, keys: list[str]) -> int:
    """Where a key stands in the text, 0 where it does not: the last key, below the heading of the section before it."""
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := re.match(r"\s*\[+\s*([\w.\"-]+)\s*\]+", line):
            section = heading[1].strip('"')
            if [section] == keys:
                return number
        elif keys and (found := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line)):
            path = [*section.split("."), found[1]] if section else [found[1]]
            if path == keys[: len(path)]:
                return number
    return 0


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"“{value[:60]}”"
    return "a section" if isinstance(value, Mapping) else str(value)[:60]
