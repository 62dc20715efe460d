"""What a person writes to have a teacher asked: recipe, how many samples, whom to ask, and what it may cost.

Unknown keys, wrong types and contradictions are refused with file and line, never repaired. No key to an account is part of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from core.teacher.terms import Terms
from core.teacher.written import Written, from_mapping, parse, read_text, refused, wrong_keys

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class SeedsSection(Written):
    """folder: the Go tree that code is drawn from; "" for the toolchain's own source. query: which samples are drawn from."""

    folder: str = ""
    query: str = "status:accepted"


class TeacherPlan(Terms):
    """A whole plan. Only recipe and model have no default.

    samples: how many are drawn; what is refused or fails on its way counts among them. Where no budget is given, DEFAULT_BUDGET_USD counts
    if the model has a price. seed: of all that is drawn; made with the job when it is left out. quotas: topic -> how many samples are
    drawn for it at most. shares: axis -> value -> how often it is drawn beside the others, 0 for those that are not named; an axis that is
    not named is drawn evenly. evaluation: the job whose failures this plan answers, "" for none.
    """

    recipe: Annotated[str, Field(min_length=1)]
    samples: Count = 200
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    quotas: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    shares: dict[str, dict[str, Weight]] = Field(default_factory=dict)
    seeds: SeedsSection = SeedsSection()
    evaluation: Annotated[str, Field(max_length=200)] = ""

    @field_validator("shares")
    @classmethod
    def _draws_something(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        empty = next((axis for axis, weights in value.items() if not any(weights.values())), None)
        if empty is not None:
            raise refused(f"gives no value of “{empty}” a share above 0")
        return value


def parse_plan(text: str, name: str = "The plan") -> TeacherPlan:
    """A plan from TOML; raises UserError naming the line, or the key and what it may be."""
    return parse(text, TeacherPlan, name)


def load_plan(path: Path) -> TeacherPlan:
    """`parse_plan` of a file; raises UserError naming it."""
    return parse_plan(read_text(path, "plan"), path.name)


def plan_from(data: dict[str, Any]) -> TeacherPlan:
    """A plan from plain data, as `to_mapping` gives it."""
    return from_mapping(data, TeacherPlan)


def problems(data: dict[str, Any]) -> dict[str, str]:
    """What is wrong with plain data, a sentence a key; {} for what `plan_from` takes."""
    return wrong_keys(data, TeacherPlan)
