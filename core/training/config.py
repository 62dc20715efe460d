"""What a person writes to have a run: the one description that the dialog, the command line and the engine share.

Unknown keys, wrong types and contradictions are refused, never repaired (`core.training.problems` says so in sentences,
`core.training.config_file` reads and writes TOML). Whether the run fits into the machine is not asked here
(`core.training.plan`), nor whether snapshot and base exist (`core.training.launch`).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from core.training.sections import (
    DEFAULT_STEPS,
    BatchSection,
    BudgetSection,
    CheckpointsSection,
    DataSection,
    EvaluationSection,
    GuardSection,
    MethodSection,
    ModelSection,
    OptimizerSection,
    ParallelSection,
    PrecisionSection,
    Section,
    ValidationSection,
    refused,
)


class RunConfig(Section):
    """A whole run. Only model.base and data.snapshot have no default. kernels: our Triton kernels, auto = where they run.

    tensorboard: write event files beside our own log; needs the package tensorboard.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)] = "run"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 7
    kernels: Literal["auto", "on", "off"] = "auto"
    tensorboard: bool = False
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
    evaluation: EvaluationSection = EvaluationSection()
    guard: GuardSection = GuardSection()

    @property
    def may_be_flat(self) -> bool:
        """Whether rows may lie end to end. Compiled layers want the same number of documents again and again, and so get padded rows;
        kernels = "off" runs the model as transformers would."""
        return self.kernels != "off" and not self.parallel.compile

    @property
    def may_be_fused(self) -> bool:
        """Whether layers may be replaced by our operations, which know no layers that are split."""
        return self.kernels != "off" and self.parallel.tensor == 1

    @field_validator("name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise refused("must be one line of visible text")
        return value

    @model_validator(mode="after")
    def _warmup_fits(self) -> Self:
        steps, warmup = self.budget.steps, self.optimizer.warmup
        if steps is not None and warmup >= 1 and warmup > steps:
            raise refused(f"{warmup} steps are longer than the run: budget.steps = {steps}", "optimizer.warmup")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        sharded = self.parallel.tensor > 1
        if self.data.turns == "last" and self.data.objective == "text":
            raise refused('turns = "last" is for conversations, and objective is "text"', "data.turns")
        if self.validation.answers and self.data.objective == "text":
            raise refused('answers are for conversations, and data.objective is "text"', "validation.answers")
        if self.optimizer.name in ("adafactor", "adamw8bit") and self.parallel.mode == "fsdp":
            raise refused(
                f'{self.optimizer.name} looks at whole matrices and does not work with mode = "fsdp"', "optimizer.name"
            )
        if sharded and self.method.dora:
            raise refused("tensor = 2 or more does not work with method.dora", "parallel.tensor")
        return self


SECTIONS: dict[str, tuple[str, ...]] = {
    name: tuple(field.annotation.model_fields)
    for name, field in RunConfig.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
"""Section -> its keys, in order."""
