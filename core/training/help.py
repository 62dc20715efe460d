"""Every key of a run configuration in one line: what it does and which values are usual.

The form shows these lines and `gosmith train --help-config` prints them, so that window and command line tell the same.
What a key may be and what it is by default is not written here a second time: it is read off `core.training.config`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from core.numbers import number_text
from core.training.config import RunConfig
from core.training.config_file import flat

LINES: Final[Mapping[str, str]] = {
    "name": "What the run is called in lists; one line.",
    "seed": "Start of all random numbers; the same seed gives the same run.",
    "kernels": "Fused operations for a model's own: auto where a trial gives the same numbers, on needs a GPU, off never.",
    "tensorboard": "Write event files for TensorBoard too; needs the package tensorboard.",
    "model.base": "What is trained: starter, a folder, a hub id in the local cache, or a checkpoint to go on from.",
    "data.snapshot": "The frozen samples to train on, by name.",
    "data.objective": "sft trains on the answers of chats, text on every token of plain source.",
    "data.turns": "Which answers of a conversation are trained on; all is usual, last for chats that end well.",
    "data.max_length": "Tokens in a row; what is longer is cut. 2048 is usual, memory grows with it.",
    "data.packing": "Put several short samples into one row, unseen by one another; faster, same result.",
    "method.kind": "lora trains a small adapter, full all weights: better with much data, and many times the memory.",
    "method.rank": "Size of the adapter; 8 to 32 is usual, 64 and more with rslora.",
    "method.alpha": "Strength of the adapter; one to two times the rank is usual, with rslora about twice its root.",
    "method.dropout": "Share of the adapter switched off at random; 0 is usual, 0.05 for a few hundred samples.",
    "method.targets": "Layers that get an adapter: all-linear is best, or names such as q_proj, v_proj.",
    "method.rslora": "Scale by alpha over the root of the rank, so that high ranks learn too.",
    "method.dora": "Learn the length of each weight row apart from its direction; good at low ranks, slower.",
    "method.neftune": "Noise on the embeddings against learning by heart; 0 for none, 5 is usual.",
    "method.label_smoothing": "Share of each target spread over all tokens; 0 is usual, 0.1 is much.",
    "optimizer.name": "adamw is usual; adamw8bit and adafactor save memory, sgd and rmsprop are for comparisons.",
    "optimizer.learning_rate": "At its peak: LoRA 1e-4 to 3e-4, all weights 1e-5 to 5e-5.",
    "optimizer.schedule": "After the warm-up: cosine and linear fall to zero, constant stays, wsd stays and falls at the end.",
    "optimizer.warmup": "A share of the steps below 1, or a number of steps; 0.03 to 0.1 is usual.",
    "optimizer.decay": "How long wsd falls at the end: a share of the steps below 1, or a number; 0.1 to 0.2 is usual.",
    "optimizer.weight_decay": "Pull of the weights towards zero; 0 for adapters, 0.01 to 0.1 for all weights.",
    "optimizer.clip": "Largest gradient norm; 1 is usual, 0 for no limit.",
    "budget.steps": "Optimizer steps of the run; not together with epochs.",
    "budget.epochs": "Passes over the data instead of steps; 1 to 3 is usual, parts such as 0.5 are fine.",
    "batch.micro": "Rows a process puts through the model at once; as many as fit into memory.",
    "batch.accumulation": "Micro-batches added up for one optimizer step; 8 to 64 rows a step are usual.",
    "parallel.processes": "Workers on this machine, one a GPU.",
    "parallel.gpus": "Which GPUs, by the numbers that nvidia-smi shows, such as 0, 2; any = whichever are free.",
    "parallel.mode": "ddp copies the model to each GPU, fsdp spreads one over them, auto takes the fastest that fits.",
    "parallel.reshard": "Give gathered weights back at once: less memory, more traffic (ZeRO-3, else ZeRO-2).",
    "parallel.replicas": "Copies of the sharded model, each over its share of the GPUs; usually one a node.",
    "parallel.offload": "Keep the shards in main memory: the largest models, and slow.",
    "parallel.tensor": "GPUs that share each layer; 1 is usual, 2 to 8 on one node with fast links.",
    "parallel.activation_checkpointing": "Compute activations twice instead of keeping them; full is a third slower and much smaller.",
    "parallel.compile": "Compile each layer before the first step: a minute's wait, faster steps.",
    "parallel.nodes": "How many machines train together, each started with the same configuration but node.",
    "parallel.node": "Which of the machines this one is, counted from 0.",
    "parallel.rendezvous": "Host and port of node 0, where the machines meet, such as 10.0.0.1:29500.",
    "precision.dtype": "bf16 where the GPU has it, fp16 on older ones, fp32 on a CPU or to find a fault.",
    "checkpoints.every": "Steps between checkpoints, from which a run goes on; 0 for the last one only.",
    "checkpoints.keep": "How many of the newest stay on the disk.",
    "checkpoints.best": "Keep the checkpoint with the lowest validation loss too.",
    "validation.every": "Steps between losses on held-back samples; 0 for none.",
    "validation.patience": "Stop after so many validations without a better one; 0 for never, 3 to 5 is usual.",
    "validation.answers": "Held-back questions the student answers each time, for the share that is Go; 0 for none.",
    "evaluation.suite": "Problems that the student answers on the way, judged by their tests: a suite such as workshop; empty for none.",
    "evaluation.every": "Steps between two such evaluations, the first before the first step; 0 for none.",
    "evaluation.problems": "How many problems of the suite at most, spread over difficulties and topics; 20 is usual.",
    "evaluation.samples": "Answers to each problem: 1 is greedy and quick, 5 to 10 at a temperature of 0.8 are less noisy.",
    "evaluation.max_tokens": "Longest answer in tokens; what is longer is cut and fails.",
    "guard.not_finite": "On a loss that is no number: stop, skip the step, or rewind to the last checkpoint.",
    "guard.spike": "On a loss far above its neighbours: note it and go on, skip the step, rewind or stop.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """One key. default and allowed: as text, for people; line: what it does."""

    key: str
    default: str
    allowed: str
    line: str


@cache
def defaults() -> Mapping[str, Any]:
    """Dotted key -> what it is unless a person says otherwise; without base, snapshot and budget.epochs, which have none."""
    config = RunConfig.model_validate({"model": {"base": "x"}, "data": {"snapshot": "x"}})
    return {key: value for key, value in flat(config).items() if key not in ("model.base", "data.snapshot")}


@cache
def key_table() -> tuple[KeyHelp, ...]:
    """All keys in the order of the file."""
    schema = RunConfig.model_json_schema()
    found = []
    for name, field in schema["properties"].items():
        if "$ref" in field:
            section = schema["$defs"][field["$ref"].rsplit("/", 1)[1]]
            found += [_help(f"{name}.{inner}", value) for inner, value in section["properties"].items()]
        else:
            found.append(_help(name, field))
    return tuple(found)


def _help(key: str, field: Mapping[str, Any]) -> KeyHelp:
    if key in ("model.base", "data.snapshot"):
        default = "must be given"
    else:
        default = value_text(defaults()[key]) if key in defaults() else "none"
    return KeyHelp(key, default, _allowed(field), LINES[key])


def value_text(value: object) -> str:
    """A value as it is written in the file."""
    if isinstance(value, float):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False)


def _allowed(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        branches = [branch for branch in field["anyOf"] if branch["type"] != "null"]
        if {branch["type"] for branch in branches} == {"integer", "number"}:
            branches = [branch for branch in branches if branch["type"] == "number"]
        return " or ".join(_allowed(branch) for branch in branches)
    if "enum" in field:
        return ", ".join(field["enum"])
    if "const" in field:
        return str(field["const"])
    kind = str(field["type"])
    if kind in ("integer", "number"):
        return _range("whole number" if kind == "integer" else "number", field)
    if kind == "array":
        return f"a list of {'names' if field['items']['type'] == 'string' else 'numbers'}"
    return {"boolean": "true, false", "string": "text"}[kind]


def _range(what: str, field: Mapping[str, Any]) -> str:
    low, above = field.get("minimum"), field.get("exclusiveMinimum")
    high, below = field.get("maximum"), field.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{what}, {low:g} to {_large(high)}"
    parts = [f"from {low:g}"] if low is not None else [f"above {above:g}"] if above is not None else []
    parts += [f"to {_large(high)}"] if high is not None else [f"below {_large(below)}"] if below is not None else []
    return f"{what}, {' '.join(parts)}" if parts else what


def _large(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
