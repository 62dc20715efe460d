"""What a person writes to have a teacher asked: recipe, how many samples, whom to ask, and what it may cost.

Unknown keys, wrong types and contradictions are refused with file and line, never repaired. No key to an account is part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from core.files import write_whole
from core.teacher.written import Written, from_mapping, parse, read_text, refused, wrong_keys

RESERVED = ("model", "messages", "stream", "stream_options", "n")
"""Fields of a request that are not for a plan to set."""

MAX_TOKENS = 4096
DEFAULT_BUDGET_USD = 5.0

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Money = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SeedsSection(Written):
    """folder: the Go tree that code is drawn from; "" for the toolchain's own source. query: which samples are drawn from."""

    folder: str = ""
    query: str = "status:accepted"


class TeacherPlan(Written):
    """A whole plan. Only recipe and model have no default.

    samples: how many are drawn; what is refused or fails on its way counts among them. budget_usd, budget_tokens: nothing more is sent when
    one of them is reached; where neither is given, DEFAULT_BUDGET_USD counts if the model has a price. concurrency: requests under way at most. seed: of all that is drawn; made with the job when it is left out.
    parameters: fields of every request, such as temperature, max_tokens, seed; without a limit, max_tokens is MAX_TOKENS, because a budget can only
    be kept where every answer has an end. quotas: topic -> how many samples are drawn for it at most.
    """

    recipe: Annotated[str, Field(min_length=1)]
    samples: Count = 200
    model: Annotated[str, Field(min_length=1)]
    base_url: str = "https://api.openai.com/v1"
    budget_usd: Money | None = None
    budget_tokens: Annotated[int, Field(ge=1)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=512)] = 16
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    transport: Literal["live", "batch"] = "live"
    parameters: dict[str, Any] = Field(default_factory=dict)
    quotas: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    seeds: SeedsSection = SeedsSection()

    @model_validator(mode="before")
    @classmethod
    def _answers_end(cls, data: Any) -> Any:
        given = data.get("parameters", {}) if isinstance(data, Mapping) else None
        if not isinstance(given, Mapping) or given.keys() & {"max_tokens", "max_completion_tokens"}:
            return data
        return {**data, "parameters": {**given, "max_tokens": MAX_TOKENS}}

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        found = urlsplit(value)
        if found.scheme not in ("http", "https") or not found.hostname:
            raise refused(f"is “{value[:80]}”, which is no address such as https://api.openai.com/v1")
        if found.username or found.password or found.query:
            raise refused("holds a key or a password: keys belong into the environment or the keyring")
        return value.rstrip("/")

    @field_validator("parameters")
    @classmethod
    def _known_meaning(cls, value: dict[str, Any]) -> dict[str, Any]:
        taken = [name for name in value if name in RESERVED]
        if taken:
            raise refused(f"sets “{taken[0]}”, which Gosmith sets itself")
        if any("key" in name.lower() or "authorization" in name.lower() for name in value):
            raise refused("holds a key: keys belong into the environment or the keyring")
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


def with_budget(plan: TeacherPlan, *, priced: bool) -> TeacherPlan:
    """The plan with the budget that counts where it names none. priced: whether its model has a price."""
    if plan.budget_usd is not None or plan.budget_tokens is not None or not priced:
        return plan
    return plan.model_copy(update={"budget_usd": DEFAULT_BUDGET_USD})


def problems(data: dict[str, Any]) -> dict[str, str]:
    """What is wrong with plain data, a sentence a key; {} for what `plan_from` takes."""
    return wrong_keys(data, TeacherPlan)


def to_mapping(plan: TeacherPlan) -> dict[str, Any]:
    """Plain data that `plan_from` takes back; keys without a value are left out."""
    return plan.model_dump(mode="json", exclude_none=True)


def save_plan(plan: TeacherPlan, path: Path) -> None:
    """Write the plan as TOML with every key, whole or not at all. Raises OSError."""
    import tomli_w  # late: workers, which read and never write, run where it is not installed

    write_whole(path, tomli_w.dumps(to_mapping(plan)))
