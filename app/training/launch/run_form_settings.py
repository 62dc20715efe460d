"""Which settings the form shows, in which group, and what people read there. No widget, no default, no bound.

What a setting does is said in `core.training.help`, when it applies in `run_form_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "whole", "number", "choice", "switch", "names"]
"""names: a list, or one word that stands for whatever there is."""
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """key: dotted, as in the file. choices: (value in the file, what people read)."""

    key: str
    caption: str
    kind: Kind = "whole"
    choices: Choices = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that are looked for together."""

    title: str
    settings: tuple[Setting, ...]


UNIT: Final = "budget.unit"
AMOUNT: Final = "budget.steps"
"""The field of how much; it holds epochs when the field of the unit says so."""
PROCESSES: Final = "parallel.processes"
GPUS: Final = "parallel.gpus"

FRONT: Final = (
    Setting("name", "Name", "text"),
    Setting("method.kind", "Method", "choice", (("lora", "LoRA adapter"), ("full", "Full fine-tuning"))),
    Setting(PROCESSES, "Processes", "choice"),
    Setting("optimizer.learning_rate", "Learning rate", "number"),
    Setting(UNIT, "Train for", "choice", (("steps", "Steps"), ("epochs", "Passes over the data"))),
    Setting(AMOUNT, "How many", "number"),
)

GROUPS: Final = (
    Group(
        "Method",
        (
            Setting("method.rank", "Rank"),
            Setting("method.alpha", "Alpha", "number"),
            Setting("method.dropout", "Dropout", "number"),
            Setting("method.targets", "Layers", "names"),
            Setting("method.neftune", "Embedding noise (NEFTune)", "number"),
            Setting("method.label_smoothing", "Label smoothing", "number"),
            Setting("method.rslora", "Root scaling (rsLoRA)", "switch"),
            Setting("method.dora", "Separate lengths (DoRA)", "switch"),
        ),
    ),
    Group(
        "Data and batches",
        (
            Setting("data.objective", "Train on", "choice", (("sft", "Answers of chats"), ("text", "All text"))),
            Setting("data.turns", "Answers", "choice", (("all", "All"), ("last", "The last one"))),
            Setting("data.max_length", "Longest row (tokens)"),
            Setting("batch.micro", "Rows at a time"),
            Setting("batch.accumulation", "Accumulate"),
            Setting("data.packing", "Pack short samples", "switch"),
        ),
    ),
    Group(
        "Optimizer",
        (
            Setting(
                "optimizer.name",
                "Optimizer",
                "choice",
                (
                    ("adamw", "AdamW"),
                    ("adamw8bit", "AdamW, 8 bit"),
                    ("adafactor", "Adafactor"),
                    ("sgd", "SGD"),
                    ("rmsprop", "RMSprop"),
                ),
            ),
            Setting(
                "optimizer.schedule",
                "Schedule",
                "choice",
                (("cosine", "Cosine"), ("linear", "Linear"), ("constant", "Constant"), ("wsd", "Stay, then fall")),
            ),
            Setting("optimizer.warmup", "Warm-up", "number"),
            Setting("optimizer.decay", "Fall at the end", "number"),
            Setting("optimizer.weight_decay", "Weight decay", "number"),
            Setting("optimizer.clip", "Clip gradients at", "number"),
        ),
    ),
    Group(
        "Hardware",
        (
            Setting(
                "parallel.mode",
                "Spread",
                "choice",
                (
                    ("auto", "The fastest that fits"),
                    ("single", "One process"),
                    ("ddp", "A copy each (DDP)"),
                    ("fsdp", "Sharded (FSDP)"),
                ),
            ),
            Setting(GPUS, "GPUs by number", "names"),
            Setting("precision.dtype", "Precision", "choice", (("bf16", "bf16"), ("fp16", "fp16"), ("fp32", "fp32"))),
            Setting(
                "parallel.activation_checkpointing",
                "Compute activations twice",
                "choice",
                (("none", "No"), ("selective", "All but products"), ("full", "Every layer")),
            ),
            Setting(
                "kernels",
                "Fused kernels",
                "choice",
                (("auto", "Where they run"), ("on", "On, or fail"), ("off", "Off")),
            ),
            Setting("parallel.replicas", "Replicas"),
            Setting("parallel.tensor", "GPUs that share a layer"),
            Setting("parallel.nodes", "Machines"),
            Setting("parallel.node", "This machine is number"),
            Setting("parallel.rendezvous", "They meet at", "text"),
            Setting("parallel.compile", "Compile layers", "switch"),
            Setting("parallel.offload", "Shards in main memory", "switch"),
            Setting("parallel.reshard", "Give weights back early", "switch"),
        ),
    ),
    Group(
        "Checkpoints and validation",
        (
            Setting("checkpoints.every", "Save every (steps)"),
            Setting("checkpoints.keep", "Keep the newest"),
            Setting("validation.every", "Validate every (steps)"),
            Setting("validation.patience", "Stop after (validations)"),
            Setting("validation.answers", "Questions to answer"),
            Setting("checkpoints.best", "Keep the best too", "switch"),
        ),
    ),
    Group(
        "Evaluation on the way",
        (
            Setting("evaluation.suite", "Suite of problems", "text"),
            Setting("evaluation.every", "Evaluate every (steps)"),
            Setting("evaluation.problems", "Problems at most"),
            Setting("evaluation.samples", "Answers to each"),
            Setting("evaluation.max_tokens", "Longest answer (tokens)"),
        ),
    ),
    Group(
        "Guards and record",
        (
            Setting(
                "guard.not_finite",
                "Loss is no number",
                "choice",
                (("stop", "Stop"), ("skip", "Skip the step"), ("rewind", "Rewind")),
            ),
            Setting(
                "guard.spike",
                "Loss jumps",
                "choice",
                (("note", "Note it"), ("skip", "Skip the step"), ("rewind", "Rewind"), ("stop", "Stop")),
            ),
            Setting("seed", "Seed"),
            Setting("tensorboard", "Write for TensorBoard", "switch"),
        ),
    ),
)
