"""The sections of a run configuration: every key with its type, its bounds and its default.

What contradicts itself within a section is refused here; what contradicts itself between sections in `core.training.config`.
A default is what most runs want; a key whose value nobody would change is not here but a constant where it is used.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
CountOrNone = Annotated[int, Field(ge=0, le=1_000_000_000)]
Processes = Annotated[int, Field(ge=1, le=1024)]
ShareOrSteps = Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
DEFAULT_STEPS = 300


def refused(message: str, key: str = "") -> PydanticCustomError:
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

    turns: which answers of a conversation are trained. packing: fill rows up to max_length with several samples that do
    not see one another; without it, rows of like length go into one micro-batch.
    """

    snapshot: Annotated[str, Field(min_length=1)]
    objective: Literal["sft", "text"] = "sft"
    turns: Literal["all", "last"] = "all"
    max_length: Annotated[int, Field(ge=16, le=1_048_576)] = 2048
    packing: bool = True

    @model_validator(mode="after")
    def _room_to_pack(self) -> Self:
        if self.packing and self.max_length < 64:
            raise refused(
                f"packing = true with max_length = {self.max_length} leaves no room to pack: use 64 or more, or packing = false"
            )
        return self


class MethodSection(Section):
    """kind: lora = an adapter on linear layers, full = all weights. rank to dora are for lora.

    targets: "all-linear", or the names of the linear layers, such as ["q_proj", "v_proj"]. rslora: scale by alpha over the
    root of the rank (Kalajdzievski 2023). dora: learn the length of each row apart (Liu et al. 2024).
    neftune: noise on the embeddings, 0 for none, 5 is usual (Jain et al. 2023). label_smoothing: share of each target that
    is spread over all tokens.
    """

    kind: Literal["lora", "full"] = "lora"
    rank: Annotated[int, Field(ge=1, le=1024)] = 16
    alpha: Annotated[int, Field(gt=0)] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = 32
    dropout: Share = 0.0
    targets: Literal["all-linear"] | list[str] = "all-linear"
    rslora: bool = False
    dora: bool = False
    neftune: Annotated[float, Field(ge=0.0, le=100.0, allow_inf_nan=False)] = 0.0
    label_smoothing: Share = 0.0

    @field_validator("targets")
    @classmethod
    def _plain_names(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, list):
            if not value:
                raise refused('must name at least one layer, or be "all-linear"')
            for name in value:
                if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name):
                    raise refused(f"“{name}” is no layer name")
            if len(set(value)) < len(value):
                raise refused("names a layer twice")
        return value


class OptimizerSection(Section):
    """name: adamw8bit needs the package bitsandbytes. learning_rate: at the peak.

    schedule: wsd = warm up, stay, and fall to zero over the last `decay` (Hu et al. 2024).
    warmup, decay: below 1 a share of all steps, else a number of steps. clip: largest gradient norm, 0 for no clipping.
    """

    name: Literal["adamw", "sgd", "rmsprop", "adafactor", "adamw8bit"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)] = 2e-4
    schedule: Literal["cosine", "linear", "constant", "wsd"] = "cosine"
    warmup: ShareOrSteps = 0.03
    decay: ShareOrSteps = 0.2
    weight_decay: Share = 0.0
    clip: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 1.0

    @field_validator("warmup", "decay")
    @classmethod
    def _share_or_steps(cls, value: float) -> float:
        if value >= 1 and value != int(value):
            raise refused("must be a share of the steps below 1, or a whole number of steps")
        return int(value) if value >= 1 else value

    def warmup_steps(self, steps: int) -> int:
        """Steps of warm-up in a run of `steps`."""
        return _steps(self.warmup, steps)

    def decay_steps(self, steps: int) -> int:
        """Steps over which schedule "wsd" falls to zero in a run of `steps`."""
        return _steps(self.decay, steps)


def _steps(share_or_steps: float, steps: int) -> int:
    return min(steps, int(share_or_steps) if share_or_steps >= 1 else round(share_or_steps * steps))


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
            raise refused("takes steps or epochs, not both")
        return self


class BatchSection(Section):
    """micro: rows a process puts through the model at once. accumulation: how often, for one optimizer step."""

    micro: Annotated[int, Field(ge=1, le=4096)] = 2
    accumulation: Annotated[int, Field(ge=1, le=4096)] = 4


class ParallelSection(Section):
    """processes: workers on this machine, one a GPU. gpus: their numbers as nvidia-smi shows them, or whichever are free. mode: ddp copies the model, fsdp shards it, auto takes the fastest that fits.

    For fsdp: reshard = give gathered weights back after use (ZeRO-3), else only after the step (ZeRO-2). replicas: copies of the
    sharded model (hybrid sharding). offload: keep the shards in main memory. tensor: processes that share each layer.
    activation_checkpointing: compute activations again in the backward pass instead of keeping them; full = of every layer, a
    third slower and much smaller; selective = of all but matrix products and attention. compile: torch.compile layer by layer.
    nodes, node, rendezvous: how many machines, which of them this is (from 0), and host:port where they meet.
    """

    processes: Annotated[int, Field(ge=1, le=64)] = 1
    gpus: Literal["any"] | list[Annotated[int, Field(ge=0, lt=1024)]] = "any"
    mode: Literal["auto", "single", "ddp", "fsdp"] = "auto"
    reshard: bool = True
    replicas: Processes = 1
    offload: bool = False
    tensor: Processes = 1
    activation_checkpointing: Literal["none", "selective", "full"] = "none"
    compile: bool = False
    nodes: Processes = 1
    node: Annotated[int, Field(ge=0, lt=1024)] = 0
    rendezvous: str = ""

    @property
    def world(self) -> int:
        """Workers on all machines."""
        return self.processes * self.nodes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mode == "single" and self.world > 1:
            raise refused(f'mode = "single" contradicts {_workers(self)}')
        if self.mode in ("ddp", "fsdp") and self.world == 1:
            raise refused(f'mode = "{self.mode}" needs processes = 2 or more')
        for key in ("replicas", "tensor"):
            if getattr(self, key) > 1 and self.mode != "fsdp":
                raise refused(f'{key} = {getattr(self, key)} needs mode = "fsdp", not "{self.mode}"')
        if self.offload and self.mode in ("single", "ddp"):
            raise refused(f'offload = true needs mode = "fsdp" or "auto", not "{self.mode}"')
        if self.offload and self.world == 1:
            raise refused("offload = true shards the model, which needs processes = 2 or more", "parallel.offload")
        if self.world % (self.replicas * self.tensor):
            raise refused(f"replicas x tensor = {self.replicas * self.tensor} does not divide {_workers(self)}")
        return self

    @model_validator(mode="after")
    def _chosen(self) -> Self:
        if self.gpus == "any":
            return self
        if not self.gpus or len(set(self.gpus)) < len(self.gpus):
            raise refused('gpus must name at least one GPU, each once, or be "any"')
        if len(self.gpus) != self.processes:
            raise refused(f"gpus names {len(self.gpus)}, but processes = {self.processes}: it is one a GPU")
        return self

    @model_validator(mode="after")
    def _machines(self) -> Self:
        if self.node >= self.nodes:
            raise refused(f"node = {self.node} is none of {self.nodes}: they are counted from 0", "parallel.node")
        if self.nodes > 1 and not re.fullmatch(r"\[?[\w.:-]+\]?:\d{1,5}", self.rendezvous):
            raise refused(
                'nodes = 2 or more need a host and port of node 0, such as "10.0.0.1:29500"', "parallel.rendezvous"
            )
        return self


def _workers(section: ParallelSection) -> str:
    return f"processes = {section.processes}" + (f" on {section.nodes} nodes" if section.nodes > 1 else "")


class PrecisionSection(Section):
    """dtype: of weights that are not trained and of the arithmetic; trained weights are kept in fp32.

    fp16 needs its losses scaled up against underflow, which is done; bf16 does not, and is better where the GPU has it.
    """

    dtype: Literal["bf16", "fp16", "fp32"] = "bf16"


class CheckpointsSection(Section):
    """every: steps between checkpoints, 0 for the last one only. keep: how many of the newest stay on disk.

    best: keep the one with the lowest validation loss besides.
    """

    every: CountOrNone = 100
    keep: Annotated[int, Field(ge=1, le=1000)] = 2
    best: bool = True


class ValidationSection(Section):
    """every: steps between validation losses, 0 for none. patience: stop after so many without a better one, 0 for never.

    answers: how many validation questions the student answers each time, for the share that is Go; 0 for none.
    """

    every: CountOrNone = 50
    patience: CountOrNone = 0
    answers: Annotated[int, Field(ge=0, le=1000)] = 0

    @model_validator(mode="after")
    def _measured(self) -> Self:
        for key in ("patience", "answers"):
            if getattr(self, key) and not self.every:
                raise refused(f"{key} = {getattr(self, key)} needs validations: set every")
        return self


class EvaluationSection(Section):
    """A small suite that the student answers while it is trained, for points on the run's chart. suite: a name, a file or a folder, "" for
    none. every: steps between two evaluations, the first before the first step. problems: how many of the suite at most, spread over
    difficulties and topics by the run's seed. samples: answers to each, greedy for one, else at a temperature of 0.8. max_tokens: of an answer.
    """

    suite: Annotated[str, Field(max_length=4096)] = ""
    every: CountOrNone = 0
    problems: Annotated[int, Field(ge=1, le=1000)] = 20
    samples: Annotated[int, Field(ge=1, le=100)] = 1
    max_tokens: Annotated[int, Field(ge=1, le=32_768)] = 512

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.every and not self.suite.strip():
            raise refused(
                f'every = {self.every} needs a suite to answer, such as suite = "workshop"', "evaluation.suite"
            )
        if self.suite.strip() and not self.every:
            raise refused(f"suite = “{self.suite[:60]}” needs the steps between two evaluations", "evaluation.every")
        return self


class GuardSection(Section):
    """What to do with a step whose loss or gradient is no number (not_finite) or far above its neighbours (spike).

    skip = leave the weights as they are and go on with the next step; rewind = go back to the last checkpoint and leave out
    the steps since then; stop = end the run, which can be resumed; note = go on, and say so.
    """

    not_finite: Literal["stop", "skip", "rewind"] = "stop"
    spike: Literal["note", "skip", "rewind", "stop"] = "note"
