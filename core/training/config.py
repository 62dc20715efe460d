"""What a person writes to have a run: the one description that the dialog, the command line and the engine share.

Unknown keys, wrong types and contradictions are refused with the key's name, never repaired. Whether the run fits into
the machine is not asked here (`core.training.plan`), nor whether snapshot and base exist (`core.training.launch`).
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from core.errors import UserError
from core.files import write_whole

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
CountOrNone = Annotated[int, Field(ge=0, le=1_000_000_000)]
Share = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
DEFAULT_STEPS = 300


def _refuse(message: str, key: str = "") -> PydanticCustomError:
    """A broken rule of ours. key: where it belongs, if not where it was found."""
    return PydanticCustomError("rule", "{text}", {"text": message, "key": key})


class Section(BaseModel):
    """What all parts of a configuration have in common: no unknown keys, no silent conversion, no later change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ModelSection(Section):
    """base: "starter", a folder, a hub id that is in the local cache, or a checkpoint to go on from."""

    base: Annotated[str, Field(min_length=1)]


class DataSection(Section):
    """objective: sft = chats, loss on answers only; text = plain text, loss on all tokens. max_length: tokens a row.

    packing: fill rows up to max_length with several samples that do not see one another.
    """

    snapshot: Annotated[str, Field(min_length=1)]
    objective: Literal["sft", "text"] = "sft"
    max_length: Annotated[int, Field(ge=16, le=1_048_576)] = 2048
    packing: bool = True

    @model_validator(mode="after")
    def _room_to_pack(self) -> Self:
        if self.packing and self.max_length < 64:
            raise _refuse(
                f"packing = true with max_length = {self.max_length} leaves no room to pack: use 64 or more, or packing = false"
            )
        return self


class MethodSection(Section):
    """kind: lora = an adapter on linear layers, full = all weights. The other keys are for lora.

    targets: "all-linear", or the names of the linear layers, such as ["q_proj", "v_proj"].
    """

    kind: Literal["lora", "full"] = "lora"
    rank: Annotated[int, Field(ge=1, le=1024)] = 16
    alpha: Annotated[int, Field(gt=0)] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = 32
    dropout: Share = 0.0
    targets: Literal["all-linear"] | list[str] = "all-linear"

    @field_validator("targets")
    @classmethod
    def _plain_names(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, list):
            if not value:
                raise _refuse('must name at least one layer, or be "all-linear"')
            for name in value:
                if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name):
                    raise _refuse(f"“{name}” is no layer name")
            if len(set(value)) < len(value):
                raise _refuse("names a layer twice")
        return value


class OptimizerSection(Section):
    """learning_rate: at the peak. warmup: below 1 a share of all steps, else a number of steps.

    clip: largest gradient norm, 0 for no clipping.
    """

    name: Literal["adamw"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)] = 2e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.03
    weight_decay: Share = 0.0
    clip: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 1.0

    @field_validator("warmup")
    @classmethod
    def _share_or_steps(cls, value: float) -> float:
        if value >= 1 and value != int(value):
            raise _refuse("must be a share of the steps below 1, or a whole number of steps")
        return int(value) if value >= 1 else value

    def warmup_steps(self, steps: int) -> int:
        """Steps of warm-up in a run of `steps`."""
        return min(steps, int(self.warmup) if self.warmup >= 1 else round(self.warmup * steps))


class BudgetSection(Section):
    """How long: optimizer steps or passes over the data, one of the two. Neither means 300 steps."""

    steps: Count | None = None
    epochs: Annotated[int, Field(gt=0)] | Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _default(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("steps") is None and value.get("epochs") is None:
            return {**value, "steps": DEFAULT_STEPS}
        return value

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.steps is not None and self.epochs is not None:
            raise _refuse("takes steps or epochs, not both")
        return self


class BatchSection(Section):
    """micro: rows a process puts through the model at once. accumulation: how often, for one optimizer step."""

    micro: Annotated[int, Field(ge=1, le=4096)] = 2
    accumulation: Annotated[int, Field(ge=1, le=4096)] = 4


class ParallelSection(Section):
    """processes: workers, one a GPU. mode: ddp copies the model, fsdp shards it, auto lets the planner choose.

    offload: keep sharded weights in main memory. activation_checkpointing: full = compute activations again in the
    backward pass, a third slower and much smaller.
    """

    processes: Annotated[int, Field(ge=1, le=64)] = 1
    mode: Literal["auto", "single", "ddp", "fsdp"] = "auto"
    offload: bool = False
    activation_checkpointing: Literal["none", "full"] = "none"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mode == "single" and self.processes > 1:
            raise _refuse(f'mode = "single" contradicts processes = {self.processes}')
        if self.mode in ("ddp", "fsdp") and self.processes == 1:
            raise _refuse(f'mode = "{self.mode}" needs processes = 2 or more')
        if self.offload and self.mode in ("single", "ddp"):
            raise _refuse(f'offload = true needs mode = "fsdp" or "auto", not "{self.mode}"')
        return self


class PrecisionSection(Section):
    """dtype: of weights that are not trained and of the arithmetic; trained weights are kept in fp32."""

    dtype: Literal["bf16", "fp16", "fp32"] = "bf16"


class CheckpointsSection(Section):
    """every: steps between checkpoints, 0 for the last one only. keep: how many of the newest stay on disk."""

    every: CountOrNone = 100
    keep: Annotated[int, Field(ge=1, le=1000)] = 2


class ValidationSection(Section):
    """every: steps between validation losses, 0 for none."""

    every: CountOrNone = 50


class RunConfig(Section):
    """A whole run. Only model.base and data.snapshot have no default. kernels: our Triton kernels, auto = where they run."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = "run"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 7
    kernels: Literal["auto", "on", "off"] = "auto"
    model: ModelSection
    data: DataSection
    method: MethodSection = MethodSection()
    optimizer: OptimizerSection = OptimizerSection()
    budget: BudgetSection = BudgetSection(steps=DEFAULT_STEPS)
    batch: BatchSection = BatchSection()
    parallel: ParallelSection = ParallelSection()
    precision: PrecisionSection = PrecisionSection()
    checkpoints: CheckpointsSection = CheckpointsSection()
    validation: ValidationSection = ValidationSection()

    @field_validator("name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise _refuse("must be one line of visible text")
        return value

    @model_validator(mode="after")
    def _warmup_fits(self) -> Self:
        steps, warmup = self.budget.steps, self.optimizer.warmup
        if steps is not None and warmup >= 1 and warmup > steps:
            raise _refuse(f"{warmup} steps are longer than the run: budget.steps = {steps}", "optimizer.warmup")
        return self


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


SECTIONS: dict[str, tuple[str, ...]] = {
    name: tuple(field.annotation.model_fields)
    for name, field in RunConfig.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
"""Section -> its keys, in order."""


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
        return Problem(key, f"{key}: {context['text']}.")
    shown = _show(value)
    if kind == "literal_error" and key != "method.targets":
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


def _demand(key: str, kind: str, context: Mapping[str, Any]) -> str:
    """What a value must be, to follow "must be"."""
    if key == "method.targets":
        return '"all-linear" or a list of layer names in quotes'
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
