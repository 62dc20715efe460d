"""Whom a job asks, how, and what it may cost: the part that every plan has, whatever its answers are for.

Unknown keys and contradictions are refused with file and line. No key to an account is part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from core.files import write_whole
from core.teacher.written import Written, refused

RESERVED = ("model", "messages", "stream", "stream_options", "n")
"""Fields of a request that are not for a plan to set."""

MAX_TOKENS = 4096

DEFAULT_BUDGET_USD = 5.0

Money = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Terms(Written):
    """budget_usd, budget_tokens: nothing more is sent when one of them is reached. concurrency: requests under way at most.

    parameters: fields of every request, such as temperature, max_tokens, seed; without a limit, max_tokens is MAX_TOKENS, because a
    budget can only be kept where every answer has an end.
    """

    model: Annotated[str, Field(min_length=1)]
    base_url: str = "https://api.openai.com/v1"
    budget_usd: Money | None = None
    budget_tokens: Annotated[int, Field(ge=1)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=512)] = 16
    transport: Literal["live", "batch"] = "live"
    parameters: dict[str, Any] = Field(default_factory=dict)

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


T = TypeVar("T", bound=Terms)


def with_budget(plan: T, *, priced: bool) -> T:
    """The plan with the budget that counts where it names none. priced: whether its model has a price."""
    if plan.budget_usd is not None or plan.budget_tokens is not None or not priced:
        return plan
    return plan.model_copy(update={"budget_usd": DEFAULT_BUDGET_USD})


def to_mapping(plan: Terms) -> dict[str, Any]:
    """Plain data that makes the plan again; keys without a value are left out."""
    return plan.model_dump(mode="json", exclude_none=True)


def save_plan(plan: Terms, path: Path) -> None:
    """Write the plan as TOML with every key, whole or not at all. Raises OSError."""
    import tomli_w  # late: workers, which read and never write, run where it is not installed

    write_whole(path, tomli_w.dumps(to_mapping(plan)))
