"""What a person writes to have samples judged: rubric, which samples, whom to ask, and what it may cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from core.teacher.terms import Terms
from core.teacher.written import from_mapping, parse, read_text, refused, wrong_keys

DEFAULT_RUBRIC = "go-sample"


class JudgePlan(Terms):
    """A whole plan. Only model has no default.

    rubric: by name, ours or the workspace's. query: which samples, in the search language; deleted ones never. most: at most so many of them, those
    first that come first in the query's order. again: also those whose text this model has scored by this version of the rubric.
    """

    rubric: Annotated[str, Field(min_length=1)] = DEFAULT_RUBRIC
    query: str = "status:new"
    most: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    again: bool = False

    @field_validator("parameters")
    @classmethod
    def _has_a_format(cls, value: dict[str, Any]) -> dict[str, Any]:
        if "response_format" in value:
            raise refused("sets “response_format”, which follows from the rubric")
        return value


def load_plan(path: Path) -> JudgePlan:
    """A plan from a TOML file; raises UserError naming it, and the line, or the key and what it may be."""
    return parse(read_text(path, "plan"), JudgePlan, path.name)


def plan_from(data: dict[str, Any]) -> JudgePlan:
    """A plan from plain data, as `terms.to_mapping` gives it. Raises UserError."""
    return from_mapping(data, JudgePlan)


def problems(data: dict[str, Any]) -> dict[str, str]:
    """What is wrong with plain data, a sentence a key; {} for what `plan_from` takes."""
    return wrong_keys(data, JudgePlan)
