"""What is wrong with a run configuration, in sentences: one for each key, with what it may be.

All of them at once, because a dialog marks every field. The rules themselves stand in `core.training.config`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.training.config import SECTIONS, RunConfig


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration. key: dotted name such as "optimizer.learning_rate", "" for the whole.

    message: a sentence that names the key. hint: what is allowed.
    """

    key: str
    message: str
    hint: str = ""


def check(data: Mapping[str, Any]) -> RunConfig | list[Problem]:
    """The configuration, or everything that is wrong with it, in the order of its keys."""
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        problems = [_problem(detail, data) for detail in error.errors()]
        return list({problem.key: problem for problem in reversed(problems)}.values())[::-1]


def _problem(detail: ErrorDetails, data: Mapping[str, Any]) -> Problem:
    """A pydantic error as a sentence of ours. `loc` may end in the tag of a union's branch, which is no key."""
    names = [part for part in detail["loc"] if isinstance(part, str)]
    keys = names[:1] if names[:1] and names[0] not in SECTIONS else names[:2]
    key = ".".join(keys)
    value = detail["input"]
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(keys, data)
    if kind == "missing":
        example = {"model.base": 'base = "starter"', "data.snapshot": 'snapshot = "gold-v1"'}.get(key)
        if example:
            return Problem(key, f"{key} is missing.", f"Add {example} under [{keys[0]}].")
        section = keys[0]
        required = {"model": "base", "data": "snapshot"}[section]
        return Problem(
            f"{section}.{required}", f"{section}.{required} is missing.", f"Add a section [{section}] with it."
        )
    if kind == "rule":
        key = str(context["key"]) or key
        return Problem(_nearest(key, str(context["text"])), f"{key}: {context['text']}.")
    shown = _show(value)
    if kind == "literal_error" and key not in ("method.targets", "parallel.gpus"):
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        near = difflib.get_close_matches(str(value), allowed.split(", "), 1)
        return Problem(
            key, f"{key} is {shown}, which is not one of: {allowed}.", f"Did you mean “{near[0]}”?" if near else ""
        )
    if kind in ("model_type", "dict_type"):
        return Problem(
            key, f"{key} is {shown} but must be a section.", f"Write [{key}] on a line of its own, its keys below."
        )
    return Problem(key, f"{key} is {shown} but must be {_demand(key, kind, context)}.")


def _nearest(key: str, text: str) -> str:
    """The key that a rule about a whole section speaks of, so that a field of it can be marked."""
    first = text.partition(" ")[0]
    return f"{key}.{first}" if first in SECTIONS.get(key, ()) else key


def _demand(key: str, kind: str, context: Mapping[str, Any]) -> str:
    """What a value must be, to follow "must be"."""
    if key == "method.targets":
        return '"all-linear" or a list of layer names in quotes'
    if key.startswith("parallel.gpus"):
        return '"any" or a list of numbers such as [0, 2]'
    bounds = {
        "greater_than_equal": "at least {ge:g}",
        "greater_than": "above {gt:g}",
        "less_than_equal": "at most {le:g}",
        "less_than": "below {lt:g}",
        "string_too_short": "at least one letter long",
        "string_too_long": "at most {max_length} letters long",
    }
    if kind in bounds:
        return bounds[kind].format(**context)
    if key in ("method.alpha", "optimizer.warmup", "budget.epochs") and kind.startswith(("int_", "float_")):
        return "a number"
    types = {
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "finite_number": "a finite number",
        "bool_type": "true or false",
        "string_type": "a text in quotes",
        "list_type": "a list",
    }
    return types.get(kind, f"different ({kind})")


def _unknown(keys: list[str], data: Mapping[str, Any]) -> Problem:
    *section, name = keys
    siblings = SECTIONS[section[0]] if section else tuple(RunConfig.model_fields)
    near = difflib.get_close_matches(name, siblings, 1, cutoff=0.6)
    homes = [home for home, known in SECTIONS.items() if name in known]
    where = f" in [{section[0]}]" if section else ""
    if near:
        hint = f"Did you mean “{near[0]}”?"
    elif homes:
        hint = f"“{name}” belongs under [{homes[0]}]."
    else:
        hint = f"Known{where or ' at the top'}: {', '.join(siblings)}."
    return Problem(".".join(keys), f"There is no key “{name}”{where}.", hint)


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"“{value[:60]}”"
    if isinstance(value, dict):
        return "a section"
    return str(value)[:60]
