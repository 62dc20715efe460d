"""What a person writes to have a run: the one description that the dialog, the command line and the engine share.

Unknown keys, wrong types and contradictions are refused, never repaired (`core.training.problems` says so in sentences,
`core.training.config_file` reads and writes TOML). Whether the run fits into the machine is not asked here
(`core.training.plan`), nor whether snapshot and base exist (`core.training.launch`).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

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


SECTIONS: dict[str, tuple[str, ...]] = {
    name: tuple(field.annotation.model_fields)
    for name, field in RunConfig.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
"""Section -> its keys, in order."""
